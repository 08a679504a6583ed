//! What hangs on a page and has an id of its own in paths: the door is asked about its page.

use crate::{
    extract::{self, Named},
    problem::ApiError,
    state::State,
    who,
};
use actix_web::{FromRequest, HttpRequest, dev::Payload, http::StatusCode, web::Data};
use futures::future::LocalBoxFuture;
use kernel::id::*;
use sea_orm::DatabaseConnection;
use std::str::FromStr;
use workspaces::{
    Error,
    access::{DocumentAccess, Grants},
    access_request, share_link,
};

/// An id of something that hangs on a page.
pub(super) trait OfDocument: Named + FromStr + Copy + 'static {
    /// The page.
    fn document(self, db: &DatabaseConnection) -> impl Future<Output = Result<DocumentId, Error>>;
}

impl OfDocument for ShareLinkId {
    async fn document(self, db: &DatabaseConnection) -> Result<DocumentId, Error> {
        share_link::document_of(db, self).await
    }
}

impl OfDocument for AccessRequestId {
    async fn document(self, db: &DatabaseConnection) -> Result<DocumentId, Error> {
        access_request::document_of(db, self).await
    }
}

/// Proof that the caller may do `P` with the page of what the path names, and its id.
pub(super) struct CanOf<T, P>(pub DocumentAccess<P>, pub T);

impl<T: OfDocument, P: Grants + 'static> FromRequest for CanOf<T, P> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (request, deciding) = (request.clone(), extract::undecided(request));
        Box::pin(async move {
            let _deciding = deciding;
            let caller = extract::caller(&request).await?;
            let state = request
                .app_data::<Data<State>>()
                .ok_or_else(|| ApiError::of_status(StatusCode::INTERNAL_SERVER_ERROR))?;
            let id: T = extract::id(&request, T::NAME)?;
            let document = id.document(&state.db).await?;
            Ok(Self(state.door().open(who::of_caller(&caller), document).await?, id))
        })
    }
}
