//! The event log becomes a chain: numbered without gaps, each entry with the hash of the one before, cut only at signed
//! checkpoints. On PostgreSQL it is partitioned by month, so that old months are dropped and not deleted row by row.

use sea_orm_migration::{prelude::*, schema::*, sea_orm};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// The same columns, in a table whose rows lie in one partition a month. What fits no month lies in `events_rest`.
const PARTITIONED: &str = "
    DROP INDEX events_workspace;
    ALTER TABLE events RENAME TO events_before;
    ALTER TABLE events_before RENAME CONSTRAINT events_pkey TO events_before_pkey;
    CREATE TABLE events (
        id uuid NOT NULL,
        workspace_id uuid,
        user_id uuid,
        kind text NOT NULL,
        subject_id uuid,
        payload text NOT NULL,
        created_at timestamptz NOT NULL,
        seq bigint,
        hash bytea,
        PRIMARY KEY (id, created_at)
    ) PARTITION BY RANGE (created_at);
    CREATE TABLE events_rest PARTITION OF events DEFAULT;
    INSERT INTO events (id, workspace_id, user_id, kind, subject_id, payload, created_at)
        SELECT id, workspace_id, user_id, kind, subject_id, payload, created_at FROM events_before;
    DROP TABLE events_before;
    CREATE INDEX events_seq ON events (workspace_id, seq);
";

const IN_PLACE: &str = "
    DROP INDEX events_workspace;
    ALTER TABLE events ADD COLUMN seq bigint;
    ALTER TABLE events ADD COLUMN hash blob;
    CREATE UNIQUE INDEX events_seq ON events (workspace_id, seq);
";

async fn chains(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("event_chains")
                // All zeros for what belongs to no tenant.
                .col(uuid("workspace_id").primary_key())
                .col(big_integer("seq"))
                .col(blob("hash"))
                .col(big_integer("floor_seq"))
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            Table::create()
                .table("event_checkpoints")
                .col(uuid("workspace_id"))
                .col(big_integer("seq"))
                .col(string_len("reason", 8))
                .col(blob("hash"))
                .col(text("key_id"))
                .col(blob("signature"))
                .col(timestamp_with_time_zone("created_at"))
                .primary_key(Index::create().col("workspace_id").col("seq").col("reason"))
                .to_owned(),
        )
        .await
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let sql = match manager.get_database_backend() {
            sea_orm::DbBackend::Postgres => PARTITIONED,
            _ => IN_PLACE,
        };
        db.execute_unprepared(sql).await?;
        db.execute_unprepared(
            "CREATE INDEX events_time ON events (workspace_id, created_at);
             CREATE INDEX events_subject ON events (subject_id, seq);
             CREATE INDEX events_unstamped ON events (id) WHERE seq IS NULL;",
        )
        .await?;
        chains(manager).await
    }
}
