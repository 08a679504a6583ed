//! Pages over REST. Content goes through the page's room, so that it merges with live typing.

mod archive_routes;
mod batch_routes;
mod block_routes;
mod block_types;
mod copy_routes;
mod lock_routes;
mod markdown_routes;
mod move_routes;
mod presence;
pub(crate) mod references;
pub(crate) mod routes;
mod shape;
mod shelf_routes;
mod sync;
mod template;
mod trash_routes;
pub(crate) mod tree_routes;

pub(crate) use routes::routes;
pub(crate) use shape::{Standing, base_heads};
