//! The history of pages: versions, what differs, whose what is, what happened. Whoever may read a page may read what it
//! was; whoever holds a share link sees it as it is.

mod blame;
mod changes;
mod diff;
mod people;
mod versions;

use crate::{problem::ApiError, state::State};
use documents::{
    heads,
    history::moment::{Moment, Standing},
    past::Past,
    projection::Content,
};
use kernel::error::Field;
use std::sync::Arc;
use utoipa_actix_web::service_config::ServiceConfig;
use workspaces::access::{AccessError, DocumentAccess, ViewDocument};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    versions::routes(config);
    diff::routes(config);
    blame::routes(config);
    changes::routes(config);
}

/// What names a state of a page in a query or body.
fn moment(pointer: &str, text: &str) -> Result<Moment, ApiError> {
    text.parse()
        .map_err(|why: &str| ApiError::invalid(vec![Field::new(pointer, "invalid", why)]))
}

/// The page's past and the heads of a state in it; those of the present when none is named.
async fn state_of(
    state: &State,
    access: &DocumentAccess<ViewDocument>,
    (pointer, named): (&str, Option<&str>),
) -> Result<(Arc<Past>, Vec<heads::Hash>), ApiError> {
    let named = named.map(|named| moment(pointer, named)).transpose()?;
    let (_, past) = state.rooms.past(access).await?;
    let heads = match named {
        Some(named) => state.rooms.heads_at(access, &past, &named).await?,
        None => past.heads().to_vec(),
    };
    Ok((past, heads))
}

/// A page as it was, for a handler that reads pages. It is not for who holds a share link.
///
/// # Errors
/// What does not name a state; a state that the page never was in.
pub(crate) async fn read_at(state: &State, access: &DocumentAccess<ViewDocument>, at: &str) -> Result<(Standing, Content), ApiError> {
    if !access.who().is_person() {
        return Err(AccessError::Forbidden.into());
    }
    let at = moment("/at", at)?;
    Ok(state.rooms.read_at(access, &at).await?)
}
