//! The extractor of dangerous acts: somebody who has just proven who they are.

use crate::{
    extract::{Known, door},
    problem::ApiError,
    state::State,
};
use actix_web::{FromRequest, HttpRequest, dev::Payload, http::StatusCode, web::Data};
use futures::future::LocalBoxFuture;
use users::Caller;

/// Somebody whose login is fresh. Stands behind the extractor that proves that they may, so that a stranger hears of that
/// first.
pub struct Fresh(pub Caller);

impl FromRequest for Fresh {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, known) = (request.clone(), Known::from_request(request, payload));
        Box::pin(async move {
            let Known(caller) = known.await?;
            door(&request).await;
            let state = request
                .app_data::<Data<State>>()
                .ok_or_else(|| ApiError::of_status(StatusCode::INTERNAL_SERVER_ERROR))?;
            users::fresh::check(&state.accounts, &caller).await?;
            Ok(Self(caller))
        })
    }
}
