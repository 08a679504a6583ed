//! The relay, and what follows from facts.

use super::*;
use crate::{kinds::SendMail, letter::Mail, relay};
use events::{read, verify};
use sea_orm::{ConnectionTrait, sea_query::Expr};

fn by(workspace: Option<WorkspaceId>, user: UserId) -> By {
    By {
        workspace,
        user: Some(user),
    }
}

fn added(member: UserId) -> Change {
    Change::MemberAdded {
        member,
        role: Role::Member,
    }
}

async fn catch_up(stage: &Stage) {
    assert!(
        relay::catch_up(stage.db(), &stage.parts.signals).await.expect("caught up"),
        "nobody else is at it"
    );
}

async fn letters(stage: &Stage) -> Vec<SendMail> {
    let jobs = stage.jobs(SendMail::KIND).await;
    jobs.iter()
        .map(|job| serde_json::from_str(&job.payload).expect("a letter"))
        .collect()
}

async fn unstamped(stage: &Stage) -> u64 {
    let facts = event::Entity::find().filter(event::Column::Seq.is_null());
    facts.count(stage.db()).await.expect("counted")
}

#[tokio::test]
async fn who_was_added_by_somebody_else_gets_one_letter() {
    let stage = Stage::new().await;
    let [ada, ben] = [stage.makes_user("ada").await, stage.makes_user("ben").await];
    let home = stage.makes_workspace(&[ada, ben]).await;
    let mut heard = stage.parts.signals.subscribe();
    stage.append(by(Some(home), ada), added(ada)).await;
    catch_up(&stage).await;
    assert_eq!(letters(&stage).await.len(), 0, "nobody is told what they did themselves");
    stage.append(by(Some(home), ada), added(ben)).await;
    catch_up(&stage).await;
    catch_up(&stage).await;
    let letters = letters(&stage).await;
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0].to.as_str(), letters[0].to_name.as_str()), ("ben@example.com", "ben"));
    let Mail::MemberAdded { workspace, by, role, .. } = &letters[0].mail else {
        panic!("{:?}", letters[0].mail)
    };
    assert_eq!((workspace.as_str(), by.as_str(), role.as_str()), ("Work", "ada", "member"));
    let job = &stage.jobs(SendMail::KIND).await[0];
    assert_eq!((job.workspace_id, job.queue.as_str()), (Some(home), Queue::Mail.name()));
    let mut told = Vec::new();
    while let Ok(signal) = heard.try_recv() {
        told.push(signal);
    }
    let stamped = Signal::Stamped { workspaces: vec![home] };
    let due = Signal::JobsDue {
        queues: vec!["mail".to_owned()],
    };
    assert_eq!(told, [stamped.clone(), stamped, due]);
}

#[tokio::test]
async fn nobody_writes_to_a_closed_account() {
    let stage = Stage::new().await;
    let [ada, ben] = [stage.makes_user("ada").await, stage.makes_user("ben").await];
    let home = stage.makes_workspace(&[ada, ben]).await;
    stage.append(by(Some(home), ada), added(ben)).await;
    let closed = user::Entity::update_many()
        .col_expr(user::Column::DeletedAt, Expr::value(clock::now()))
        .filter(user::Column::Id.eq(ben));
    closed.exec(stage.db()).await.expect("closed");
    catch_up(&stage).await;
    assert_eq!((letters(&stage).await.len(), unstamped(&stage).await), (0, 0));
}

#[tokio::test]
async fn the_owner_of_a_stolen_login_gets_one_letter() {
    let stage = Stage::new().await;
    let ada = stage.makes_user("ada").await;
    let session = SessionId::new();
    stage.append(by(None, ada), Change::SessionRevokedOnReuse { session }).await;
    catch_up(&stage).await;
    catch_up(&stage).await;
    let letters = letters(&stage).await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].to, "ada@example.com");
    assert!(matches!(letters[0].mail, Mail::SessionRevoked { .. }));
}

#[tokio::test]
async fn a_sign_in_is_in_the_log_of_every_living_workspace_of_theirs() {
    let stage = Stage::new().await;
    let [ada, ben] = [stage.makes_user("ada").await, stage.makes_user("ben").await];
    let homes = [stage.makes_workspace(&[ada]).await, stage.makes_workspace(&[ben, ada]).await];
    stage.makes_workspace(&[ben]).await;
    let gone = stage.makes_workspace(&[ada]).await;
    let trashed = workspace::Entity::update_many()
        .col_expr(workspace::Column::DeletedAt, Expr::value(clock::now()))
        .filter(workspace::Column::Id.eq(gone));
    trashed.exec(stage.db()).await.expect("trashed");
    let session = SessionId::new();
    stage.append(by(None, ada), Change::UserSignedIn { session }).await;
    catch_up(&stage).await;
    catch_up(&stage).await;
    let mut told = stage.facts("member.signed_in").await;
    told.sort_by_key(|fact| fact.workspace_id);
    let places: Vec<_> = told.iter().filter_map(|fact| fact.workspace_id).collect();
    assert_eq!(places, homes);
    for fact in &told {
        assert_eq!((fact.user_id, fact.subject_id, fact.seq), (Some(ada), Some(ada.0), Some(1)));
        assert!(fact.payload.contains(&session.to_string()), "{}", fact.payload);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_relays_stamp_each_fact_once_and_it_has_one_consequence() {
    let stage = Stage::new().await;
    let [ada, ben] = [stage.makes_user("ada").await, stage.makes_user("ben").await];
    let home = stage.makes_workspace(&[ada, ben]).await;
    let stop = CancellationToken::new();
    let relay = || tokio::spawn(relay::run(stage.db().clone(), Signals::new(Bus::memory()).0, stop.clone()));
    let relays = [relay(), relay()];
    for _ in 0..30 {
        db::write(stage.db(), async |tx: &DatabaseTransaction| {
            for _ in 0..19 {
                let document = DocumentId::new();
                events::append(tx, by(Some(home), ada), Change::DocumentCreated { document }).await?;
            }
            events::append(tx, by(Some(home), ada), added(ben)).await
        })
        .await
        .expect("appended");
    }
    until(async || unstamped(&stage).await == 0).await;
    stop.cancel();
    for relay in relays {
        tokio::time::timeout(SOON, relay).await.expect("it ends").expect("in order");
    }
    let all = read::after(stage.db(), home, &read::Wanted::default(), 0, 1_000)
        .await
        .expect("read");
    let numbers: Vec<_> = all.iter().filter_map(|fact| fact.seq).collect();
    assert_eq!(numbers, (1..=600).collect::<Vec<_>>());
    let verdict = verify::chain(stage.db(), &stage.parts.seals, home).await.expect("verified");
    assert_eq!(verdict.fault, None);
    assert_eq!(letters(&stage).await.len(), 30);
}

#[tokio::test]
async fn what_cannot_have_its_consequence_is_not_stamped() {
    let stage = Stage::new().await;
    let [ada, ben] = [stage.makes_user("ada").await, stage.makes_user("ben").await];
    let home = stage.makes_workspace(&[ada, ben]).await;
    stage
        .append(by(Some(home), ada), Change::WorkspaceUpdated { workspace: home })
        .await;
    stage.append(by(Some(home), ada), added(ben)).await;
    let sql = async |sql: &str| stage.db().execute_unprepared(sql).await.expect("renamed");
    sql("ALTER TABLE jobs RENAME TO jobs_away").await;
    let mut heard = stage.parts.signals.subscribe();
    relay::catch_up(stage.db(), &stage.parts.signals)
        .await
        .expect_err("there are no jobs");
    assert_eq!(unstamped(&stage).await, 2);
    assert!(heard.try_recv().is_err(), "nobody is told");
    sql("ALTER TABLE jobs_away RENAME TO jobs").await;
    catch_up(&stage).await;
    assert_eq!((unstamped(&stage).await, letters(&stage).await.len()), (0, 1));
}
