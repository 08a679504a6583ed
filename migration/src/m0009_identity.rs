//! Identity: profiles, mailed tokens, API keys, tickets, second factors, other providers, deletion.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Hangs on an account and goes with it.
fn of_user(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(table, "user_id")
        .to("users", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}

async fn add_columns(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let columns = [
        ("users", timestamp_with_time_zone_null("email_verified_at")),
        ("users", text_null("time_zone")),
        ("sessions", timestamp_with_time_zone_null("authenticated_at")),
        ("sessions", text_null("source")),
    ];
    // One at a time: SQLite adds no two columns in a statement.
    for (table, column) in columns {
        manager
            .alter_table(Table::alter().table(table).add_column(column).to_owned())
            .await?;
    }
    Ok(())
}

fn user_tokens() -> TableCreateStatement {
    Table::create()
        .table("user_tokens")
        .col(uuid("id").primary_key())
        .col(uuid("user_id"))
        .col(string_len("purpose", 16))
        .col(text("email"))
        .col(text("token_hash").unique_key())
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .col(timestamp_with_time_zone_null("used_at"))
        .foreign_key(&mut of_user("user_tokens"))
        .to_owned()
}

fn api_keys() -> TableCreateStatement {
    Table::create()
        .table("api_keys")
        .col(uuid("id").primary_key())
        .col(uuid("user_id"))
        .col(uuid_null("workspace_id"))
        .col(text("name"))
        .col(text("prefix"))
        .col(text("last_four"))
        .col(text("key_hash").unique_key())
        .col(text("scopes"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("expires_at"))
        .col(timestamp_with_time_zone_null("last_used_at"))
        .col(timestamp_with_time_zone_null("revoked_at"))
        .foreign_key(&mut of_user("api_keys"))
        .foreign_key(
            ForeignKey::create()
                .from("api_keys", "workspace_id")
                .to("workspaces", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

fn socket_tickets() -> TableCreateStatement {
    Table::create()
        .table("socket_tickets")
        .col(text("ticket_hash").primary_key())
        .col(uuid("user_id"))
        .col(uuid("session_id"))
        .col(uuid_null("document_id"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .foreign_key(&mut of_user("socket_tickets"))
        .to_owned()
}

async fn second_factors(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let totp = Table::create()
        .table("totp_factors")
        .col(uuid("user_id").primary_key())
        .col(blob("secret"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("confirmed_at"))
        .col(big_integer("last_step"))
        .foreign_key(&mut of_user("totp_factors"))
        .to_owned();
    manager.create_table(totp).await?;
    let codes = Table::create()
        .table("recovery_codes")
        .col(uuid("id").primary_key())
        .col(uuid("user_id"))
        .col(text("code_hash"))
        .col(timestamp_with_time_zone_null("used_at"))
        .foreign_key(&mut of_user("recovery_codes"))
        .to_owned();
    manager.create_table(codes).await?;
    let challenges = Table::create()
        .table("mfa_challenges")
        .col(uuid("id").primary_key())
        .col(text("token_hash").unique_key())
        .col(uuid("user_id"))
        .col(integer("attempts"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .foreign_key(&mut of_user("mfa_challenges"))
        .to_owned();
    manager.create_table(challenges).await
}

async fn providers(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let identities = Table::create()
        .table("identities")
        .col(uuid("id").primary_key())
        .col(uuid("user_id"))
        .col(text("provider"))
        .col(text("subject"))
        .col(text("email"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("last_used_at"))
        .foreign_key(&mut of_user("identities"))
        .to_owned();
    manager.create_table(identities).await?;
    let unique = Index::create()
        .name("identities_subject")
        .table("identities")
        .col("provider")
        .col("subject")
        .unique()
        .to_owned();
    manager.create_index(unique).await?;
    let flows = Table::create()
        .table("oidc_flows")
        .col(text("state_hash").primary_key())
        .col(text("provider"))
        .col(text("nonce"))
        .col(text("verifier"))
        .col(text("binding_hash"))
        .col(text_null("return_to"))
        .col(uuid_null("user_id"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .to_owned();
    manager.create_table(flows).await
}

async fn people(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let avatars = Table::create()
        .table("avatars")
        .col(uuid("user_id").primary_key())
        .col(text("hash"))
        .col(blob("bytes"))
        .col(timestamp_with_time_zone("updated_at"))
        .foreign_key(&mut of_user("avatars"))
        .to_owned();
    manager.create_table(avatars).await?;
    let deletions = Table::create()
        .table("account_deletions")
        .col(uuid("user_id").primary_key())
        .col(timestamp_with_time_zone("requested_at"))
        .col(timestamp_with_time_zone("due_at"))
        .foreign_key(&mut of_user("account_deletions"))
        .to_owned();
    manager.create_table(deletions).await
}

async fn indexes(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    for (name, table, column) in [
        ("user_tokens_user", "user_tokens", "user_id"),
        ("api_keys_user", "api_keys", "user_id"),
        ("socket_tickets_expiry", "socket_tickets", "expires_at"),
        ("recovery_codes_user", "recovery_codes", "user_id"),
        ("mfa_challenges_user", "mfa_challenges", "user_id"),
        ("identities_user", "identities", "user_id"),
        ("account_deletions_due", "account_deletions", "due_at"),
    ] {
        manager
            .create_index(Index::create().name(name).table(table).col(column).to_owned())
            .await?;
    }
    Ok(())
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add_columns(manager).await?;
        manager.create_table(user_tokens()).await?;
        manager.create_table(api_keys()).await?;
        manager.create_table(socket_tickets()).await?;
        second_factors(manager).await?;
        providers(manager).await?;
        people(manager).await?;
        indexes(manager).await
    }
}
