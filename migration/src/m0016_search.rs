//! The index that things are found by: what each says and where, and the words of it in the form that the database searches.

use sea_orm_migration::{
    prelude::*,
    schema::*,
    sea_orm::{ConnectionTrait, DbBackend},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// The words, searched by SQLite: an index without a copy of the text, that forgets with its entry. Words come folded and
/// apart, so the tokenizer has nothing to do but to keep everything outside of ASCII together.
const FTS5: &str = "
    CREATE VIRTUAL TABLE search_words USING fts5(title, body, place,
        content = '', contentless_delete = 1, tokenize = 'ascii', prefix = '2 3');
    CREATE TRIGGER search_entries_gone AFTER DELETE ON search_entries
    BEGIN DELETE FROM search_words WHERE rowid = OLD.id; END;";

/// The words, searched by PostgreSQL. Nothing waits in a list beside the index, because every search would read that.
const TSVECTOR: &str = "
    CREATE TABLE search_words (
        id bigint PRIMARY KEY REFERENCES search_entries (id) ON DELETE CASCADE,
        workspace_id uuid NOT NULL,
        words tsvector NOT NULL);
    CREATE INDEX search_words_of ON search_words USING gin (words) WITH (fastupdate = off);
    CREATE INDEX search_words_newest ON search_words (workspace_id, id DESC);";

/// Pages that say something about who sees them: few, and asked for by every search of whoever is no admin.
const RULES: &str = "CREATE INDEX documents_rules ON documents (workspace_id) WHERE default_level IS NOT NULL OR restricted";

fn cascading(column: &'static str, to: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from("search_entries", column)
        .to(to, "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}

async fn entries(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let entries = Table::create()
        .table("search_entries")
        .col(big_integer("id").primary_key())
        .col(string_len("kind", 16))
        .col(uuid("subject_id"))
        .col(uuid("document_id"))
        .col(uuid("workspace_id"))
        .col(uuid_null("author_id"))
        .col(text("title"))
        .col(text("parts"))
        .col(uuid("epoch"))
        .col(big_integer("server_seq"))
        .col(integer("format"))
        .col(timestamp_with_time_zone("updated_at"))
        .foreign_key(&mut cascading("document_id", "documents"))
        .foreign_key(&mut cascading("workspace_id", "workspaces"))
        .to_owned();
    manager.create_table(entries).await?;
    for (name, columns, is_unique) in [
        ("search_entries_subject", ["kind", "subject_id"], true),
        ("search_entries_document", ["document_id", "kind"], false),
        ("search_entries_workspace", ["workspace_id", "kind"], false),
    ] {
        let mut index = Index::create().name(name).table("search_entries").to_owned();
        for column in columns {
            index.col(column);
        }
        if is_unique {
            index.unique();
        }
        manager.create_index(index).await?;
    }
    Ok(())
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        entries(manager).await?;
        let db = manager.get_connection();
        let words = match manager.get_database_backend() {
            DbBackend::Sqlite => FTS5,
            _ => TSVECTOR,
        };
        db.execute_unprepared(words).await?;
        db.execute_unprepared(RULES).await.map(drop)
    }
}
