//! The edge: whom a request comes from, whether it is let in, and how much of it.
//!
//! Everything here is decided before a handler runs and without the database, so that what is refused costs little.

mod class;
mod cors;
mod host;
mod rate;
mod settings;
mod source;

pub use cors::cors;
pub use settings::{Edge, Rates};
pub use source::{network, networks, source};

use crate::state::State;
use actix_web::{
    Error,
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web::Data,
};

/// Lets a request in, or answers it: a host that is not ours, and more than somebody may send.
///
/// # Errors
/// What the services inside have no answer for.
pub async fn admit(request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(state) = request.app_data::<Data<State>>().cloned() else {
        return next.call(request).await;
    };
    if let Err(refused) = host::check(&request, &state.settings.edge) {
        return Ok(request.error_response(refused));
    }
    let counted = rate::count(&request, &state).await;
    let mut response = match counted.refusal() {
        Some(refused) => request.error_response(refused),
        None => next.call(request).await?,
    };
    counted.tell(response.headers_mut());
    Ok(response)
}
