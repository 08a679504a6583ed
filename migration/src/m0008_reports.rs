//! Activity reports, who wants them by mail, and who administers the whole instance.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

fn reports() -> TableCreateStatement {
    Table::create()
        .table("reports")
        .col(uuid("id").primary_key())
        .col(uuid("workspace_id"))
        .col(timestamp_with_time_zone("starts_at"))
        .col(timestamp_with_time_zone("ends_at"))
        .col(text("data"))
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(
            ForeignKey::create()
                .from("reports", "workspace_id")
                .to("workspaces", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

/// Hangs on the membership: who leaves gets no more reports.
fn subscriptions() -> TableCreateStatement {
    Table::create()
        .table("report_subscriptions")
        .col(uuid("workspace_id"))
        .col(uuid("user_id"))
        .col(timestamp_with_time_zone("created_at"))
        .primary_key(Index::create().col("workspace_id").col("user_id"))
        .foreign_key(
            ForeignKey::create()
                .from("report_subscriptions", ("workspace_id", "user_id"))
                .to("members", ("workspace_id", "user_id"))
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

fn administrators() -> TableCreateStatement {
    Table::create()
        .table("administrators")
        .col(uuid("user_id").primary_key())
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(
            ForeignKey::create()
                .from("administrators", "user_id")
                .to("users", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(reports()).await?;
        manager
            .create_index(
                Index::create()
                    .name("reports_period")
                    .table("reports")
                    .col("workspace_id")
                    .col("starts_at")
                    .col("ends_at")
                    .unique()
                    .to_owned(),
            )
            .await?;
        manager.create_table(subscriptions()).await?;
        manager.create_table(administrators()).await
    }
}
