//! What tests stand on: private PostgreSQL and Redis servers that can be killed, a mail server that keeps what it is given,
//! a store that speaks S3, a fresh database for one test, and a reader of PDFs.
//!
//! A test that needs something that is not there panics with a sentence that says what to install; it is never skipped
//! quietly. `./test` starts the shared servers and names them in the environment. Dev-dependency only.

mod database;
pub mod env;
mod form;
mod mail;
mod net;
mod pdf;
mod postgres;
mod process;
mod redis;
mod s3;
mod script;

pub use database::TestDb;
pub use form::Form;
pub use mail::{MailCatcher, node};
pub use net::free_port;
pub use pdf::read_pdf;
pub use postgres::Postgres;
pub use redis::Redis;
pub use s3::S3;
pub use script::Script;
