//! Extractors: who is calling, and the proof that they may.

use crate::{json::bad_field, problem::ApiError, state::State, who};
use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    http::{Method, StatusCode, header},
    web::Data,
};
use futures::future::LocalBoxFuture;
use kernel::id::*;
use serde::de::DeserializeOwned;
use std::{future::Ready, str::FromStr};
use tokio::sync::watch;
use users::{Bearer, Caller, api_key::Key, scope::Verb};
use workspaces::access::{Access, Allows, DocumentAccess, Grants, ViewDocument};

/// The bearer token of a request.
pub fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn state(request: &HttpRequest) -> Result<Data<State>, ApiError> {
    request
        .app_data::<Data<State>>()
        .cloned()
        .ok_or_else(|| ApiError::of_status(StatusCode::INTERNAL_SERVER_ERROR))
}

/// Somebody known: a person, by a login or an API key.
pub struct Known(pub Caller);

impl FromRequest for Known {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (request, deciding) = (request.clone(), undecided(request));
        Box::pin(async move {
            let _deciding = deciding;
            caller(&request).await.map(Self)
        })
    }
}

/// Who calls, whatever they come with.
pub(crate) async fn bearer_of(request: &HttpRequest) -> Result<Bearer, ApiError> {
    let Some(token) = bearer(request) else {
        return crate::tickets::bearer_of(request, &*state(request)?).await;
    };
    let known = state(request)?.accounts.authenticate(token).await?;
    if let Bearer::Person(caller) = &known
        && let Some(key) = caller.key()
    {
        check_scope(request, key)?;
    }
    Ok(known)
}

pub(crate) async fn caller(request: &HttpRequest) -> Result<Caller, ApiError> {
    match bearer_of(request).await? {
        Bearer::Person(caller) => Ok(caller),
        Bearer::Link(_) => Err(ApiError::unauthenticated()),
    }
}

/// What keys never open, whatever their scopes: what guards the account itself.
pub(crate) const NOT_FOR_KEYS: [&str; 2] = ["auth", "admin"];

/// Insists that a key's scopes cover what is asked: by the operation's resource, which is its tag, and by its method.
fn check_scope(request: &HttpRequest, key: &Key) -> Result<(), ApiError> {
    let verb = match *request.method() {
        Method::GET | Method::HEAD => Verb::Read,
        Method::DELETE => Verb::Delete,
        _ => Verb::Write,
    };
    let pattern = request.match_pattern().unwrap_or_default();
    let resource = crate::openapi::resource_of(&pattern, request.method());
    // A key of one workspace neither makes others nor changes the person.
    let is_beyond = key.workspace.is_some()
        && (pattern.contains("/invitations/") && !pattern.contains("/{workspace_id}/")
            || verb != Verb::Read && (resource == Some("users") || pattern.trim_end_matches('/').ends_with("/v1/workspaces")));
    match resource {
        Some(resource) if !is_beyond && !NOT_FOR_KEYS.contains(&resource) && key.may(resource, verb) => Ok(()),
        _ => Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "insufficient_scope",
            "the scopes of this API key do not cover this operation",
        )),
    }
}

/// Somebody who administers the whole instance. Nobody else is told that there is something.
pub struct Administrator(pub Caller);

impl FromRequest for Administrator {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (request, deciding) = (request.clone(), undecided(request));
        Box::pin(async move {
            let _deciding = deciding;
            let caller = caller(&request).await?;
            if users::account::is_admin(&state(&request)?.db, caller.user).await? {
                Ok(Self(caller))
            } else {
                Err(ApiError::not_found())
            }
        })
    }
}

/// An id in the path. One that is no id names nothing.
pub fn id<T: FromStr>(request: &HttpRequest, name: &str) -> Result<T, ApiError> {
    request
        .match_info()
        .get(name)
        .and_then(|text| text.parse().ok())
        .ok_or_else(ApiError::not_found)
}

/// Said while it is being decided whether the caller may: until the senders of these are gone.
#[derive(Clone, Default)]
struct Undecided(Vec<watch::Receiver<()>>);

/// Hold what this returns until it is decided whether the caller may.
pub(crate) fn undecided(request: &HttpRequest) -> watch::Sender<()> {
    let (deciding, undecided) = watch::channel(());
    let mut extensions = request.extensions_mut();
    let mut all = extensions.remove::<Undecided>().unwrap_or_default();
    all.0.push(undecided);
    extensions.insert(all);
    deciding
}

/// Waits until it is decided whether the caller may, as far as an extractor before this one decides it. The extractors of
/// a handler run side by side; without this a stranger would hear what is wrong with their body, not that there is
/// nothing for them.
pub(crate) async fn door(request: &HttpRequest) {
    let deciding = request.extensions().get::<Undecided>().cloned();
    for mut deciding in deciding.unwrap_or_default().0 {
        // Nothing is ever sent: the end is that the sender goes.
        drop(deciding.changed().await);
    }
}

/// Proof that the caller may do `P` in the workspace of the path.
pub struct Can<P>(pub Access<P>);

impl<P: Allows + 'static> FromRequest for Can<P> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (request, deciding) = (request.clone(), undecided(request));
        Box::pin(async move {
            let _deciding = deciding;
            let caller = caller(&request).await?;
            let workspace: WorkspaceId = id(&request, "workspace_id")?;
            Ok(Self(state(&request)?.door().enter(who::of_caller(&caller), workspace).await?))
        })
    }
}

/// Proof that the caller may do `P` with the page of the path.
pub struct CanDocument<P>(pub DocumentAccess<P>);

impl<P: Grants + 'static> FromRequest for CanDocument<P> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (request, deciding) = (request.clone(), undecided(request));
        Box::pin(async move {
            let _deciding = deciding;
            let caller = caller(&request).await?;
            let document: DocumentId = id(&request, "document_id")?;
            Ok(Self(state(&request)?.door().open(who::of_caller(&caller), document).await?))
        })
    }
}

/// Proof that the caller may do `P` with the page of the path, whether they are somebody or hold a share link.
pub struct CanShared<P>(pub DocumentAccess<P>);

impl<P: Grants + 'static> FromRequest for CanShared<P> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (request, deciding) = (request.clone(), undecided(request));
        Box::pin(async move {
            let _deciding = deciding;
            let bearer = bearer_of(&request).await?;
            let document: DocumentId = id(&request, "document_id")?;
            Ok(Self(state(&request)?.door().open(who::of_bearer(&bearer), document).await?))
        })
    }
}

/// Somebody who speaks to the page of the path in the socket's protocol: proof that they may see it, and who they are to
/// its room.
pub struct Speaks {
    /// Proof that they may see it.
    pub access: DocumentAccess<ViewDocument>,
    /// Who they are.
    pub bearer: collab::session::Bearer,
}

impl FromRequest for Speaks {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (request, deciding) = (request.clone(), undecided(request));
        Box::pin(async move {
            let _deciding = deciding;
            let bearer = bearer_of(&request).await?;
            let document: DocumentId = id(&request, "document_id")?;
            let who = who::on_socket(&bearer);
            Ok(Self {
                access: state(&request)?.door().open(who, document).await?,
                bearer: collab::session::Bearer {
                    who,
                    expires_ms: bearer.expires_at().timestamp_millis(),
                },
            })
        })
    }
}

/// Proof that the caller may do `P` with the trashed page of the path.
pub struct CanTrashed<P>(pub DocumentAccess<P>);

impl<P: Grants + 'static> FromRequest for CanTrashed<P> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (request, deciding) = (request.clone(), undecided(request));
        Box::pin(async move {
            let _deciding = deciding;
            let caller = caller(&request).await?;
            let document: DocumentId = id(&request, "document_id")?;
            Ok(Self(state(&request)?.door().open_trashed(who::of_caller(&caller), document).await?))
        })
    }
}

/// Proof that the caller may do `P` with the archived page of the path, if it were not archived.
pub struct CanArchived<P>(pub DocumentAccess<P>);

impl<P: Grants + 'static> FromRequest for CanArchived<P> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (request, deciding) = (request.clone(), undecided(request));
        Box::pin(async move {
            let _deciding = deciding;
            let caller = caller(&request).await?;
            let document: DocumentId = id(&request, "document_id")?;
            Ok(Self(
                state(&request)?.door().open_archived(who::of_caller(&caller), document).await?,
            ))
        })
    }
}

/// Another id in the path, such as a block's or a member's.
pub struct At<T>(pub T);

impl<T: FromStr + Named + 'static> FromRequest for At<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(id(request, T::NAME).map(At))
    }
}

/// The name that an id has in paths.
pub trait Named {
    /// As in `{user_id}`.
    const NAME: &'static str;
}

impl Named for UserId {
    const NAME: &'static str = "user_id";
}

/// A block's id in a path.
#[derive(Clone, Debug)]
pub struct BlockId(pub String);

impl FromStr for BlockId {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        if (1..=256).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(())
        }
    }
}

impl Named for BlockId {
    const NAME: &'static str = "block_id";
}

/// The query of a request.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Query<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(parse_query(request.query_string()).map(Self))
    }
}

fn parse_query<T: DeserializeOwned>(query: &str) -> Result<T, ApiError> {
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(pairs).map_err(|error| ApiError::invalid(vec![bad_field(error.path(), &error.inner().to_string())]))
}
