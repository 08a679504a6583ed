//! Background work: the queue and the schedules.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

fn jobs() -> TableCreateStatement {
    Table::create()
        .table("jobs")
        .col(uuid("id").primary_key())
        .col(string_len("queue", 32))
        .col(text("kind"))
        .col(integer("version"))
        .col(text("payload"))
        .col(integer("priority"))
        .col(string_len("state", 16))
        .col(integer("attempts"))
        .col(integer("max_attempts"))
        .col(big_integer("due_at"))
        .col(text_null("worker"))
        .col(text_null("error"))
        .col(text_null("unique_key"))
        .col(boolean("keeps_key"))
        .col(uuid_null("workspace_id"))
        .col(uuid_null("user_id"))
        .col(integer_null("progress"))
        .col(text_null("message"))
        .col(text_null("result"))
        .col(boolean("cancel_requested").default(false))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("started_at"))
        .col(timestamp_with_time_zone_null("finished_at"))
        .to_owned()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(jobs()).await?;
        manager
            .create_table(
                Table::create()
                    .table("schedules")
                    .col(text("name").primary_key())
                    .col(timestamp_with_time_zone("last_tick_at"))
                    .to_owned(),
            )
            .await?;
        // What is due and what was orphaned are found by one index: the lease of a running job ends at its due_at.
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE INDEX jobs_due ON jobs (queue, priority, due_at) WHERE state IN ('ready', 'running');
                 CREATE UNIQUE INDEX jobs_unique ON jobs (unique_key) WHERE unique_key IS NOT NULL;
                 CREATE INDEX jobs_user ON jobs (user_id, id) WHERE user_id IS NOT NULL;
                 CREATE INDEX jobs_state ON jobs (state, id);
                 CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;",
            )
            .await
            .map(drop)
    }
}
