//! What the tests speak with: a running product, people who call it, sockets, and the real binary.

pub mod app;
pub mod http;
pub mod socket;

pub use app::TestApp;
pub use http::{Answer, User};
pub use socket::Socket;
