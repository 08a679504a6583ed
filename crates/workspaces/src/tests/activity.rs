//! The log as each role sees it.

use super::Stage;
use crate::{
    access::{self, Access, AccessError, DocumentAccess, ReadWorkspace, ViewDocument},
    activity::{self, Wanted},
};
use backends::db::write;
use chrono::Duration;
use entity::event;
use events::{By, Change, relay};
use kernel::{clock, clock::Time, id::*, role::*};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel};

impl Stage {
    /// Appends facts of the workspace, in one transaction.
    pub(super) async fn happens(&self, user: Option<UserId>, changes: impl IntoIterator<Item = Change>) {
        let by = By {
            workspace: Some(self.workspace),
            user,
        };
        write(self.db(), async |tx: &DatabaseTransaction| {
            for change in changes {
                events::append(tx, by, change).await?;
            }
            Ok::<_, DbErr>(())
        })
        .await
        .expect("facts can be appended");
    }

    /// Puts an entry into the log as it would stand there, had it happened then.
    pub(super) async fn happened_at(&self, at: Time, user: Option<UserId>, kind: &str, subject: uuid::Uuid) -> event::Model {
        let row = event::Model {
            id: EventId::new(),
            workspace_id: Some(self.workspace),
            user_id: user,
            kind: kind.to_owned(),
            subject_id: Some(subject),
            payload: "{}".to_owned(),
            created_at: at,
            seq: None,
            hash: None,
        };
        event::Entity::insert(row.clone().into_active_model())
            .exec_without_returning(self.db())
            .await
            .expect("an entry can be put in");
        row
    }

    /// Gives every entry its number.
    pub(super) async fn stamps(&self) {
        loop {
            let round = write(self.db(), async |tx: &DatabaseTransaction| relay::stamp(tx, 500).await).await;
            match round.expect("stamps") {
                relay::Round::Stamped(events) if events.is_empty() => break,
                _ => {}
            }
        }
    }

    async fn sees(&self, user: UserId, events: &[event::Model]) -> Vec<event::Model> {
        let access: Access<ReadWorkspace> = self.enters(user).await;
        activity::visible(self.db(), &access, events.to_vec()).await.expect("reads")
    }

    async fn lists(&self, user: UserId, wanted: &Wanted) -> activity::Listed {
        let access: Access<ReadWorkspace> = self.enters(user).await;
        activity::list(self.db(), &access, wanted).await.expect("reads")
    }
}

fn some(limit: u64) -> Wanted {
    Wanted {
        limit,
        ..Wanted::default()
    }
}

pub(super) fn kinds(events: &[event::Model]) -> Vec<&str> {
    events.iter().map(|event| &*event.kind).collect()
}

/// One entry for every audience, with a name for it.
async fn every_audience(stage: &Stage) -> Vec<(&'static str, event::Model)> {
    let now = clock::now();
    let [open, restricted] = [stage.page(None, None).await, stage.page(None, Some(Level::None)).await];
    let (gone, owner, member) = (DocumentId::new(), Some(stage.owner), Some(stage.member));
    let at = async |user, kind, subject| stage.happened_at(now, user, kind, subject).await;
    let mut account = at(Some(stage.guest), "user.signed_in", SessionId::new().0).await;
    account.workspace_id = None;
    let mut foreign = at(owner, "workspace.updated", stage.workspace.0).await;
    foreign.workspace_id = Some(WorkspaceId::new());
    vec![
        ("everyone", at(owner, "workspace.updated", stage.workspace.0).await),
        ("another member", at(owner, "member.added", stage.admin.0).await),
        ("the guest", at(owner, "member.role_changed", stage.guest.0).await),
        ("open page", at(owner, "document.created", open.0).await),
        ("restricted page", at(member, "document.edited", restricted.0).await),
        ("gone page", at(owner, "document.created", gone.0).await),
        ("gone page, by the member", at(member, "document.deleted", gone.0).await),
        ("admins", at(None, "report.created", ReportId::new().0).await),
        ("page read", at(member, "document.viewed", open.0).await),
        ("job of the member", at(member, "job.succeeded", JobId::new().0).await),
        ("job of nobody", at(None, "job.failed", JobId::new().0).await),
        ("unheard of", at(member, "moon.landed", open.0).await),
        ("account of the guest", account),
        ("another workspace", foreign),
    ]
}

#[tokio::test]
async fn every_role_sees_what_is_for_it_in_the_order_of_the_log() {
    let stage = Stage::new().await;
    let all = every_audience(&stage).await;
    let events: Vec<event::Model> = all.iter().map(|(_, event)| event.clone()).collect();
    let of_workspace: Vec<&str> = all[..12].iter().map(|(name, _)| *name).collect();
    for (user, expected) in [
        (stage.owner, of_workspace.clone()),
        (stage.admin, of_workspace),
        (
            stage.member,
            vec![
                "everyone",
                "another member",
                "the guest",
                "open page",
                "gone page, by the member",
                "job of the member",
            ],
        ),
        (stage.guest, vec!["everyone", "the guest", "account of the guest"]),
    ] {
        let seen = stage.sees(user, &events).await;
        let name = |event: &event::Model| all.iter().find(|(_, other)| other.id == event.id).map(|(name, _)| *name);
        assert_eq!(seen.iter().filter_map(name).collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn what_happened_to_a_restricted_page_shows_once_the_level_is_raised() {
    let stage = Stage::new().await;
    let top = stage.page(None, Some(Level::None)).await;
    let page = stage.page(Some(top), None).await;
    stage.happens(Some(stage.owner), [Change::DocumentCreated { document: page }]).await;
    stage.happens(Some(stage.admin), [Change::DocumentViewed { document: page }]).await;
    stage.happens(Some(stage.owner), [Change::DocumentEdited { document: page }]).await;
    stage.stamps().await;
    let of_page = async |user, before, limit| {
        let access: DocumentAccess<ViewDocument> = access::open(stage.db(), user, page).await?;
        Ok::<_, AccessError>(activity::of_document(stage.db(), &access, before, limit).await?)
    };

    assert_eq!(kinds(&stage.lists(stage.member, &some(10)).await.events), ["workspace.created"]);
    assert!(matches!(of_page(stage.member, None, 10).await, Err(AccessError::NotFound)));

    stage.updates_page(top, |row| row.default_level = Set(Some(Level::View))).await;
    let seen = stage.lists(stage.member, &some(10)).await;
    assert_eq!(
        (kinds(&seen.events), seen.next),
        (vec!["document.edited", "document.created", "workspace.created"], None)
    );
    for user in [stage.member, stage.owner] {
        let listed = of_page(user, None, 10).await.expect("may view it");
        assert_eq!(
            (kinds(&listed.events), listed.next),
            (vec!["document.edited", "document.created"], None)
        );
    }
    let first = of_page(stage.member, None, 1).await.expect("may view it");
    assert_eq!((kinds(&first.events), first.next), (vec!["document.edited"], Some(4)));
    let second = of_page(stage.member, first.next, 1).await.expect("may view it");
    assert_eq!((kinds(&second.events), second.next), (vec!["document.created"], None));

    stage.updates_page(top, |row| row.default_level = Set(Some(Level::None))).await;
    assert_eq!(kinds(&stage.lists(stage.member, &some(10)).await.events), ["workspace.created"]);
    assert_eq!(
        stage.lists(stage.owner, &some(10)).await.events.len(),
        3,
        "who viewed it is for the audit log"
    );
}

#[tokio::test]
async fn a_page_of_results_is_filled_past_what_is_hidden_and_gives_up_in_the_end() {
    let stage = Stage::new().await;
    let (open, restricted) = (stage.page(None, None).await, stage.page(None, Some(Level::None)).await);
    let edited = |document, count| std::iter::repeat_n(Change::DocumentEdited { document }, count);
    for hidden in [2500, 150, 150] {
        stage.happens(Some(stage.owner), [Change::DocumentUpdated { document: open }]).await;
        stage.happens(Some(stage.owner), edited(restricted, hidden)).await;
    }
    stage.stamps().await;

    let mut wanted = some(2);
    let first = stage.lists(stage.member, &wanted).await;
    assert_eq!(
        first.events.iter().map(|event| event.seq).collect::<Vec<_>>(),
        [Some(2654), Some(2503)]
    );
    wanted.before = first.next;
    assert!(first.next.is_some(), "there is more, however far back");
    let second = stage.lists(stage.member, &wanted).await;
    assert_eq!(
        (second.events, second.next.is_some()),
        (vec![], true),
        "twenty rounds found nothing"
    );
    wanted.before = second.next;
    let third = stage.lists(stage.member, &wanted).await;
    assert_eq!(
        (kinds(&third.events), third.next),
        (vec!["document.updated", "workspace.created"], None)
    );
}

#[tokio::test]
async fn the_activity_has_neither_jobs_nor_what_is_for_the_audit_log_and_can_be_searched() {
    let stage = Stage::new().await;
    every_audience(&stage).await;
    let then = clock::now() - Duration::days(3);
    let page = stage.page(None, None).await;
    stage.happened_at(then, Some(stage.admin), "document.updated", page.0).await;
    stage.stamps().await;

    let all = stage.lists(stage.owner, &some(200)).await;
    let hidden = |kind: &&str| kind.starts_with("job.") || ["report.created", "document.viewed", "moon.landed"].contains(kind);
    assert_eq!(kinds(&all.events).into_iter().filter(hidden).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(all.events.len(), 10, "{:?}", kinds(&all.events));
    let only = async |wanted: Wanted| {
        let listed = stage.lists(stage.owner, &Wanted { limit: 200, ..wanted }).await;
        kinds(&listed.events).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let kind = |kind: &str| Wanted {
        kind: Some(kind.to_owned()),
        ..Wanted::default()
    };
    assert_eq!(only(kind("member")).await, ["member.role_changed", "member.added"]);
    assert_eq!(only(kind("document.deleted")).await, ["document.deleted"]);
    assert_eq!(only(kind("job.succeeded")).await, [""; 0]);
    let by_admin = Wanted {
        user: Some(stage.admin),
        ..Wanted::default()
    };
    let about_page = Wanted {
        subject: Some(page.0),
        ..Wanted::default()
    };
    let old = Wanted {
        from: Some(then),
        to: Some(then + Duration::days(1)),
        ..Wanted::default()
    };
    for wanted in [by_admin, about_page, old] {
        assert_eq!(only(wanted.clone()).await, ["document.updated"], "{wanted:?}");
    }
}

#[tokio::test]
async fn a_live_stream_passes_over_what_is_hidden() {
    let stage = Stage::new().await;
    let (open, restricted) = (stage.page(None, None).await, stage.page(None, Some(Level::None)).await);
    for document in [restricted, open, restricted, restricted, restricted] {
        stage.happens(Some(stage.owner), [Change::DocumentUpdated { document }]).await;
    }
    stage.stamps().await;
    let access: Access<ReadWorkspace> = stage.enters(stage.member).await;
    let after = async |seq, limit| {
        let (events, last) = activity::after(stage.db(), &access, seq, limit).await.expect("reads");
        (events.iter().filter_map(|event| event.seq).collect::<Vec<_>>(), last)
    };
    assert_eq!(after(0, 100).await, (vec![1, 3], 6));
    assert_eq!(after(0, 2).await, (vec![1], 2));
    assert_eq!(after(3, 2).await, (vec![], 5), "on it goes");
    assert_eq!(after(6, 100).await, (vec![], 6), "nothing new");
    stage.happens(Some(stage.owner), [Change::DocumentUpdated { document: open }]).await;
    assert_eq!(after(6, 100).await, (vec![], 6), "what has no number yet comes later");
    stage.stamps().await;
    assert_eq!(after(6, 100).await, (vec![7], 7));
}
