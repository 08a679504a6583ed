//! Letters with tokens, and what removes the tokens again.

use super::*;
use crate::{
    kinds::{self, PurgeTokens, SendMail, SendToken},
    letter::Mail,
    relay,
    work::{Done, Work},
};
use entity::user_token;
use kernel::secret;
use sea_orm::sea_query::Expr;

impl Stage {
    /// Does the next job of a queue, twice, as if the process had been killed at its end.
    async fn does_twice(&self, queue: Queue) -> Done {
        let claim = self.take(queue, SOON).await;
        let work = Work::new(self.parts.clone(), claim, CancellationToken::new());
        let first = kinds::perform(&work).await.expect("done");
        assert_eq!(kinds::perform(&work).await.as_ref(), Ok(&first));
        first
    }

    /// The letters in the outbox, each on one line.
    fn texts(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.mails.path()).expect("the outbox can be read");
        let paths = files.map(|file| file.expect("a file").path());
        let eml = paths.filter(|path| path.extension().is_some_and(|end| end == "eml"));
        eml.map(|path| {
            std::fs::read_to_string(path)
                .expect("a letter")
                .replace("=\r\n", "")
                .replace("=3D", "=")
        })
        .collect()
    }

    async fn tokens(&self) -> Vec<user_token::Model> {
        user_token::Entity::find().all(self.db()).await.expect("read")
    }
}

#[tokio::test]
async fn the_second_attempt_sends_the_token_of_the_first() {
    let stage = Stage::new().await;
    let ada = stage.makes_user("ada").await;
    for (job, word) in [
        (SendToken::VerifyEmail { user: Some(ada) }, "verify"),
        (SendToken::ResetPassword { user: Some(ada) }, "reset"),
    ] {
        let before = stage.texts();
        let id = stage.put(job.job().expect("a job")).await;
        assert_eq!(stage.does_twice(Queue::Mail).await, Done::Repeatable(None));
        let new: Vec<String> = stage.texts().into_iter().filter(|text| !before.contains(text)).collect();
        assert_eq!(new.len(), 1, "{new:#?}");
        let row = stage.tokens().await.into_iter().find(|row| row.id.0 == id.0).expect("a row");
        let (_, link) = new[0].split_once(&format!("http://127.0.0.1:8000/open/#{word}=")).expect("a link");
        assert_eq!(secret::hash(&link[..64]), row.token_hash);
        assert!(new[0].contains("ada@example.com"));
        assert!(!stage.row(id).await.payload.contains(&link[..64]));
    }
}

#[tokio::test]
async fn nobody_gets_no_letter() {
    let stage = Stage::new().await;
    let proven = stage.makes_user("ada").await;
    let set = user::Entity::update_many().col_expr(user::Column::EmailVerifiedAt, Expr::value(Some(clock::now())));
    set.exec(stage.db()).await.expect("updated");
    for job in [
        SendToken::VerifyEmail { user: None },
        SendToken::ResetPassword { user: None },
        SendToken::ResetPassword { user: Some(UserId::new()) },
        SendToken::VerifyEmail { user: Some(proven) },
        SendToken::ChangeEmail { token: UserTokenId::new() },
    ] {
        stage.put(job.job().expect("a job")).await;
        assert_eq!(stage.does_twice(Queue::Mail).await, Done::Repeatable(None), "{job:?}");
    }
    assert_eq!((stage.letters(), stage.tokens().await.len()), (0, 0));
}

#[tokio::test]
async fn a_registration_is_followed_by_a_letter_that_holds_ids_alone() {
    let stage = Stage::new().await;
    let ada = stage.makes_user("ada").await;
    let by = By {
        workspace: None,
        user: Some(ada),
    };
    stage.append(by, Change::UserRegistered { user: ada }).await;
    for _ in 0..2 {
        assert!(relay::catch_up(stage.db(), &stage.parts.signals).await.expect("caught up"));
    }
    let jobs = stage.jobs(SendToken::KIND).await;
    assert_eq!(jobs.len(), 1);
    let payload: serde_json::Value = serde_json::from_str(&jobs[0].payload).expect("JSON");
    assert_eq!(payload, serde_json::json!({ "purpose": "verify_email", "user": ada }));
}

#[tokio::test]
async fn whoever_guards_an_account_is_told_that_its_guard_has_changed() {
    let stage = Stage::new().await;
    let ada = stage.makes_user("ada").await;
    let by = By {
        workspace: None,
        user: Some(ada),
    };
    let facts = [
        (Change::UserPasswordChanged { user: ada }, "Your password was changed"),
        (Change::TotpEnabled { user: ada }, "Your account has a second factor now"),
        (Change::TotpDisabled { user: ada }, "Your account has no second factor any more"),
        (Change::RecoveryCodesCreated { user: ada }, "Your account has new recovery codes"),
        (Change::RecoveryCodeUsed { user: ada }, "A recovery code of your account was used"),
    ];
    for (fact, _) in facts.clone() {
        stage.append(by, fact).await;
    }
    assert!(relay::catch_up(stage.db(), &stage.parts.signals).await.expect("caught up"));
    let mut told: Vec<String> = Vec::new();
    for job in stage.jobs(SendMail::KIND).await {
        let letter: SendMail = serde_json::from_str(&job.payload).expect("a letter");
        assert_eq!(letter.to, "ada@example.com");
        let Mail::AccountNotice { what, .. } = letter.mail else {
            panic!("{letter:?}")
        };
        told.push(what);
    }
    told.sort();
    let mut wanted: Vec<&str> = facts.iter().map(|(_, what)| *what).collect();
    wanted.sort_unstable();
    assert_eq!(told, wanted);
}

#[tokio::test]
async fn tokens_that_are_over_are_removed() {
    let stage = Stage::new().await;
    let ada = stage.makes_user("ada").await;
    stage.put(SendToken::ResetPassword { user: Some(ada) }.job().expect("a job")).await;
    stage.does_twice(Queue::Mail).await;
    stage.put(PurgeTokens {}.job().expect("a job")).await;
    let none = Done::Repeatable(Some("{\"tokens\":0,\"challenges\":0,\"factors\":0}".to_owned()));
    assert_eq!(stage.does_twice(Queue::Upkeep).await, none);
    let long_ago = clock::now() - Duration::from_secs(25 * 60 * 60);
    let over = user_token::Entity::update_many().col_expr(user_token::Column::ExpiresAt, Expr::value(long_ago));
    over.exec(stage.db()).await.expect("updated");
    stage.put(PurgeTokens {}.job().expect("a job")).await;
    let claim = stage.take(Queue::Upkeep, SOON).await;
    let work = Work::new(stage.parts.clone(), claim, CancellationToken::new());
    let one = Done::Repeatable(Some("{\"tokens\":1,\"challenges\":0,\"factors\":0}".to_owned()));
    assert_eq!(kinds::perform(&work).await, Ok(one));
    assert_eq!(stage.tokens().await.len(), 0);
}
