//! Pages over REST. Content goes through the page's room, so that it merges with live typing.

mod block_routes;
mod lock_routes;
mod presence;
mod routes;
mod shape;
mod sync;

pub(crate) use routes::routes;
