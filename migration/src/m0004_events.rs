//! The event log.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("events")
                    .col(uuid("id").primary_key())
                    .col(uuid_null("workspace_id"))
                    .col(uuid_null("user_id"))
                    .col(text("kind"))
                    .col(uuid_null("subject_id"))
                    .col(text("payload"))
                    .col(timestamp_with_time_zone("created_at"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("events_workspace")
                    .table("events")
                    .col("workspace_id")
                    .col("id")
                    .to_owned(),
            )
            .await
    }
}
