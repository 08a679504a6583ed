//! Accounts and logins on a real database, and tokens as an attacker would write them.

mod account;
mod api_key;
mod deletion;
mod keys;
mod lockout;
mod logins;
mod mailed;
mod oidc;
mod password;
mod reset;
mod second_factor;
mod session;
mod ticket;
mod token;
mod work;

use crate::{Accounts, Bearer, Caller, Client, Credentials, Entered, Error, KeyRing, NewUser, Settings, SignedIn, account as accounts};
use entity::event;
use kernel::id::SessionId;
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, PaginatorTrait, QueryFilter};
use testing::TestDb;

const PASSWORD: &str = "correct horse battery staple";

/// Hashing that costs nothing, so that tests are fast.
fn cheap() -> Settings {
    Settings {
        hash_memory_kib: 64,
        hash_iterations: 1,
        concurrent_hashes: 8,
        ..Settings::default()
    }
}

/// A database of its own, and accounts in it.
struct Stage {
    db: TestDb,
    accounts: Accounts,
}

impl Stage {
    async fn new() -> Self {
        Self::with(cheap()).await
    }

    async fn with(settings: Settings) -> Self {
        let db = TestDb::new().await;
        let accounts = accounts_in(&db, settings);
        Self { db, accounts }
    }

    fn db(&self) -> &DatabaseConnection {
        self.db.db()
    }

    async fn registers(&self, email: &str) -> Result<SignedIn, Error> {
        accounts::register(&self.accounts, new_user(email), Client::default()).await
    }

    async fn ada(&self) -> SignedIn {
        self.registers("ada@example.org").await.expect("a new address can be registered")
    }

    async fn logs_in(&self, email: &str, password: &str) -> Result<SignedIn, Error> {
        logs_in(&self.accounts, email, password).await
    }

    /// The login that an access token speaks of, whether or not it goes on.
    fn session_of(&self, signed_in: &SignedIn) -> SessionId {
        let bearer = crate::token::verify(self.accounts.ring(), self.accounts.settings(), &signed_in.access_token);
        match bearer.expect("the token is ours") {
            Bearer::Person(caller) => caller.session().expect("a login"),
            Bearer::Link(_) => panic!("a link's"),
        }
    }

    /// Whoever signed in, as an extractor knows them.
    async fn caller(&self, signed_in: &SignedIn) -> Caller {
        self.accounts.person(&signed_in.access_token).await.expect("the token is good")
    }

    /// How often something happened.
    async fn happened(&self, kind: &str) -> u64 {
        event::Entity::find()
            .filter(event::Column::Kind.eq(kind))
            .count(self.db())
            .await
            .expect("events can be counted")
    }
}

fn accounts_in(db: &TestDb, settings: Settings) -> Accounts {
    let ring = KeyRing::parse(&KeyRing::generate()).expect("a generated ring can be read");
    Accounts::new(db.db().clone(), ring, settings)
}

async fn logs_in(accounts: &Accounts, email: &str, password: &str) -> Result<SignedIn, Error> {
    match enters(accounts, email, password).await? {
        Entered::In(signed_in) => Ok(*signed_in),
        Entered::Challenge(_) => panic!("a second factor is asked for"),
    }
}

async fn enters(accounts: &Accounts, email: &str, password: &str) -> Result<Entered, Error> {
    let credentials = Credentials {
        email: email.to_owned(),
        password: password.to_owned(),
    };
    accounts::login(
        accounts,
        credentials,
        Client {
            user_agent: "test\n\u{0}".repeat(200),
            source: None,
        },
    )
    .await
}

/// What each of several says who do the same at once.
async fn at_once<T: Send + 'static>(tries: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>) -> Vec<T> {
    let tries: Vec<_> = tries.into_iter().map(tokio::spawn).collect();
    let mut said = Vec::new();
    for one in tries {
        said.push(one.await.expect("does not panic"));
    }
    said
}

fn new_user(email: &str) -> NewUser {
    NewUser {
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
        display_name: "Ada".to_owned(),
    }
}
