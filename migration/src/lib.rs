//! The schema, one file per change, forward only. Nothing else makes or alters a table.

mod m0001_users;
mod m0002_workspaces;
mod m0003_documents;
mod m0004_events;
mod m0005_event_chain;
mod m0006_jobs;
mod m0007_compaction;
mod m0008_reports;
mod m0009_identity;
mod m0010_tenants;
mod m0011_access;
mod m0012_account_exports;
mod m0013_tree;
mod m0014_history;
mod m0015_document_locks;
mod m0016_search;
mod m0017_attachments;
mod m0018_exports;
mod m0019_search_leads;

use sea_orm_migration::prelude::*;

/// Runs the migrations in their order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_users::Migration),
            Box::new(m0002_workspaces::Migration),
            Box::new(m0003_documents::Migration),
            Box::new(m0004_events::Migration),
            Box::new(m0005_event_chain::Migration),
            Box::new(m0006_jobs::Migration),
            Box::new(m0007_compaction::Migration),
            Box::new(m0008_reports::Migration),
            Box::new(m0009_identity::Migration),
            Box::new(m0010_tenants::Migration),
            Box::new(m0011_access::Migration),
            Box::new(m0012_account_exports::Migration),
            Box::new(m0013_tree::Migration),
            Box::new(m0016_search::Migration),
            Box::new(m0015_document_locks::Migration),
            Box::new(m0017_attachments::Migration),
            Box::new(m0018_exports::Migration),
            Box::new(m0019_search_leads::Migration),
            Box::new(m0014_history::Migration),
        ]
    }
}

/// The applied migrations that this binary does not know: a newer one has been here. Empty for a fresh database.
///
/// # Errors
/// When the database cannot be read.
pub async fn unknown(db: &sea_orm::DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let manager = SchemaManager::new(db);
    if !manager.has_table("seaql_migrations").await? {
        return Ok(Vec::new());
    }
    let known: Vec<String> = Migrator::migrations().iter().map(|m| m.name().to_owned()).collect();
    let applied = Migrator::get_migration_models(db).await?;
    Ok(applied.into_iter().map(|m| m.version).filter(|v| !known.contains(v)).collect())
}

use sea_orm_migration::sea_orm;
