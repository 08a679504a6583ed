//! The HTTP face as a client meets it, without a socket. Most of it needs no database: then there is one that is not
//! reachable.

mod admission;
mod around;
mod log;
mod outside;
mod problems;
mod resources;
mod wire;

use crate::{Settings, State, configure, edge, middleware};
use actix_http::Request;
use actix_web::{
    App, Error,
    body::{BoxBody, to_bytes},
    dev::{Service, ServiceResponse},
    http::header::HeaderMap,
    middleware::from_fn,
    test::{self, TestRequest},
    web,
};
use backends::{bus::Bus, files::Files, limits::Limits};
use collab::Rooms;
use sea_orm::DatabaseConnection;
use serde_json::Value;
use std::sync::{Arc, atomic::AtomicBool};
use users::Accounts;

/// A state on this database, with password hashes that cost next to nothing.
fn state(db: DatabaseConnection) -> State {
    let ring = users::keys::KeyRing::parse(&users::keys::KeyRing::generate()).expect("a generated ring parses");
    let cheap = users::settings::Settings {
        hash_memory_kib: 64,
        hash_iterations: 1,
        ..Default::default()
    };
    let signals = backends::signal::Signals::new(Bus::memory()).0;
    let mint = ring.mint();
    State {
        mint,
        streams: crate::Streams::new(db.clone(), signals.clone()).0,
        seals: events::checkpoint::Seals::new(Vec::new()),
        signals,
        bus: Bus::memory(),
        limits: Limits::memory(),
        files: Files::directory(&std::env::temp_dir().join("sheaf-api-tests")).expect("a directory"),
        accounts: Accounts::new(db.clone(), ring, cheap),
        rooms: Rooms::start(db.clone(), Bus::memory(), collab::settings::Settings::default(), Arc::new(())),
        settings: Arc::new(Settings::default()),
        draining: Arc::new(AtomicBool::new(false)),
        db,
    }
}

/// The product on this state, and two handlers that go wrong in their own way.
async fn app(state: State) -> impl Service<Request, Response = ServiceResponse<BoxBody>, Error = Error> {
    let product = App::new()
        .wrap(from_fn(edge::admit))
        .wrap(edge::cors(&state.settings.edge))
        .wrap(from_fn(middleware::handle))
        .configure(|config| configure(config, state));
    let product = product.route("/boom/", web::get().to(boom)).route("/fault/", web::get().to(fault));
    test::init_service(product).await
}

async fn boom() -> &'static str {
    panic!("a secret of the handler")
}

async fn fault() -> Result<&'static str, crate::problem::ApiError> {
    Err(sea_orm::DbErr::Custom("a secret of the database".to_owned()).into())
}

/// The product without a database.
async fn bare() -> impl Service<Request, Response = ServiceResponse<BoxBody>, Error = Error> {
    app(state(DatabaseConnection::default())).await
}

/// What came back.
struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Insists on a problem of that status and code, and on what every problem has.
    #[track_caller]
    fn problem(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body["request_id"], self.header("x-request-id"));
        assert!(self.body["title"].as_str().is_some_and(|title| !title.is_empty()), "{}", self.text);
        assert!(self.body["type"].as_str().is_some_and(|kind| kind.ends_with(code)), "{}", self.text);
        self
    }

    /// The pointers of the bad fields, with their codes.
    fn bad_fields(&self) -> Vec<(&str, &str)> {
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors
            .iter()
            .filter_map(|field| Some((field["pointer"].as_str()?, field["code"].as_str()?)))
            .collect()
    }
}

async fn ask(app: &impl Service<Request, Response = ServiceResponse<BoxBody>, Error = Error>, request: TestRequest) -> Answer {
    let response = match app.call(request.to_request()).await {
        Ok(response) => response.into_parts().1,
        // As the connection does with what no middleware took.
        Err(error) => error.error_response(),
    };
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = to_bytes(response.into_body()).await.expect("a body");
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Answer {
        status,
        headers,
        body: serde_json::from_str(&text).unwrap_or(Value::Null),
        text,
    }
}

fn get(path: &str) -> TestRequest {
    TestRequest::get().uri(path)
}

/// A body that is called JSON, whatever it is.
fn post(path: &str, body: impl Into<web::Bytes>) -> TestRequest {
    TestRequest::post()
        .uri(path)
        .insert_header(("content-type", "application/json"))
        .set_payload(body.into())
}
