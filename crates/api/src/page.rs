//! Lists, a page of results at a time.

use crate::problem::ApiError;
use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody, http::header};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use kernel::error::Field;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::{IntoParams, ToSchema};

/// How much of a list, from where.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// How many at most; 50 when left out, 200 at most.
    #[param(minimum = 1, maximum = 200, example = 50)]
    pub limit: Option<u64>,
    /// `next_cursor` of the answer before.
    pub cursor: Option<String>,
}

impl Paging {
    /// The limit as it holds.
    ///
    /// # Errors
    /// Names the parameter.
    pub fn limit(&self) -> Result<u64, ApiError> {
        match self.limit.unwrap_or(50) {
            limit @ 1..=200 => Ok(limit),
            _ => Err(ApiError::invalid(vec![Field::new(
                "/limit",
                "out_of_range",
                "is a number from 1 to 200",
            )])),
        }
    }

    /// Where to go on.
    ///
    /// # Errors
    /// When the cursor is none of ours.
    pub fn after<T: DeserializeOwned>(&self) -> Result<Option<T>, ApiError> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
        let place = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        place
            .map(Some)
            .ok_or_else(|| ApiError::invalid(vec![Field::new("/cursor", "invalid", "is no cursor of this list")]))
    }
}

/// A place in a list, opaque to clients.
pub fn cursor(place: &impl Serialize) -> Option<String> {
    serde_json::to_vec(place).ok().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

/// A page of results.
#[derive(Serialize, ToSchema)]
pub struct Listing<T> {
    /// The results.
    pub data: Vec<T>,
    /// Where the next page of results begins; null at the end.
    pub next_cursor: Option<String>,
}

impl<T> Listing<T> {
    /// Cuts a whole list into the page of results that was asked for: for lists that are short by nature.
    ///
    /// # Errors
    /// When limit or cursor are wrong.
    pub fn cut(all: Vec<T>, paging: &Paging) -> Result<Self, ApiError> {
        let (limit, from) = (paging.limit()? as usize, paging.after::<usize>()?.unwrap_or(0));
        let has_more = all.len() > from.saturating_add(limit);
        let data = all.into_iter().skip(from).take(limit).collect();
        Ok(Self {
            data,
            next_cursor: has_more.then(|| cursor(&(from + limit))).flatten(),
        })
    }
}

impl<T: Serialize> Responder for Listing<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut answer = HttpResponse::Ok();
        if let Some(cursor) = &self.next_cursor {
            answer.insert_header((header::LINK, next_link(request, cursor)));
        }
        answer.insert_header((header::CACHE_CONTROL, "private, no-cache")).json(self)
    }
}

/// Where the next page of results is (RFC 8288): the same question with another cursor.
fn next_link(request: &HttpRequest, cursor: &str) -> String {
    let question = request
        .query_string()
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
    let question: String = question.map(|pair| format!("{pair}&")).collect();
    format!("<{}?{question}cursor={cursor}>; rel=\"next\"", request.path())
}
