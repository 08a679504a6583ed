//! Exports of pages: what came out and until when it can be fetched. The bytes lie in the store of files, under the id of
//! the job. No foreign keys: a row has to outlive its page, so that its file is found and removed.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

fn exports() -> TableCreateStatement {
    Table::create()
        .table("exports")
        .col(uuid("id").primary_key())
        .col(uuid("workspace_id"))
        .col(uuid_null("document_id"))
        .col(uuid("user_id"))
        .col(string_len("format", 16))
        .col(string_len("name", 255))
        .col(string_len("media_type", 255))
        .col(big_integer("size"))
        .col(text("documents"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .to_owned()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(exports()).await?;
        for (name, column) in [("exports_user", "user_id"), ("exports_expiry", "expires_at")] {
            let index = Index::create().name(name).table("exports").col(column).to_owned();
            manager.create_index(index).await?;
        }
        Ok(())
    }
}
