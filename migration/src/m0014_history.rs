//! Versions of pages, pages that were edited since their last one, and what people have seen of a page.

use sea_orm_migration::{prelude::*, schema::*};

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

fn versions() -> TableCreateStatement {
    of_document("document_versions")
        .col(uuid("id").primary_key())
        .col(uuid("epoch"))
        .col(big_integer("server_seq"))
        .col(blob("heads"))
        .col(string_len("kind", 16))
        .col(text_null("name"))
        .col(text_null("note"))
        .col(text("authors"))
        .col(uuid_null("created_by"))
        .col(timestamp_with_time_zone("edited_at"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .col(small_integer("thinned").default(0))
        .to_owned()
}

fn editings() -> TableCreateStatement {
    of_document("document_editings")
        .col(timestamp_with_time_zone("began_at"))
        .primary_key(Index::create().col("document_id"))
        .to_owned()
}

fn visits() -> TableCreateStatement {
    of_document("document_visits")
        .col(uuid("user_id"))
        .col(uuid("epoch"))
        .col(blob("heads"))
        .col(timestamp_with_time_zone("seen_at"))
        .primary_key(Index::create().col("document_id").col("user_id"))
        .foreign_key(
            ForeignKey::create()
                .from("document_visits", "user_id")
                .to("users", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(versions()).await?;
        manager.create_table(editings()).await?;
        manager.create_table(visits()).await?;
        let one_of_a_kind = Index::create()
            .name("document_versions_state")
            .table("document_versions")
            .col("document_id")
            .col("epoch")
            .col("server_seq")
            .col("kind")
            .unique()
            .to_owned();
        manager.create_index(one_of_a_kind).await?;
        let listed = Index::create()
            .name("document_versions_listed")
            .table("document_versions")
            .col("document_id")
            .col("edited_at")
            .col("id")
            .to_owned();
        manager.create_index(listed).await?;
        // Only what the nightly thinning may still take: it grows with what is new, not with what is kept.
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE INDEX document_versions_thinnable ON document_versions (thinned, edited_at)
                     WHERE name IS NULL AND thinned < 3;
                 CREATE INDEX document_visits_of_user ON document_visits (user_id);",
            )
            .await
            .map(drop)
    }
}
