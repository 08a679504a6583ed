//! Pages, their op log, snapshots, actors and projections.

use sea_orm_migration::{prelude::*, schema::*, sea_orm};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// A table that hangs on a page and dies with it.
fn of_document(name: &'static str) -> TableCreateStatement {
    Table::create()
        .table(name)
        .col(uuid("document_id"))
        .foreign_key(
            ForeignKey::create()
                .from(name, "document_id")
                .to("documents", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

async fn documents(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("documents")
                .col(uuid("id").primary_key())
                .col(uuid("workspace_id"))
                .col(uuid_null("parent_id"))
                .col(text("rank"))
                .col(text("title"))
                .col(text_null("icon"))
                .col(text_null("cover"))
                .col(string_len_null("default_level", 16))
                .col(uuid("created_by"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .col(timestamp_with_time_zone_null("deleted_at"))
                .col(uuid_null("deleted_with"))
                .foreign_key(
                    ForeignKey::create()
                        .from("documents", "workspace_id")
                        .to("workspaces", "id")
                        .on_delete(ForeignKeyAction::Cascade),
                )
                .foreign_key(ForeignKey::create().from("documents", "parent_id").to("documents", "id"))
                .foreign_key(ForeignKey::create().from("documents", "created_by").to("users", "id"))
                .to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("documents_tree")
                .table("documents")
                .col("workspace_id")
                .col("parent_id")
                .col("rank")
                .to_owned(),
        )
        .await?;
    if manager.get_database_backend() == sea_orm::DbBackend::Postgres {
        // Order keys compare bytewise, whatever language the database sorts in.
        manager
            .get_connection()
            .execute_unprepared("ALTER TABLE documents ALTER COLUMN rank TYPE text COLLATE \"C\"")
            .await?;
    }
    manager
        .create_index(
            Index::create()
                .name("documents_parent")
                .table("documents")
                .col("parent_id")
                .to_owned(),
        )
        .await
}

async fn op_log(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            of_document("document_heads")
                .col(uuid("epoch"))
                .col(big_integer("server_seq"))
                .col(blob("heads"))
                .col(big_integer("snapshot_seq"))
                .col(timestamp_with_time_zone("updated_at"))
                .primary_key(Index::create().col("document_id"))
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            of_document("document_changes")
                .col(uuid("epoch"))
                .col(big_integer("server_seq"))
                .col(blob("change_hash"))
                .col(blob("actor"))
                .col(uuid_null("user_id"))
                .col(text_null("message_id"))
                .col(string_len("source", 16))
                .col(blob("heads_after"))
                .col(blob("bytes"))
                .col(timestamp_with_time_zone("created_at"))
                .primary_key(Index::create().col("document_id").col("epoch").col("server_seq"))
                .to_owned(),
        )
        .await?;
    for (name, column) in [("document_changes_hash", "change_hash"), ("document_changes_message", "message_id")] {
        manager
            .create_index(
                Index::create()
                    .name(name)
                    .table("document_changes")
                    .col("document_id")
                    .col(column)
                    .unique()
                    .to_owned(),
            )
            .await?;
    }
    Ok(())
}

async fn shortcuts(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            of_document("document_snapshots")
                .col(uuid("epoch"))
                .col(big_integer("server_seq"))
                .col(blob("heads"))
                .col(blob("bytes"))
                .col(timestamp_with_time_zone("created_at"))
                .primary_key(Index::create().col("document_id").col("epoch").col("server_seq"))
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            of_document("document_actors")
                .col(blob("actor"))
                .col(uuid_null("user_id"))
                .col(timestamp_with_time_zone("created_at"))
                .primary_key(Index::create().col("document_id").col("actor"))
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            of_document("document_projections")
                .col(uuid("epoch"))
                .col(big_integer("server_seq"))
                .col(text("view"))
                .primary_key(Index::create().col("document_id"))
                .to_owned(),
        )
        .await
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        documents(manager).await?;
        op_log(manager).await?;
        shortcuts(manager).await
    }
}
