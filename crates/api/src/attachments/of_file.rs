//! The door for files: it is asked about the page that a file belongs to, at every request.

use crate::{
    extract::{self, Named},
    problem::ApiError,
    state::State,
    who,
};
use ::attachments::attachment;
use actix_web::{FromRequest, HttpRequest, dev::Payload, http::StatusCode, web::Data};
use futures::future::LocalBoxFuture;
use kernel::id::AttachmentId;
use workspaces::access::{DocumentAccess, Grants, Who};

impl Named for AttachmentId {
    const NAME: &'static str = "attachment_id";
}

/// The state of a request.
pub(super) fn state(request: &HttpRequest) -> Result<&Data<State>, ApiError> {
    request
        .app_data::<Data<State>>()
        .ok_or_else(|| ApiError::of_status(StatusCode::INTERNAL_SERVER_ERROR))
}

/// Asks the door about the page of the file that the path names.
pub(super) async fn open<P: Grants>(request: &HttpRequest, who: Who) -> Result<(DocumentAccess<P>, AttachmentId), ApiError> {
    let (state, id) = (state(request)?, extract::id(request, AttachmentId::NAME)?);
    let document = attachment::document_of(&state.db, id).await?;
    Ok((state.door().open(who, document).await?, id))
}

/// Proof that the caller may do `P` with the page of a file, and the file's id.
pub(super) struct OfFile<P>(pub DocumentAccess<P>, pub AttachmentId);

impl<P: Grants + 'static> FromRequest for OfFile<P> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (request, deciding) = (request.clone(), extract::undecided(request));
        Box::pin(async move {
            let _deciding = deciding;
            let caller = extract::caller(&request).await?;
            let (access, id) = open(&request, who::of_caller(&caller)).await?;
            Ok(Self(access, id))
        })
    }
}

/// The same for whoever holds a share link too.
pub(super) struct OfSharedFile<P>(pub DocumentAccess<P>, pub AttachmentId);

impl<P: Grants + 'static> FromRequest for OfSharedFile<P> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (request, deciding) = (request.clone(), extract::undecided(request));
        Box::pin(async move {
            let _deciding = deciding;
            let bearer = extract::bearer_of(&request).await?;
            let (access, id) = open(&request, who::of_bearer(&bearer)).await?;
            Ok(Self(access, id))
        })
    }
}
