//! Tenants: settings, invitations by mail and by link, groups.

use sea_orm_migration::{prelude::*, schema::*, sea_orm::ConnectionTrait};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Hangs on a workspace and goes with it.
fn of_workspace(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(table, "workspace_id")
        .to("workspaces", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}

fn settings() -> TableCreateStatement {
    Table::create()
        .table("workspace_settings")
        .col(uuid("workspace_id").primary_key())
        .col(string_len("default_level", 16))
        .col(boolean("share_links"))
        .col(boolean("member_invites"))
        .col(timestamp_with_time_zone("updated_at"))
        .foreign_key(&mut of_workspace("workspace_settings"))
        .to_owned()
}

fn invitations() -> TableCreateStatement {
    Table::create()
        .table("invitations")
        .col(uuid("id").primary_key())
        .col(uuid("workspace_id"))
        .col(text("email"))
        .col(string_len("role", 16))
        .col(uuid_null("document_id"))
        .col(string_len_null("level", 16))
        .col(text_null("message"))
        .col(text("token_hash").unique_key())
        .col(uuid("invited_by"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("sent_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .col(timestamp_with_time_zone_null("accepted_at"))
        .col(uuid_null("accepted_by"))
        .col(timestamp_with_time_zone_null("declined_at"))
        .col(timestamp_with_time_zone_null("revoked_at"))
        .foreign_key(&mut of_workspace("invitations"))
        .foreign_key(
            ForeignKey::create()
                .from("invitations", "document_id")
                .to("documents", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

fn invite_links() -> TableCreateStatement {
    Table::create()
        .table("invite_links")
        .col(uuid("id").primary_key())
        .col(uuid("workspace_id"))
        .col(string_len("role", 16))
        .col(text("token_hash").unique_key())
        .col(text_null("email_domain"))
        .col(integer_null("max_uses"))
        .col(integer("uses"))
        .col(uuid("created_by"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("expires_at"))
        .col(timestamp_with_time_zone_null("revoked_at"))
        .foreign_key(&mut of_workspace("invite_links"))
        .to_owned()
}

fn groups() -> TableCreateStatement {
    Table::create()
        .table("groups")
        .col(uuid("id").primary_key())
        .col(uuid("workspace_id"))
        .col(text("name"))
        .col(uuid("created_by"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .foreign_key(&mut of_workspace("groups"))
        .to_owned()
}

fn group_members() -> TableCreateStatement {
    Table::create()
        .table("group_members")
        .col(uuid("group_id"))
        .col(uuid("user_id"))
        .col(uuid("workspace_id"))
        .col(timestamp_with_time_zone("created_at"))
        .primary_key(Index::create().col("group_id").col("user_id"))
        .foreign_key(
            ForeignKey::create()
                .from("group_members", "group_id")
                .to("groups", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .foreign_key(
            ForeignKey::create()
                .from("group_members", ("workspace_id", "user_id"))
                .to("members", ("workspace_id", "user_id"))
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let archived = timestamp_with_time_zone_null("archived_at");
        manager
            .alter_table(Table::alter().table("workspaces").add_column(archived).to_owned())
            .await?;
        for table in [settings(), invitations(), invite_links(), groups(), group_members()] {
            manager.create_table(table).await?;
        }
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE UNIQUE INDEX invitations_pending ON invitations (workspace_id, email)
                     WHERE accepted_at IS NULL AND declined_at IS NULL AND revoked_at IS NULL;
                 CREATE INDEX invitations_email ON invitations (email);
                 CREATE INDEX invitations_document ON invitations (document_id);
                 CREATE INDEX invite_links_workspace ON invite_links (workspace_id);
                 CREATE UNIQUE INDEX groups_name ON groups (workspace_id, lower(name));
                 CREATE INDEX group_members_user ON group_members (workspace_id, user_id);",
            )
            .await
            .map(drop)
    }
}
