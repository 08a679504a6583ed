//! What people do with the tree of pages: archive, templates, favourites, recents, and which page names which.

use sea_orm_migration::{prelude::*, schema::*, sea_orm, sea_orm::ConnectionTrait};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Hangs on a row of another table and goes with it.
fn hangs(table: &'static str, column: &'static str, on: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(table, column)
        .to(on, "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}

fn favorites() -> TableCreateStatement {
    Table::create()
        .table("favorites")
        .col(uuid("user_id"))
        .col(uuid("document_id"))
        .col(text("rank"))
        .col(timestamp_with_time_zone("created_at"))
        .primary_key(Index::create().col("user_id").col("document_id"))
        .foreign_key(&mut hangs("favorites", "user_id", "users"))
        .foreign_key(&mut hangs("favorites", "document_id", "documents"))
        .to_owned()
}

fn recents() -> TableCreateStatement {
    Table::create()
        .table("recents")
        .col(uuid("user_id"))
        .col(uuid("document_id"))
        .col(timestamp_with_time_zone("viewed_at"))
        .primary_key(Index::create().col("user_id").col("document_id"))
        .foreign_key(&mut hangs("recents", "user_id", "users"))
        .foreign_key(&mut hangs("recents", "document_id", "documents"))
        .to_owned()
}

/// What is named need not be there, or may be of another tenant: whoever asks is shown what they may see.
fn links() -> TableCreateStatement {
    Table::create()
        .table("document_links")
        .col(uuid("document_id"))
        .col(text("block_id"))
        .col(string_len("kind", 16))
        .col(uuid("target_document_id"))
        .primary_key(
            Index::create()
                .col("document_id")
                .col("block_id")
                .col("kind")
                .col("target_document_id"),
        )
        .foreign_key(&mut hangs("document_links", "document_id", "documents"))
        .to_owned()
}

const INDEXES: &str = "
    CREATE INDEX documents_trash ON documents (workspace_id, deleted_at) WHERE deleted_at IS NOT NULL;
    CREATE INDEX documents_overdue ON documents (deleted_at) WHERE deleted_at IS NOT NULL;
    CREATE INDEX documents_trashed_with ON documents (deleted_with) WHERE deleted_with IS NOT NULL;
    CREATE INDEX documents_archived_with ON documents (archived_with) WHERE archived_with IS NOT NULL;
    CREATE INDEX documents_templates ON documents (workspace_id) WHERE is_template;
    CREATE INDEX favorites_document ON favorites (document_id);
    CREATE INDEX recents_document ON recents (document_id);
    CREATE INDEX recents_newest ON recents (user_id, viewed_at);
    CREATE INDEX document_links_target ON document_links (target_document_id, document_id);
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite adds one column at a time.
        for column in [
            timestamp_with_time_zone_null("archived_at"),
            uuid_null("archived_with"),
            uuid_null("deleted_by"),
            boolean("is_template").default(false).to_owned(),
        ] {
            manager
                .alter_table(Table::alter().table("documents").add_column(column).to_owned())
                .await?;
        }
        let policy = integer_null("archive_after_days");
        manager
            .alter_table(Table::alter().table("workspace_settings").add_column(policy).to_owned())
            .await?;
        for table in [favorites(), recents(), links()] {
            manager.create_table(table).await?;
        }
        let db = manager.get_connection();
        if manager.get_database_backend() == sea_orm::DbBackend::Postgres {
            // Order keys compare bytewise, whatever language the database sorts in.
            db.execute_unprepared("ALTER TABLE favorites ALTER COLUMN rank TYPE text COLLATE \"C\"")
                .await?;
        }
        db.execute_unprepared(INDEXES).await.map(drop)
    }
}
