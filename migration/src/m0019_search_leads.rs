//! What is weighed of each thing that can be found, and an index that walks down the tree of pages without reading them.

use sea_orm_migration::{
    prelude::*,
    schema::*,
    sea_orm::{ConnectionTrait, DbBackend},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// In place of the index over parents alone, which it begins with.
const BELOW: [&str; 2] = [
    "CREATE INDEX documents_below ON documents (parent_id, restricted, default_level, id)",
    "DROP INDEX documents_parent",
];

/// Words of a page of some length stay in its row, uncompressed: a search that looks at a thousand rows would fetch and unpack
/// each from elsewhere.
const TOGETHER: &str = "ALTER TABLE search_words SET (toast_tuple_target = 8160)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut entry = ForeignKey::create()
            .from("search_leads", "id")
            .to("search_entries", "id")
            .on_delete(ForeignKeyAction::Cascade)
            .to_owned();
        let leads = Table::create()
            .table("search_leads")
            .col(big_integer("id").primary_key())
            .col(text("words"))
            .foreign_key(&mut entry)
            .to_owned();
        manager.create_table(leads).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            manager.get_connection().execute_unprepared(TOGETHER).await?;
        }
        for statement in BELOW {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }
}
