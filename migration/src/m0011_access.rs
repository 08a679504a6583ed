//! Permission: grants, restricted pages, share links, requests, and the counter that every change to them moves on.

use sea_orm_migration::{prelude::*, schema::*, sea_orm::ConnectionTrait};

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

/// Hangs on a membership: who leaves keeps nothing.
fn of_member(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(table, ("workspace_id", "user_id"))
        .to("members", ("workspace_id", "user_id"))
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}

fn versions() -> TableCreateStatement {
    Table::create()
        .table("access_versions")
        .col(uuid("workspace_id").primary_key())
        .col(big_integer("version"))
        .col(timestamp_with_time_zone("changed_at"))
        .foreign_key(&mut hangs("access_versions", "workspace_id", "workspaces"))
        .to_owned()
}

fn grants() -> TableCreateStatement {
    Table::create()
        .table("grants")
        .col(uuid("id").primary_key())
        .col(uuid("workspace_id"))
        .col(uuid_null("document_id"))
        .col(uuid_null("user_id"))
        .col(uuid_null("group_id"))
        .col(string_len("level", 16))
        .col(uuid("created_by"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .foreign_key(&mut hangs("grants", "workspace_id", "workspaces"))
        .foreign_key(&mut hangs("grants", "document_id", "documents"))
        .foreign_key(&mut hangs("grants", "group_id", "groups"))
        .foreign_key(&mut of_member("grants"))
        .to_owned()
}

fn share_links() -> TableCreateStatement {
    Table::create()
        .table("share_links")
        .col(uuid("id").primary_key())
        .col(uuid("workspace_id"))
        .col(uuid("document_id"))
        .col(string_len("level", 16))
        .col(text("token_hash").unique_key())
        .col(text_null("password_hash"))
        .col(integer("generation"))
        .col(boolean("is_enabled"))
        .col(timestamp_with_time_zone_null("expires_at"))
        .col(uuid("created_by"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .foreign_key(&mut hangs("share_links", "workspace_id", "workspaces"))
        .foreign_key(&mut hangs("share_links", "document_id", "documents"))
        .to_owned()
}

fn requests() -> TableCreateStatement {
    Table::create()
        .table("access_requests")
        .col(uuid("id").primary_key())
        .col(uuid("workspace_id"))
        .col(uuid("document_id"))
        .col(uuid("user_id"))
        .col(string_len("level", 16))
        .col(text_null("message"))
        .col(string_len("status", 16))
        .col(uuid_null("decided_by"))
        .col(timestamp_with_time_zone_null("decided_at"))
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(&mut hangs("access_requests", "workspace_id", "workspaces"))
        .foreign_key(&mut hangs("access_requests", "document_id", "documents"))
        .foreign_key(&mut of_member("access_requests"))
        .to_owned()
}

/// One grant for each pair, and one request that is open. Every workspace that is there gets its counter.
const REST: &str = "
    CREATE UNIQUE INDEX grants_document_user ON grants (document_id, user_id) WHERE document_id IS NOT NULL AND user_id IS NOT NULL;
    CREATE UNIQUE INDEX grants_document_group ON grants (document_id, group_id) WHERE document_id IS NOT NULL AND group_id IS NOT NULL;
    CREATE UNIQUE INDEX grants_workspace_user ON grants (workspace_id, user_id) WHERE document_id IS NULL AND user_id IS NOT NULL;
    CREATE UNIQUE INDEX grants_workspace_group ON grants (workspace_id, group_id) WHERE document_id IS NULL AND group_id IS NOT NULL;
    CREATE INDEX grants_user ON grants (workspace_id, user_id);
    CREATE INDEX grants_group ON grants (group_id);
    CREATE INDEX share_links_document ON share_links (document_id);
    CREATE INDEX share_links_workspace ON share_links (workspace_id);
    CREATE UNIQUE INDEX access_requests_pending ON access_requests (document_id, user_id) WHERE status = 'pending';
    CREATE INDEX access_requests_user ON access_requests (workspace_id, user_id);
    CREATE INDEX access_versions_changed ON access_versions (changed_at);
    INSERT INTO access_versions (workspace_id, version, changed_at) SELECT id, 1, updated_at FROM workspaces;
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let restricted = boolean("restricted").default(false).to_owned();
        manager
            .alter_table(Table::alter().table("documents").add_column(restricted).to_owned())
            .await?;
        for table in [versions(), grants(), share_links(), requests()] {
            manager.create_table(table).await?;
        }
        manager.get_connection().execute_unprepared(REST).await.map(drop)
    }
}
