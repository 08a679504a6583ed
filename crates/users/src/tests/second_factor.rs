//! Second factors: set up, asked for, guessed, replayed, lost, switched off.

use super::{PASSWORD, Stage, at_once, enters};
use crate::{Accounts, Client, Entered, Error, KeyRing, SignedIn, mfa, totp};
use entity::{mfa_challenge, recovery_code, totp_factor};
use kernel::{clock, id::UserId, secret};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, sea_query::Expr};
use secrecy::ExposeSecret;
use std::time::Duration;
use totp_rs::{Builder, Secret, Totp};

/// An authenticator app, and the recovery codes on a sheet of paper.
struct App {
    codes: Totp,
    recovery: Vec<String>,
}

impl App {
    fn of(secret: &str) -> Self {
        let secret = Secret::try_from_base32(secret).expect("base 32");
        Self {
            codes: Builder::new().with_secret(secret).build().expect("an app"),
            recovery: Vec::new(),
        }
    }

    /// The code of a step before or after this one.
    fn code(&self, steps: i64) -> String {
        let at = clock::now().timestamp() + steps * 30;
        self.codes.generate(u64::try_from(at).expect("after 1970")).to_string()
    }

    /// A code that is wrong now and in the steps around it.
    fn wrong(&self) -> String {
        let near: Vec<String> = (-2..=2).map(|steps| self.code(steps)).collect();
        let wrong = (0..).map(|n| format!("{n:06}")).find(|code| !near.contains(code));
        wrong.expect("most are wrong")
    }
}

impl Stage {
    async fn sets_up(&self, user: UserId) -> App {
        let started = totp::start(&self.accounts, user).await.expect("begins");
        let mut app = App::of(&started.secret);
        app.recovery = totp::confirm(&self.accounts, user, &app.code(0)).await.expect("is on");
        self.forgets_steps(user).await;
        app
    }

    /// Lets codes of this step be used again, as if time had passed.
    async fn forgets_steps(&self, user: UserId) {
        let before = totp_factor::Entity::update_many().col_expr(totp_factor::Column::LastStep, Expr::value(0_i64));
        before
            .filter(totp_factor::Column::UserId.eq(user))
            .exec(self.db())
            .await
            .expect("updates");
    }

    async fn is_asked(&self) -> String {
        match enters(&self.accounts, "ada@example.org", PASSWORD)
            .await
            .expect("the password is right")
        {
            Entered::Challenge(challenge) => {
                assert_eq!((challenge.token.len(), challenge.expires_in), (64, 300));
                assert!(!format!("{challenge:?}").contains(&challenge.token));
                challenge.token
            }
            Entered::In(_) => panic!("no code was asked for"),
        }
    }

    async fn answers(&self, token: &str, code: &str) -> Result<SignedIn, Error> {
        mfa::verify(&self.accounts, token, code, Client::default()).await
    }

    async fn challenges(&self) -> u64 {
        mfa_challenge::Entity::find().count(self.db()).await.expect("counts")
    }
}

fn is_wrong<T>(answer: &Result<T, Error>) -> bool {
    matches!(answer, Err(Error::WrongCode))
}

fn is_over<T>(answer: &Result<T, Error>) -> bool {
    matches!(answer, Err(Error::InvalidMfaToken))
}

#[tokio::test]
async fn a_second_factor_guards_from_its_first_code_on() {
    let stage = Stage::new().await;
    let ada = stage.ada().await.user.id;
    let none = totp::confirm(&stage.accounts, ada, "123456").await;
    assert!(matches!(none, Err(Error::TotpMissing)), "{none:?}");
    let first = totp::start(&stage.accounts, ada).await.expect("begins");
    assert!(first.url.starts_with("otpauth://totp/Sheaf:ada%40example.org?"), "{}", first.url);
    assert!(first.url.contains(&first.secret) && !format!("{first:?}").contains(&first.secret));
    stage.logs_in("ada@example.org", PASSWORD).await.expect("not asked for yet");

    let second = totp::start(&stage.accounts, ada).await.expect("begins again");
    let (old, app) = (App::of(&first.secret), App::of(&second.secret));
    for wrong in [old.code(0), app.wrong(), String::new(), "1".repeat(64)] {
        assert!(is_wrong(&totp::confirm(&stage.accounts, ada, &wrong).await), "{wrong:?}");
    }
    assert!(!totp::is_on(stage.db(), ada).await.expect("reads"));
    let recovery = totp::confirm(&stage.accounts, ada, &app.code(0)).await.expect("is on");
    assert_eq!(recovery.len(), 10);
    let again = totp::confirm(&stage.accounts, ada, &app.code(1)).await;
    assert!(matches!(again, Err(Error::TotpEnabled)), "{again:?}");
    let again = totp::start(&stage.accounts, ada).await;
    assert!(matches!(again, Err(Error::TotpEnabled)), "{again:?}");
    assert_eq!(stage.happened("totp.enabled").await, 1);

    let token = stage.is_asked().await;
    assert!(
        is_wrong(&stage.answers(&token, &app.code(0)).await),
        "the code that confirmed it was used"
    );
    stage.answers(&token, &app.code(1)).await.expect("the next one is good");
    assert_eq!(stage.happened("user.signed_in").await, 3);
}

#[tokio::test]
async fn nothing_in_the_tables_opens_anything() {
    let stage = Stage::new().await;
    let ada = stage.ada().await.user.id;
    let app = stage.sets_up(ada).await;
    let token = stage.is_asked().await;
    let factor = totp_factor::Entity::find_by_id(ada)
        .one(stage.db())
        .await
        .expect("reads")
        .expect("is there");
    let code = u64::try_from(clock::now().timestamp()).expect("after 1970");
    if let Ok(plain) = Builder::new().with_secret(Secret::from(factor.secret)).build() {
        assert_ne!(plain.generate(code).to_string(), app.code(0), "the secret is encrypted");
    }
    let kept = recovery_code::Entity::find().all(stage.db()).await.expect("reads");
    assert!(kept.iter().all(|row| row.code_hash.len() == 64));
    assert!(
        kept.iter()
            .any(|row| row.code_hash == secret::hash(&app.recovery[0].replace('-', "")))
    );
    let kept = mfa_challenge::Entity::find()
        .one(stage.db())
        .await
        .expect("reads")
        .expect("is there");
    assert_eq!(kept.token_hash, secret::hash(&token));
    assert!(is_over(&stage.answers(&kept.token_hash, &app.code(0)).await));
}

#[tokio::test]
async fn a_code_is_good_once_and_a_step_early_or_late() {
    let stage = Stage::new().await;
    let ada = stage.ada().await.user.id;
    let app = stage.sets_up(ada).await;
    for (steps, is_good) in [(-3, false), (3, false), (-1, true), (-1, false), (1, true), (0, false), (1, false)] {
        let token = stage.is_asked().await;
        let answer = stage.answers(&token, &app.code(steps)).await;
        assert_eq!(answer.is_ok(), is_good, "{steps}: {answer:?}");
        assert!(is_good || is_wrong(&answer));
    }
}

#[tokio::test]
async fn a_challenge_is_good_once_and_for_a_while() {
    let stage = Stage::new().await;
    let ada = stage.ada().await.user.id;
    let app = stage.sets_up(ada).await;
    let token = stage.is_asked().await;
    stage
        .answers(&token, &format!(" {} {} ", &app.code(0)[..3], &app.code(0)[3..]))
        .await
        .expect("as people type it");
    assert!(is_over(&stage.answers(&token, &app.recovery[0]).await));
    assert_eq!(stage.challenges().await, 0);
    for nonsense in ["", "x", &token.to_uppercase()] {
        assert!(is_over(&stage.answers(nonsense, &app.recovery[0]).await));
    }
    let token = stage.is_asked().await;
    let over = mfa_challenge::Entity::update_many().col_expr(mfa_challenge::Column::ExpiresAt, Expr::value(clock::now()));
    over.exec(stage.db()).await.expect("updates");
    assert!(is_over(&stage.answers(&token, &app.recovery[0]).await));
}

#[tokio::test]
async fn a_challenge_takes_five_codes() {
    let stage = Stage::new().await;
    let ada = stage.ada().await.user.id;
    let app = stage.sets_up(ada).await;
    let token = stage.is_asked().await;
    for _ in 0..5 {
        assert!(is_wrong(&stage.answers(&token, &app.wrong()).await));
    }
    assert!(is_over(&stage.answers(&token, &app.code(0)).await), "the right one comes too late");
    let token = stage.is_asked().await;
    stage.answers(&token, &app.code(0)).await.expect("and was not used up by that");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_guesses_at_once_are_no_more_than_five() {
    let stage = Stage::new().await;
    let ada = stage.ada().await.user.id;
    let app = stage.sets_up(ada).await;
    let token = stage.is_asked().await;
    let tries = (0..20).map(|_| {
        let (accounts, token, wrong) = (stage.accounts.clone(), token.clone(), app.wrong());
        async move { mfa::verify(&accounts, &token, &wrong, Client::default()).await }
    });
    let said = at_once(tries).await;
    assert_eq!(said.iter().filter(|answer| is_wrong(answer)).count(), 5, "{said:?}");
    assert_eq!(said.iter().filter(|answer| is_over(answer)).count(), 15, "{said:?}");
}

#[tokio::test]
async fn who_guesses_in_challenge_after_challenge_is_stopped_and_recovery_codes_are_not() {
    let stage = Stage::new().await;
    let ada = stage.ada().await;
    let app = stage.sets_up(ada.user.id).await;
    for _ in 0..4 {
        let token = stage.is_asked().await;
        for _ in 0..5 {
            assert!(is_wrong(&stage.answers(&token, &app.wrong()).await));
        }
    }
    let token = stage.is_asked().await;
    let stopped = stage.answers(&token, &app.code(0)).await;
    assert!(matches!(stopped, Err(Error::TooManyCodes)), "even the right one: {stopped:?}");
    let stopped = stage.proves(&ada, Some(PASSWORD), Some(&app.code(0))).await;
    assert!(matches!(stopped, Err(Error::TooManyCodes)), "nor within a login: {stopped:?}");
    stage.answers(&token, &app.recovery[0]).await.expect("its owner still gets in");

    let hour = clock::now() - Duration::from_secs(60 * 60);
    let older = mfa_challenge::Entity::update_many().col_expr(mfa_challenge::Column::CreatedAt, Expr::value(hour));
    older.exec(stage.db()).await.expect("updates");
    let token = stage.is_asked().await;
    stage
        .answers(&token, &app.code(0))
        .await
        .expect("an hour later codes are taken again");
    assert_eq!(mfa::purge(stage.db()).await.expect("purges"), 4);
    assert_eq!(stage.challenges().await, 0);
}

#[tokio::test]
async fn a_recovery_code_is_good_once_in_any_spelling() {
    let stage = Stage::new().await;
    let ada = stage.ada().await.user.id;
    let app = stage.sets_up(ada).await;
    let token = stage.is_asked().await;
    let typed = app.recovery[3].replace('-', " ").to_uppercase();
    stage.answers(&token, &typed).await.expect("is good");
    let token = stage.is_asked().await;
    assert!(is_wrong(&stage.answers(&token, &app.recovery[3]).await), "it was used");
    assert_eq!(totp::codes::left(stage.db(), ada).await.expect("counts"), 9);
    assert_eq!(stage.happened("recovery_code.used").await, 1);

    let new = totp::renew_codes(&stage.accounts, ada).await.expect("made");
    assert!(is_wrong(&stage.answers(&token, &app.recovery[4]).await), "the old set is void");
    stage.answers(&token, &new[0]).await.expect("the new one is good");
    assert_eq!(totp::codes::left(stage.db(), ada).await.expect("counts"), 9);
    assert_eq!(stage.happened("recovery_codes.created").await, 1);
}

#[tokio::test]
async fn nobody_uses_somebody_else_s_codes() {
    let stage = Stage::new().await;
    let ada = stage.ada().await.user.id;
    let app = stage.sets_up(ada).await;
    let eve = stage.registers("eve@example.org").await.expect("registers").user.id;
    let hers = stage.sets_up(eve).await;
    let token = stage.is_asked().await;
    for code in [&hers.recovery[0], &hers.code(0)] {
        assert!(is_wrong(&stage.answers(&token, code).await));
    }
    stage.answers(&token, &app.recovery[0]).await.expect("their own");
    assert_eq!(totp::codes::left(stage.db(), eve).await.expect("counts"), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_logins_with_one_code_at_once_one_wins() {
    let stage = Stage::new().await;
    let ada = stage.ada().await.user.id;
    let app = stage.sets_up(ada).await;
    for code in [app.recovery[0].clone(), app.code(0)] {
        let mut tokens = Vec::new();
        for _ in 0..6 {
            tokens.push(stage.is_asked().await);
        }
        let tries = tokens.into_iter().map(|token| {
            let (accounts, code) = (stage.accounts.clone(), code.clone());
            async move { mfa::verify(&accounts, &token, &code, Client::default()).await }
        });
        let said = at_once(tries).await;
        assert_eq!(said.iter().filter(|answer| answer.is_ok()).count(), 1, "{said:?}");
        assert_eq!(said.iter().filter(|answer| is_wrong(answer)).count(), 5, "{said:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_answers_to_one_challenge_at_once_one_wins() {
    let stage = Stage::new().await;
    let ada = stage.ada().await.user.id;
    let app = stage.sets_up(ada).await;
    let token = stage.is_asked().await;
    let tries = app.recovery.clone().into_iter().take(5).map(|code| {
        let (accounts, token) = (stage.accounts.clone(), token.clone());
        async move { mfa::verify(&accounts, &token, &code, Client::default()).await }
    });
    let said = at_once(tries).await;
    assert_eq!(said.iter().filter(|answer| answer.is_ok()).count(), 1, "{said:?}");
    assert_eq!(
        totp::codes::left(stage.db(), ada).await.expect("counts"),
        9,
        "a lost race uses no code up"
    );
}

#[tokio::test]
async fn a_fresh_login_takes_password_and_code() {
    let stage = Stage::new().await;
    let ada = stage.ada().await;
    let app = stage.sets_up(ada.user.id).await;
    stage.goes_stale(&ada).await;
    let refused = stage.proves(&ada, None, None).await;
    let Err(Error::Invalid(fields)) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(
        fields.iter().map(|field| &*field.pointer).collect::<Vec<_>>(),
        ["/password", "/code"]
    );
    let refused = stage.proves(&ada, Some("wrong password"), Some(&app.code(0))).await;
    assert!(matches!(refused, Err(Error::WrongPassword)), "{refused:?}");
    assert!(is_wrong(&stage.proves(&ada, Some(PASSWORD), Some(&app.wrong())).await));
    assert!(!stage.is_fresh(&ada).await);
    stage.proves(&ada, Some(PASSWORD), Some(&app.code(0))).await.expect("is proven");
    assert!(stage.is_fresh(&ada).await);
    assert!(
        is_wrong(&stage.proves(&ada, Some(PASSWORD), Some(&app.code(0))).await),
        "a code is good once"
    );
    stage
        .proves(&ada, Some(PASSWORD), Some(&app.recovery[0]))
        .await
        .expect("so is a recovery code");
}

#[tokio::test]
async fn switched_off_it_guards_nothing_and_its_codes_are_void() {
    let stage = Stage::new().await;
    let ada = stage.ada().await.user.id;
    let app = stage.sets_up(ada).await;
    let token = stage.is_asked().await;
    totp::disable(&stage.accounts, ada).await.expect("is off");
    assert!(is_over(&stage.answers(&token, &app.recovery[0]).await));
    stage.logs_in("ada@example.org", PASSWORD).await.expect("no code is asked for");
    for again in [
        totp::disable(&stage.accounts, ada).await,
        totp::renew_codes(&stage.accounts, ada).await.map(drop),
    ] {
        assert!(matches!(again, Err(Error::TotpMissing)), "{again:?}");
    }
    assert_eq!(recovery_code::Entity::find().count(stage.db()).await.expect("counts"), 0);
    let app = stage.sets_up(ada).await;
    let token = stage.is_asked().await;
    stage.answers(&token, &app.code(0)).await.expect("and on again");
}

#[tokio::test]
async fn a_login_that_waits_for_a_code_ends_with_its_password() {
    let stage = Stage::new().await;
    let ada = stage.ada().await;
    let app = stage.sets_up(ada.user.id).await;
    let token = stage.is_asked().await;
    let caller = stage.caller(&ada).await;
    let new = "staple battery horse correct".to_owned();
    crate::reset::change(&stage.accounts, &caller, (PASSWORD.to_owned(), new), "192.0.2.1")
        .await
        .expect("changed");
    assert!(is_over(&stage.answers(&token, &app.code(0)).await));
}

#[tokio::test]
async fn a_secret_that_was_never_confirmed_is_removed() {
    let stage = Stage::new().await;
    let (ada, ben) = (
        stage.ada().await.user.id,
        stage.registers("ben@example.org").await.expect("registers").user.id,
    );
    stage.sets_up(ada).await;
    totp::start(&stage.accounts, ben).await.expect("begins");
    assert_eq!(totp::purge(stage.db()).await.expect("purges"), 0);
    let old = clock::now() - Duration::from_secs(25 * 60 * 60);
    let older = totp_factor::Entity::update_many().col_expr(totp_factor::Column::CreatedAt, Expr::value(old));
    older.exec(stage.db()).await.expect("updates");
    assert_eq!(totp::purge(stage.db()).await.expect("purges"), 1);
    assert!(totp::is_on(stage.db(), ada).await.expect("reads"));
}

#[tokio::test]
async fn a_new_signing_key_leaves_second_factors_as_they_are_and_the_old_one_can_go() {
    let stage = Stage::new().await;
    let ada = stage.ada().await.user.id;
    let (old, new) = (KeyRing::generate(), KeyRing::generate());
    let with = |keys: String| {
        let ring = KeyRing::parse(&keys.into()).expect("a ring");
        Accounts::new(stage.db().clone(), ring, super::cheap())
    };
    let (old, new) = (old.expose_secret(), new.expose_secret());
    let [before, between, after] = [with(old.to_owned()), with(format!("{new},{old}")), with(new.to_owned())];
    let started = totp::start(&before, ada).await.expect("begins");
    let app = App::of(&started.secret);
    totp::confirm(&before, ada, &app.code(-1)).await.expect("is on");
    let enters = async |accounts: &Accounts, code: String| {
        let Ok(Entered::Challenge(challenge)) = enters(accounts, "ada@example.org", PASSWORD).await else {
            panic!("no code was asked for")
        };
        mfa::verify(accounts, &challenge.token, &code, Client::default()).await
    };
    let lost = enters(&after, app.code(0)).await;
    assert!(
        matches!(lost, Err(Error::Internal(_))),
        "nobody has used it with the new key yet: {lost:?}"
    );
    enters(&between, app.code(0)).await.expect("opens with the old key");
    enters(&after, app.code(1)).await.expect("and was sealed with the new one then");
}
