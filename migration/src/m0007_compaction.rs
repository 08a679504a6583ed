//! Folding the old part of op logs: archives of who made what, and where each log begins.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

fn archives() -> TableCreateStatement {
    Table::create()
        .table("document_archives")
        .col(uuid("document_id"))
        .col(uuid("epoch"))
        .col(big_integer("from_seq"))
        .col(big_integer("to_seq"))
        .col(big_integer("changes"))
        .col(blob("bytes"))
        .col(timestamp_with_time_zone("created_at"))
        .primary_key(Index::create().col("document_id").col("epoch").col("from_seq"))
        .foreign_key(
            ForeignKey::create()
                .from("document_archives", "document_id")
                .to("documents", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(archives()).await?;
        // Indexed are columns that no commit of an edit touches, so that PostgreSQL goes on updating the row in place.
        manager
            .get_connection()
            .execute_unprepared(
                "ALTER TABLE document_heads ADD COLUMN floor_seq bigint NOT NULL DEFAULT 0;
                 CREATE INDEX document_heads_foldable ON document_heads ((snapshot_seq - floor_seq))
                     WHERE snapshot_seq - floor_seq >= 500;",
            )
            .await
            .map(drop)
    }
}
