//! Reports: what they count, that there is one of a period, and who gets them.

use super::Stage;
use crate::{
    access::{self, Access, ReadReports},
    report::{self, Day, Figures, Page, Person, Totals},
};
use backends::db::write;
use chrono::Duration;
use entity::user;
use kernel::{
    clock::{self, Time},
    error::Explain,
    id::*,
    role::*,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{Set, Unchanged},
    DatabaseTransaction, EntityTrait,
};

fn time(text: &str) -> Time {
    text.parse().expect("a time")
}

fn week() -> (Time, Time) {
    (time("2020-11-16T00:00:00Z"), time("2020-11-23T00:00:00Z"))
}

impl Stage {
    async fn keeps(&self, figures: &Figures, (starts_at, ends_at): (Time, Time)) -> Option<ReportId> {
        write(self.db(), async |tx: &DatabaseTransaction| {
            report::keep(tx, self.workspace, starts_at, ends_at, figures).await
        })
        .await
        .expect("keeps")
    }

    async fn subscribes(&self, user: UserId) {
        let access: Access<ReadReports> = self.enters(user).await;
        write(self.db(), async |tx: &DatabaseTransaction| report::subscribe(tx, &access).await)
            .await
            .expect("subscribes");
    }

    async fn subscribers(&self) -> Vec<UserId> {
        let users = report::subscribers(self.db(), self.workspace).await.expect("reads");
        users.into_iter().map(|user| user.id).collect()
    }
}

/// A week with something of everything; gives its figures, counted by hand.
async fn a_week(stage: &Stage) -> Figures {
    let (page, trashed, gone) = (stage.page(None, None).await, stage.page(None, None).await, DocumentId::new());
    stage.updates_page(page, |row| row.title = Set("Plan".to_owned())).await;
    stage.updates_page(trashed, |row| row.deleted_at = Set(Some(clock::now()))).await;
    let (owner, admin, member) = (Some(stage.owner), Some(stage.admin), Some(stage.member));
    for (at, user, kind, subject) in [
        // Before the week, at its first and its last instant, and after it.
        ("2020-11-15T23:59:59.999999Z", owner, "document.created", page.0),
        ("2020-11-16T00:00:00Z", owner, "document.created", page.0),
        ("2020-11-22T23:59:59.999999Z", member, "document.edited", page.0),
        ("2020-11-23T00:00:00Z", owner, "document.edited", page.0),
        ("2020-11-16T00:00:00.5Z", member, "document.edited", page.0),
        ("2020-11-18T12:00:00Z", owner, "document.created", gone.0),
        ("2020-11-18T12:00:00.000001Z", owner, "document.deleted", gone.0),
        ("2020-11-18T13:00:00.25Z", owner, "document.trashed", trashed.0),
        ("2020-11-18T14:00:00Z", admin, "member.added", stage.guest.0),
        ("2020-11-18T15:00:00Z", admin, "member.removed", stage.stranger.0),
        // None of these is something that people did together.
        ("2020-11-19T10:00:00Z", member, "job.succeeded", JobId::new().0),
        ("2020-11-19T10:00:00Z", member, "member.signed_in", stage.member.0),
        ("2020-11-19T10:00:00Z", member, "document.viewed", page.0),
        ("2020-11-19T10:00:00Z", None, "document.edited", page.0),
        ("2020-11-19T10:00:00Z", member, "moon.landed", page.0),
    ] {
        stage.happened_at(time(at), user, kind, subject).await;
    }
    counted_by_hand(stage, page, trashed)
}

fn counted_by_hand(stage: &Stage, page: DocumentId, trashed: DocumentId) -> Figures {
    let day = |date: &str, events, active_people| Day {
        date: format!("2020-11-{date}"),
        events,
        active_people,
    };
    let person = |user_id, name: &str, events| Person {
        user_id,
        display_name: name.to_owned(),
        events,
    };
    let document = |document_id, title: &str, events| Page {
        document_id,
        title: title.to_owned(),
        events,
    };
    Figures {
        events: 8,
        active_people: 3,
        documents_created: 2,
        documents_edited: 2,
        documents_trashed: 1,
        members_added: 1,
        members_removed: 1,
        per_day: vec![
            day("16", 2, 2),
            day("17", 0, 0),
            day("18", 5, 2),
            day("19", 0, 0),
            day("20", 0, 0),
            day("21", 0, 0),
            day("22", 1, 1),
        ],
        people: vec![
            person(stage.owner, "owner", 4),
            person(stage.admin, "admin", 2),
            person(stage.member, "member", 2),
        ],
        documents: vec![document(page, "Plan", 3), document(trashed, "", 1)],
        totals: Totals { members: 4, documents: 1 },
    }
}

#[tokio::test]
async fn the_figures_are_what_a_hand_counts() {
    let mut stage = Stage::new().await;
    let (starts_at, ends_at) = week();
    let expected = a_week(&stage).await;
    let home = stage.workspace;
    stage.workspace = stage.makes("Other", stage.owner).await.expect("makes").id;
    stage
        .happened_at(starts_at, Some(stage.owner), "document.edited", expected.documents[0].document_id.0)
        .await;

    let figures = report::figures(stage.db(), home, starts_at, ends_at).await.expect("counts");
    assert_eq!(figures, expected);
    let next = report::figures(stage.db(), home, ends_at, ends_at + Duration::hours(36))
        .await
        .expect("counts");
    assert_eq!((next.events, next.documents_edited, next.per_day.len()), (1, 1, 2));
}

#[tokio::test]
async fn the_ten_busiest_are_named() {
    let stage = Stage::new().await;
    let (starts_at, ends_at) = week();
    for count in 1..=12 {
        let (user, page) = (UserId::new(), stage.page(None, None).await);
        super::make_user(stage.db(), user, &format!("person{count}")).await;
        for _ in 0..count {
            stage.happened_at(starts_at, Some(user), "document.edited", page.0).await;
        }
    }
    let figures = report::figures(stage.db(), stage.workspace, starts_at, ends_at)
        .await
        .expect("counts");
    let busiest: Vec<i64> = (3..=12).rev().collect();
    assert_eq!(figures.people.iter().map(|person| person.events).collect::<Vec<_>>(), busiest);
    assert_eq!(figures.documents.iter().map(|page| page.events).collect::<Vec<_>>(), busiest);
    assert_eq!((figures.events, figures.active_people), (78, 12), "the others count all the same");
}

#[tokio::test]
async fn a_report_that_is_kept_twice_is_one_row_and_reads_back() {
    let mut stage = Stage::new().await;
    let figures = a_week(&stage).await;
    let (starts_at, ends_at) = week();
    let first = stage.keeps(&figures, week()).await.expect("is new");
    assert_eq!(stage.keeps(&figures, week()).await, None);
    assert_eq!(stage.happened("report.created").await, 1);
    let second = stage.keeps(&figures, (ends_at, ends_at + Duration::days(7))).await.expect("is new");

    let access: Access<ReadReports> = stage.enters(stage.admin).await;
    let list = async |after, limit| {
        let rows = report::list(stage.db(), &access, after, limit).await.expect("reads");
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(list(None, 10).await, [second, first]);
    assert_eq!(list(None, 1).await, [second]);
    assert_eq!(list(Some(second), 10).await, [first]);
    let row = report::find(stage.db(), &access, first).await.expect("is there");
    assert_eq!((row.starts_at, row.ends_at), (starts_at, ends_at));
    assert_eq!(serde_json::from_str::<Figures>(&row.data).expect("reads back"), figures);

    stage.workspace = stage.makes("Other", stage.stranger).await.expect("makes").id;
    let access: Access<ReadReports> = stage.enters(stage.stranger).await;
    let foreign = report::find(stage.db(), &access, first).await;
    assert_eq!(foreign.err().map(|error| error.code()), Some("not_found"));
    assert_eq!(report::list(stage.db(), &access, None, 10).await.expect("reads"), []);
}

#[tokio::test]
async fn who_subscribed_gets_reports_until_they_do_not_want_them() {
    let stage = Stage::new().await;
    for user in [stage.member, stage.guest] {
        let refused = access::enter::<ReadReports>(stage.db(), user, stage.workspace).await;
        assert_eq!(refused.err().map(|error| error.code()), Some("forbidden"));
    }
    let access: Access<ReadReports> = stage.enters(stage.admin).await;
    assert!(!report::is_subscribed(stage.db(), &access).await.expect("reads"));
    for _ in 0..2 {
        stage.subscribes(stage.admin).await;
        assert!(report::is_subscribed(stage.db(), &access).await.expect("reads"));
    }
    stage.subscribes(stage.owner).await;
    assert_eq!(stage.subscribers().await, [stage.owner, stage.admin]);
    for _ in 0..2 {
        report::unsubscribe(stage.db(), &access).await.expect("unsubscribes");
        assert_eq!(stage.subscribers().await, [stage.owner]);
    }
    assert!(!report::is_subscribed(stage.db(), &access).await.expect("reads"));
}

#[tokio::test]
async fn who_is_demoted_or_removed_or_closes_the_account_gets_no_reports() {
    let stage = Stage::new().await;
    stage.joins(stage.stranger, Role::Owner).await;
    for user in [stage.owner, stage.admin, stage.stranger] {
        stage.subscribes(user).await;
    }
    assert_eq!(stage.subscribers().await, [stage.owner, stage.admin, stage.stranger]);

    stage
        .changes_role(stage.owner, stage.admin, Role::Member)
        .await
        .expect("an owner may");
    assert_eq!(stage.subscribers().await, [stage.owner, stage.stranger]);
    let access: Access<ReadReports> = stage.enters(stage.stranger).await;
    stage.removes(stage.owner, stage.stranger).await.expect("an owner may");
    assert_eq!(stage.subscribers().await, [stage.owner]);
    let late = write(stage.db(), async |tx: &DatabaseTransaction| report::subscribe(tx, &access).await).await;
    assert_eq!(late.err().map(|error| error.code()), Some("not_found"));
    stage.joins(stage.stranger, Role::Owner).await;
    assert_eq!(stage.subscribers().await, [stage.owner], "who comes back has to ask again");

    let closed = user::ActiveModel {
        id: Unchanged(stage.owner),
        deleted_at: Set(Some(clock::now())),
        ..Default::default()
    };
    closed.update(stage.db()).await.expect("updates");
    assert_eq!(stage.subscribers().await, []);
}

#[test]
fn the_last_week_begins_and_ends_on_a_monday() {
    let expected = week();
    for now in ["2020-11-23T00:00:00Z", "2020-11-25T12:34:56Z", "2020-11-29T23:59:59.999999Z"] {
        assert_eq!(report::last_week(time(now)), expected, "{now}");
    }
    assert_eq!(report::last_week(time("2020-11-30T00:00:00Z")).0, expected.1);
    assert_eq!(report::last_week(time("2021-01-01T00:00:00Z")).0, time("2020-12-21T00:00:00Z"));
}

#[tokio::test]
async fn a_workspace_is_active_when_people_did_something_there() {
    let mut stage = Stage::new().await;
    let (starts_at, ends_at) = week();
    let mut homes = Vec::new();
    for (at, kind, user) in [
        (starts_at, "document.edited", Some(stage.owner)),
        (ends_at - Duration::microseconds(1), "workspace.updated", Some(stage.owner)),
        (starts_at, "document.created", Some(stage.owner)),
        (ends_at, "document.edited", Some(stage.owner)),
        (starts_at - Duration::microseconds(1), "document.edited", Some(stage.owner)),
        (starts_at, "report.created", None),
        (starts_at, "member.signed_in", Some(stage.owner)),
    ] {
        stage.workspace = stage.makes("More", stage.owner).await.expect("makes").id;
        stage.happened_at(at, user, kind, stage.workspace.0).await;
        homes.push(stage.workspace);
    }
    let active = async |after, limit| {
        report::active_workspaces(stage.db(), starts_at, ends_at, after, limit)
            .await
            .expect("reads")
    };
    assert_eq!(active(None, 10).await, homes[..3]);
    assert_eq!(active(None, 2).await, homes[..2]);
    assert_eq!(active(Some(homes[0]), 10).await, homes[1..3]);
    assert_eq!(active(Some(homes[2]), 10).await, []);

    let trashed = entity::workspace::ActiveModel {
        id: Unchanged(homes[1]),
        deleted_at: Set(Some(clock::now())),
        ..Default::default()
    };
    entity::workspace::Entity::update(trashed).exec(stage.db()).await.expect("updates");
    assert_eq!(active(None, 10).await, [homes[0], homes[2]]);
}
