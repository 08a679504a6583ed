//! Addresses of files for who can send no headers, such as an image in a page. A token in them says who asked, by what they
//! came with, for which file, and until when; it is signed. When it is used the door is asked again, as for any request: a
//! right, a login, a key or a link that is gone since opens nothing. See decision 18.

use super::of_file::{OfSharedFile, open, state};
use crate::{extract, problem::ApiError, state::State, who};
use ::users::{Bearer, Through};
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev::Payload, get, web::Data};
use chrono::DateTime;
use futures::future::LocalBoxFuture;
use kernel::{
    clock::{self, Time},
    id::*,
    role::Level,
    secret::Mint,
};
use serde::Serialize;
use std::{str::FromStr, time::Duration};
use utoipa::ToSchema;
use workspaces::access::{self, DocumentAccess, ViewDocument, Who};

/// How long an address is good.
const TTL: Duration = Duration::from_secs(5 * 60);
/// What the signature is for.
const PURPOSE: &str = "attachment_url";
/// No token of ours is longer.
const MAX_LEN: usize = 512;

/// An address for a while.
#[derive(Serialize, ToSchema)]
struct SignedUrl {
    /// The path, to be put behind the product's address. `&thumbnail=256` may be added.
    #[schema(example = "/api/v1/attachments/0192d3a4-7b1c-7c3e-9f00-5b2a6c1d8e4f/content/?token=1795826400.s…")]
    url: String,
    /// After this it opens nothing.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Time,
}

/// Get an address of a file for a place that can send no headers, such as an image in a page.
///
/// It is good for five minutes, for as long as you may see the file and what you came with is good.
#[utoipa::path(tag = "attachments", operation_id = "attachments.url", params(("attachment_id" = uuid::Uuid, Path)), responses((status = 200, description = "Good for five minutes", body = SignedUrl)))]
#[get("/attachments/{attachment_id}/url/")]
pub(super) async fn sign(
    state: Data<State>,
    OfSharedFile(access, id): OfSharedFile<ViewDocument>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let row = ::attachments::attachment::find(&state.db, &access, id).await?;
    let (bearer, expires_at) = (extract::bearer_of(&request).await?, clock::now() + TTL);
    let token = issue(&state.mint, row.id, &bearer, expires_at);
    let url = format!("{}content/?token={token}", super::place(row.id));
    Ok(HttpResponse::Ok().json(SignedUrl { url, expires_at }))
}

/// What somebody came with, in a form that can be read again.
fn described(bearer: &Bearer) -> String {
    match bearer {
        Bearer::Link(holder) => format!("l.{}.{}.{}", holder.link, holder.generation, holder.visitor),
        Bearer::Person(caller) => match &caller.through {
            Through::Session(session) => format!("s.{}.{session}", caller.user),
            Through::Key(key) => {
                let only = key.workspace.map(|id| id.to_string()).unwrap_or_default();
                format!("k.{}.{}.{}.{only}", caller.user, key.id, key.stamp)
            }
        },
    }
}

fn read_again(described: &[&str]) -> Option<Who> {
    fn parsed<T: FromStr>(text: &str) -> Option<T> {
        text.parse().ok()
    }
    match described {
        ["s", user, session] => Some(Who::with_session(parsed(user)?, parsed(session)?)),
        ["k", user, key, stamp, only] => {
            let only = if only.is_empty() { None } else { Some(parsed(only)?) };
            Some(Who::with_key(parsed(user)?, (parsed(key)?, parsed(stamp)?), only, Level::View))
        }
        ["l", link, generation, visitor] => Some(Who::with_link(parsed(link)?, parsed(generation)?, parsed(visitor)?)),
        _ => None,
    }
}

fn issue(mint: &Mint, id: AttachmentId, bearer: &Bearer, expires_at: Time) -> String {
    let said = format!("{}.{}", expires_at.timestamp(), described(bearer));
    let signature = mint.sign(PURPOSE, &format!("{id}.{said}"));
    format!("{said}.{signature}")
}

/// Who a token was made for; none when it is not ours, for another file, or its time is over.
fn verify(mint: &Mint, id: AttachmentId, token: &str) -> Option<Who> {
    if token.len() > MAX_LEN {
        return None;
    }
    let (said, signature) = token.rsplit_once('.')?;
    if !mint.has_signed(PURPOSE, &format!("{id}.{said}"), signature) {
        return None;
    }
    let (until, described) = said.split_once('.')?;
    let until = DateTime::from_timestamp(until.parse().ok()?, 0)?;
    let parts: Vec<&str> = described.split('.').collect();
    read_again(&parts).filter(|_| until > clock::now())
}

fn token(request: &HttpRequest) -> Option<String> {
    let mut pairs = form_urlencoded::parse(request.query_string().as_bytes());
    pairs.find(|(name, _)| name == "token").map(|(_, token)| token.into_owned())
}

/// Proof that whoever asks may see a file's page: by their token of the product, or by the one in the address.
pub(super) struct Seen(pub DocumentAccess<ViewDocument>, pub AttachmentId);

impl FromRequest for Seen {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (request, deciding) = (request.clone(), extract::undecided(request));
        Box::pin(async move {
            let _deciding = deciding;
            let who = who_of(&request).await?;
            let (access, id) = open(&request, who).await?;
            Ok(Self(access, id))
        })
    }
}

async fn who_of(request: &HttpRequest) -> Result<Who, ApiError> {
    if extract::bearer(request).is_some() {
        return Ok(who::of_bearer(&extract::bearer_of(request).await?));
    }
    let (state, id) = (
        state(request)?,
        extract::id(request, "attachment_id").map_err(|_| ApiError::unauthenticated())?,
    );
    let who = token(request).and_then(|token| verify(&state.mint, id, &token));
    let who = who.ok_or_else(ApiError::unauthenticated)?;
    if access::still(&state.db, who).await? {
        Ok(who)
    } else {
        Err(ApiError::unauthenticated())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::users::{Caller, Holder};

    #[test]
    fn a_token_says_who_asked_and_is_good_for_one_file_and_for_a_while() {
        let (mint, other, id, later) = (Mint::new([[1; 32]]), Mint::new([[2; 32]]), AttachmentId::new(), clock::now() + TTL);
        let (user, session) = (UserId::new(), SessionId::new());
        let person = Bearer::Person(Caller {
            user,
            through: Through::Session(session),
            expires_at: later,
        });
        let holder = Holder {
            link: ShareLinkId::new(),
            generation: 3,
            visitor: UserId::new(),
            expires_at: later,
        };
        for (bearer, who) in [
            (person, Who::with_session(user, session)),
            (Bearer::Link(holder), Who::with_link(holder.link, 3, holder.visitor)),
        ] {
            let token = issue(&mint, id, &bearer, later);
            assert_eq!(verify(&mint, id, &token), Some(who));
            assert_eq!(
                verify(&Mint::new([[3; 32], [1; 32]]), id, &token),
                Some(who),
                "an older key still verifies"
            );
            assert_eq!(verify(&other, id, &token), None);
            assert_eq!(verify(&mint, AttachmentId::new(), &token), None);
            assert_eq!(verify(&mint, id, &issue(&mint, id, &bearer, clock::now())), None);
            for broken in [
                token.replacen('.', "0.", 1),
                token.replace(".s.", ".l."),
                token[..token.len() - 1].to_owned(),
                String::new(),
            ] {
                assert!(broken == token || verify(&mint, id, &broken).is_none(), "{broken}");
            }
        }
    }
}
