//! What the tests speak with: a running product, people who call it, sockets, and the real binary.

pub mod app;
pub mod binary;
pub mod http;
pub mod letters;
pub mod socket;
pub mod sse;
pub mod stock;
pub mod worker;

pub use app::TestApp;
pub use binary::{Binary, program};

pub use http::{Answer, User};
pub use letters::Letters;
pub use socket::Socket;
pub use sse::Sse;
pub use stock::Stock;
pub use worker::Worker;
