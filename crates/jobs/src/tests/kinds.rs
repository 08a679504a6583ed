//! The kinds of jobs that the product has, run and run again.

use super::*;
use crate::{
    kinds::{
        self, ForgetJobs, KeepEvents, MakeReport, MakeReports, PurgeSessions, PurgeWorkspaces, SealEvents, SendInvitation, SendMail,
        SnapshotPages,
    },
    letter::Mail,
    work::{Done, Trouble, Work},
};
use entity::{event_checkpoint, invitation, report, report_subscription};
use sea_orm::sea_query::Expr;
use workspaces::report::last_week;

fn work(stage: &Stage, claim: &Claim) -> Work {
    Work::new(stage.parts.clone(), claim.clone(), CancellationToken::new())
}

fn letter() -> SendMail {
    SendMail {
        to: "ada@example.com".to_owned(),
        to_name: "Ada".to_owned(),
        mail: Mail::SessionRevoked {
            at: "now".to_owned(),
            user_agent: String::new(),
        },
    }
}

#[tokio::test]
async fn a_letter_is_in_the_outbox_once_however_often_it_is_sent() {
    let stage = Stage::new().await;
    stage.put(letter().job().expect("a job")).await;
    let claim = stage.take(Queue::Mail, Duration::ZERO).await;
    for _ in 0..2 {
        assert_eq!(kinds::perform(&work(&stage, &claim)).await, Ok(Done::Repeatable(None)));
    }
    // The process was killed before it could write down that it is done.
    let again = stage.take(Queue::Mail, SOON).await;
    assert_eq!(kinds::perform(&work(&stage, &again)).await, Ok(Done::Repeatable(None)));
    assert_eq!(stage.letters(), 1);
    stage.put(letter().job().expect("a job")).await;
    let other = stage.take(Queue::Mail, SOON).await;
    assert_eq!(kinds::perform(&work(&stage, &other)).await, Ok(Done::Repeatable(None)));
    assert_eq!(stage.letters(), 2, "another job is another letter");
}

#[tokio::test]
async fn an_address_that_is_none_is_given_up() {
    let stage = Stage::new().await;
    let wrong = SendMail {
        to: "nobody".to_owned(),
        ..letter()
    };
    stage.put(wrong.job().expect("a job")).await;
    let claim = stage.take(Queue::Mail, SOON).await;
    let said = kinds::perform(&work(&stage, &claim)).await;
    assert!(matches!(said, Err(Trouble::Permanent(_))), "{said:?}");
    assert_eq!(stage.letters(), 0);
}

#[tokio::test]
async fn an_invitation_that_was_taken_back_gets_no_letter() {
    let stage = Stage::new().await;
    let ada = stage.makes_user("ada").await;
    let home = stage.makes_workspace(&[ada]).await;
    let (now, id) = (clock::now(), InvitationId::new());
    let (_, token_hash) = stage.parts.mint.issue("invitation", id.0, now.timestamp_micros());
    let row = invitation::Model {
        id,
        workspace_id: home,
        email: "grace@example.com".to_owned(),
        role: Role::Member,
        document_id: None,
        level: None,
        message: None,
        token_hash,
        invited_by: ada,
        created_at: now,
        sent_at: now,
        expires_at: now + Duration::from_secs(60),
        accepted_at: None,
        accepted_by: None,
        declined_at: None,
        revoked_at: None,
    };
    invitation::Entity::insert(row.into_active_model())
        .exec_without_returning(stage.db())
        .await
        .expect("written");
    let send = async || {
        stage.put(SendInvitation { invitation: id }.job().expect("a job")).await;
        let claim = stage.take(Queue::Mail, SOON).await;
        assert_eq!(kinds::perform(&work(&stage, &claim)).await, Ok(Done::Repeatable(None)));
    };
    send().await;
    assert_eq!(stage.letters(), 1);
    let revoked = invitation::Entity::update_many()
        .col_expr(invitation::Column::RevokedAt, Expr::value(Some(now)))
        .exec(stage.db());
    revoked.await.expect("written");
    send().await;
    assert_eq!(stage.letters(), 1);
}

#[tokio::test]
async fn a_workspace_is_destroyed_when_its_time_in_the_trash_is_over() {
    let stage = Stage::new().await;
    let ada = stage.makes_user("ada").await;
    let (old, young, alive) = (
        stage.makes_workspace(&[ada]).await,
        stage.makes_workspace(&[ada]).await,
        stage.makes_workspace(&[ada]).await,
    );
    for (home, days) in [(old, 31), (young, 29)] {
        let trashed = workspace::Entity::update_many()
            .col_expr(
                workspace::Column::DeletedAt,
                Expr::value(Some(clock::now() - Duration::from_secs(days * 24 * 60 * 60))),
            )
            .filter(workspace::Column::Id.eq(home));
        trashed.exec(stage.db()).await.expect("written");
    }
    stage.put(PurgeWorkspaces {}.job().expect("a job")).await;
    let claim = stage.take(Queue::Upkeep, SOON).await;
    let done = Done::Repeatable(Some("{\"workspaces\":1}".to_owned()));
    assert_eq!(kinds::perform(&work(&stage, &claim)).await, Ok(done));
    let left = workspace::Entity::find().all(stage.db()).await.expect("read");
    let mut left: Vec<WorkspaceId> = left.into_iter().map(|row| row.id).collect();
    left.sort_unstable();
    assert_eq!(left, [young, alive]);
}

/// A workspace of three where something happened. All want reports; two may read them.
async fn busy_workspace(stage: &Stage) -> WorkspaceId {
    let [ada, ben, cleo] = [
        stage.makes_user("ada").await,
        stage.makes_user("ben").await,
        stage.makes_user("cleo").await,
    ];
    let home = stage.makes_workspace(&[ada, ben, cleo]).await;
    let now = clock::now();
    let promoted = member::Entity::update_many()
        .col_expr(member::Column::Role, Expr::value(Role::Admin))
        .filter(member::Column::UserId.eq(ben));
    promoted.exec(stage.db()).await.expect("promoted");
    let rows = [ada, ben, cleo].map(|user_id| {
        report_subscription::Model {
            workspace_id: home,
            user_id,
            created_at: now,
        }
        .into_active_model()
    });
    let wanted = report_subscription::Entity::insert_many(rows)
        .exec_without_returning(stage.db())
        .await;
    wanted.expect("subscribed");
    let by = By {
        workspace: Some(home),
        user: Some(ada),
    };
    stage.append(by, Change::WorkspaceUpdated { workspace: home }).await;
    crate::relay::catch_up(stage.db(), &stage.parts.signals).await.expect("stamped");
    home
}

async fn reports(stage: &Stage) -> u64 {
    report::Entity::find().count(stage.db()).await.expect("counted")
}

#[tokio::test]
async fn a_report_of_a_period_is_made_once_and_sent_once_to_each_who_wants_it() {
    let stage = Stage::new().await;
    let home = busy_workspace(&stage).await;
    let now = clock::now();
    let job = MakeReport {
        workspace: home,
        starts_at: now - Duration::from_secs(3600),
        ends_at: now + Duration::from_secs(3600),
        has_mail: true,
    };
    stage.put(job.job().expect("a job")).await;
    let lost = stage.take(Queue::Reports, Duration::ZERO).await;
    let claim = stage.take(Queue::Reports, SOON).await;
    assert_eq!(kinds::perform(&work(&stage, &lost)).await, Err(Trouble::Lost));
    assert_eq!((reports(&stage).await, stage.jobs(SendMail::KIND).await.len()), (0, 0));
    assert_eq!(kinds::perform(&work(&stage, &claim)).await, Ok(Done::Committed));
    assert_eq!(kinds::perform(&work(&stage, &claim)).await, Err(Trouble::Lost));
    assert_eq!((reports(&stage).await, stage.jobs(SendMail::KIND).await.len()), (1, 2));
    stage.put(job.job().expect("a job")).await;
    let second = stage.take(Queue::Reports, SOON).await;
    assert_eq!(kinds::perform(&work(&stage, &second)).await, Ok(Done::Committed));
    assert_eq!(
        (reports(&stage).await, stage.jobs(SendMail::KIND).await.len()),
        (1, 2),
        "the first stands"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reports_of_a_week_go_out_to_those_who_want_them() {
    let stage = Stage::new().await;
    busy_workspace(&stage).await;
    let asleep = stage.makes_user("dora").await;
    stage.makes_workspace(&[asleep]).await;
    let tick = clock::now() + Duration::from_secs(7 * 24 * 60 * 60);
    let id = stage.put(MakeReports { tick }.job().expect("a job")).await;
    let _worker = stage.start_hearing();
    stage.until_state(id, State::Done).await;
    until(async || stage.letters() == 2).await;
    let mails = stage.jobs(SendMail::KIND).await;
    for mail in mails {
        stage.until_state(mail.id, State::Done).await;
    }
    assert_eq!(
        (reports(&stage).await, stage.jobs(MakeReport::KIND).await.len()),
        (1, 1),
        "none for who slept"
    );
    let made = report::Entity::find().one(stage.db()).await.expect("read").expect("a report");
    assert_eq!((made.starts_at, made.ends_at), last_week(tick));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_upkeep_of_a_night_is_done() {
    let stage = Stage::new().await;
    busy_workspace(&stage).await;
    let old = stage.put_trial(What::Nothing).await;
    let aged = job::Entity::update_many()
        .col_expr(job::Column::State, Expr::value(State::Done))
        .col_expr(
            job::Column::FinishedAt,
            Expr::value(clock::now() - Duration::from_secs(8 * 24 * 60 * 60)),
        )
        .filter(job::Column::Id.eq(old));
    aged.exec(stage.db()).await.expect("aged");
    let all = [
        KeepEvents {}.job(),
        SealEvents {}.job(),
        ForgetJobs {}.job(),
        PurgeSessions {}.job(),
        PurgeWorkspaces {}.job(),
        SnapshotPages {}.job(),
    ];
    let mut ids = Vec::new();
    for job in all {
        ids.push(stage.put(job.expect("a job")).await);
    }
    let _worker = stage.start();
    for id in ids {
        assert_eq!(stage.until(id, |row| row.state.is_over()).await.state, State::Done);
    }
    let left = stage.jobs(Trial::KIND).await;
    assert!(left.is_empty(), "an old job is forgotten");
    let seals = event_checkpoint::Entity::find().count(stage.db()).await.expect("counted");
    assert_eq!(seals, 1, "the one chain there is has its seal");
}
