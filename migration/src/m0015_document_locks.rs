//! Locks on pages: a person's long one, and a short lease of a person or of a large operation.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut of_document = ForeignKey::create()
            .from("document_locks", "document_id")
            .to("documents", "id")
            .on_delete(ForeignKeyAction::Cascade)
            .to_owned();
        let locks = Table::create()
            .table("document_locks")
            .col(uuid("document_id"))
            .col(string_len("kind", 16))
            .col(uuid("token"))
            .col(uuid("owner_id"))
            .col(string_len("holder", 16))
            .col(text_null("reason"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone_null("expires_at"))
            .primary_key(Index::create().col("document_id").col("kind"))
            .foreign_key(&mut of_document)
            .to_owned();
        manager.create_table(locks).await?;
        let by_end = Index::create()
            .name("document_locks_expires")
            .table("document_locks")
            .col("expires_at")
            .to_owned();
        manager.create_index(by_end).await
    }
}
