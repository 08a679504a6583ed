//! Files of pages. The bytes lie in the store of files; here stands whose they are, and how many.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Hangs on a row of another table and goes with it; its bytes are removed by a job then.
fn hangs(column: &'static str, on: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from("attachments", column)
        .to(on, "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}

fn index(name: &'static str, column: &'static str) -> IndexCreateStatement {
    Index::create().name(name).table("attachments").col(column).to_owned()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let attachments = Table::create()
            .table("attachments")
            .col(uuid("id").primary_key())
            .col(uuid("workspace_id"))
            .col(uuid("document_id"))
            .col(uuid_null("file_id"))
            .col(text("name"))
            .col(string_len("media_type", 128))
            .col(big_integer_null("size"))
            .col(string_len_null("sha256", 64))
            .col(big_integer("reserved"))
            .col(string_len("state", 16))
            .col(integer_null("width"))
            .col(integer_null("height"))
            .col(string_len_null("thumbnail", 32))
            .col(uuid("created_by"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone_null("uploaded_at"))
            .col(timestamp_with_time_zone_null("deleted_at"))
            .foreign_key(&mut hangs("workspace_id", "workspaces"))
            .foreign_key(&mut hangs("document_id", "documents"))
            .to_owned();
        manager.create_table(attachments).await?;
        manager.create_index(index("attachments_document", "document_id")).await?;
        manager.create_index(index("attachments_workspace", "workspace_id")).await?;
        manager.create_index(index("attachments_file", "file_id").unique().to_owned()).await
    }
}
