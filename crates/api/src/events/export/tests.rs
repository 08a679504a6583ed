//! An export that runs while its reader loses the right to it.

use super::*;
use crate::events::audit::Format;
use ::events::{Change, append, relay};
use backends::db::write;
use entity::{member, user};
use kernel::{id::*, role::Role};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel};
use testing::TestDb;
use workspaces::workspace;

async fn person(db: &DatabaseConnection) -> UserId {
    let now = clock::now();
    let row = user::Model {
        id: UserId::new(),
        email: format!("{}@example.org", kernel::secret::token()),
        display_name: "Ada".to_owned(),
        email_verified_at: None,
        time_zone: None,
        password_hash: String::new(),
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    let id = row.id;
    user::Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await
        .expect("a user");
    id
}

/// A workspace with two batches of entries and more, and the export of an admin who is not its owner.
async fn long(db: &DatabaseConnection) -> (Export, UserId, WorkspaceId) {
    let (owner, admin) = (person(db).await, person(db).await);
    let made = write(db, async |tx: &DatabaseTransaction| workspace::create(tx, owner, "Long").await).await;
    let home = made.expect("a workspace").id;
    let row = member::Model {
        workspace_id: home,
        user_id: admin,
        role: Role::Admin,
        created_at: clock::now(),
    };
    member::Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await
        .expect("an admin");
    let access: Access<ReadAudit> = access::enter(db, admin, home).await.expect("comes in");
    write(db, async |tx: &DatabaseTransaction| -> Result<(), DbErr> {
        for _ in 0..2 * AT_ONCE {
            append(tx, access.by(), Change::AuditLogExported { workspace: home }).await?;
        }
        Ok(())
    })
    .await
    .expect("appends");
    loop {
        let round = write(db, async |tx: &DatabaseTransaction| relay::stamp(tx, 500).await).await;
        match round.expect("stamps") {
            relay::Round::Stamped(events) if events.is_empty() => break,
            _ => {}
        }
    }
    let wanted = Wanted {
        limit: AT_ONCE,
        ..Wanted::default()
    };
    let export = Export {
        db: db.clone(),
        access,
        wanted,
        format: Format::Ndjson,
        at: 0,
        has_begun: false,
        is_over: false,
    };
    (export, admin, home)
}

#[actix_web::test]
async fn an_export_goes_on_while_the_right_lasts_and_breaks_off_when_it_is_taken() {
    let db = TestDb::new().await;
    let (export, admin, home) = long(db.db()).await;
    let (first, export) = export.next().await.expect("a batch");
    assert_eq!(
        first.expect("entries").iter().filter(|byte| **byte == b'\n').count() as u64,
        AT_ONCE
    );
    let (second, export) = export.next().await.expect("another batch");
    assert_eq!(
        second.expect("entries").iter().filter(|byte| **byte == b'\n').count() as u64,
        AT_ONCE
    );

    let row = member::ActiveModel {
        workspace_id: Set(home),
        user_id: Set(admin),
        role: Set(Role::Member),
        ..Default::default()
    };
    row.update(db.db()).await.expect("demotes");
    let (third, export) = export.next().await.expect("an end");
    assert!(third.is_err(), "half an export must not look like a whole one");
    assert!(export.next().await.is_none());
}
