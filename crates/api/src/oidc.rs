//! Logins with other providers. Browsers are sent there and come back with a cookie; other clients ask for JSON and hold
//! what the cookie would.

use crate::{
    auth::{client, entered},
    extract::Query,
    json::Json,
    problem::{ApiError, Problem},
    state::State,
};
use ::users::{
    Accounts,
    oidc::{self, Returned},
};
use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header::{self, HeaderMap},
    post,
    web::{Data, Path},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

/// How long a browser keeps what binds a login to it.
const COOKIE_SECS: u64 = 600;

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(start).service(callback).service(finish);
}

/// Somebody else who knows who people are.
#[derive(Serialize, ToSchema)]
struct Provider {
    /// What it is called in addresses.
    #[schema(example = "acme")]
    id: String,
    /// What people know it by.
    #[schema(example = "Acme")]
    name: String,
    /// Where a browser goes to sign in with it.
    #[schema(example = "/api/v1/auth/oidc/acme/start/")]
    start_url: String,
}

/// The providers one can sign in with.
#[derive(Serialize, ToSchema)]
struct Providers {
    /// All of them.
    data: Vec<Provider>,
}

/// A login that has begun.
#[derive(Serialize, ToSchema)]
struct Started {
    /// Where the person signs in.
    #[schema(example = "https://acme.example/authorize?client_id=…")]
    url: String,
    /// For the callback, from the client that began; a browser has it as a cookie instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "5f0c…64 hexadecimal digits…a1")]
    binding: Option<String>,
}

/// What the provider sends a browser back with.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Callback {
    /// Which login.
    state: Option<String>,
    /// What is turned in for tokens.
    code: Option<String>,
    /// Who says so.
    iss: Option<String>,
    /// Why there is no code.
    error: Option<String>,
}

/// What the provider sent the person back with, from a client that is no browser.
#[derive(Deserialize, ToSchema, Validate)]
struct Finish {
    /// Which login.
    #[validate(length(min = 1, max = 512))]
    #[schema(example = "5f0c…64 hexadecimal digits…a1")]
    state: String,
    /// What is turned in for tokens.
    #[validate(length(min = 1, max = 4096))]
    #[schema(example = "SplxlOBeZQQYbYS6WxSbIA")]
    code: String,
    /// Who says so, if the provider said it.
    #[schema(example = "https://acme.example")]
    iss: Option<String>,
    /// What `start/` gave to the client.
    #[validate(length(min = 1, max = 512))]
    #[schema(example = "5f0c…64 hexadecimal digits…a1")]
    binding: String,
}

/// With the prefix, a browser takes the cookie from this very host and over TLS alone.
fn cookie_name(accounts: &Accounts) -> &'static str {
    if oidc::is_secure(accounts) {
        "__Host-sheaf_oidc"
    } else {
        "sheaf_oidc"
    }
}

fn cookie(accounts: &Accounts, value: &str, secs: u64) -> (header::HeaderName, String) {
    let secure = if oidc::is_secure(accounts) { "; Secure" } else { "" };
    let name = cookie_name(accounts);
    // Lax: it has to come along when the provider sends the browser back.
    let text = format!("{name}={value}; Path=/; Max-Age={secs}; HttpOnly; SameSite=Lax{secure}");
    (header::SET_COOKIE, text)
}

/// The binding that a browser has.
fn held(headers: &HeaderMap, name: &str) -> Option<String> {
    let pairs = headers.get_all(header::COOKIE).filter_map(|value| value.to_str().ok());
    let mut pairs = pairs
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
}

fn wants_json(request: &HttpRequest) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("application/json"))
}

/// List the other providers one can sign in with.
#[utoipa::path(tag = "auth", operation_id = "auth.oidc_providers", responses((status = 200, description = "All of them; none when none is configured", body = Providers)))]
#[get("/auth/oidc/providers/")]
async fn list(state: Data<State>) -> HttpResponse {
    let provider = |(id, name): (&str, &str)| Provider {
        id: id.to_owned(),
        name: name.to_owned(),
        start_url: format!("/api/v1/auth/oidc/{id}/start/"),
    };
    let data = oidc::providers(&state.accounts).into_iter().map(provider).collect();
    HttpResponse::Ok().json(Providers { data })
}

/// Begin to sign in with another provider.
///
/// A browser is sent there, with a cookie that binds the login to it. Who accepts `application/json` gets the address, and
/// a `binding` to come back with, instead. It has to end within ten minutes.
#[utoipa::path(tag = "auth", operation_id = "auth.oidc_start", params(("provider" = String, Path, description = "Its id", example = "acme")), responses((status = 200, description = "Begun, for who accepts JSON", body = Started), (status = 302, description = "To the provider", body = Started, headers(("Location" = String, description = "Where the person signs in"))), (status = 404, description = "There is no such provider", body = Problem, content_type = "application/problem+json")))]
#[get("/auth/oidc/{provider}/start/")]
async fn start(state: Data<State>, provider: Path<String>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let begun = oidc::start(&state.accounts, &provider).await?;
    if wants_json(&request) {
        let binding = Some(begun.binding);
        return Ok(HttpResponse::Ok().json(Started { url: begun.url, binding }));
    }
    Ok(HttpResponse::Found()
        .insert_header(cookie(&state.accounts, &begun.binding, COOKIE_SECS))
        .insert_header((header::LOCATION, begun.url.as_str()))
        .json(Started {
            url: begun.url.clone(),
            binding: None,
        }))
}

/// Come back from another provider, as a browser.
#[utoipa::path(tag = "auth", operation_id = "auth.oidc_callback", params(("provider" = String, Path, description = "Its id", example = "acme"), Callback), responses((status = 200, description = "Signed in, or to the second factor", body = crate::auth::SignIn), (status = 403, description = "The provider has not verified the e-mail address", body = Problem, content_type = "application/problem+json"), (status = 404, description = "There is no such provider", body = Problem, content_type = "application/problem+json"), (status = 409, description = "There is an account with the address, and nobody has verified it", body = Problem, content_type = "application/problem+json")))]
#[get("/auth/oidc/{provider}/callback/")]
async fn callback(
    state: Data<State>,
    provider: Path<String>,
    query: Query<Callback>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let binding = held(request.headers(), cookie_name(&state.accounts)).unwrap_or_default();
    let returned = Returned {
        state: query.0.state.unwrap_or_default(),
        code: query.0.code,
        issuer: query.0.iss,
        error: query.0.error,
    };
    let got = oidc::finish(&state.accounts, &provider, returned, &binding, client(&request)).await?;
    // A GET that wrote something: the relay does not expect it.
    state.signals.appended();
    let mut answer = HttpResponse::Ok();
    answer.insert_header(cookie(&state.accounts, "", 0));
    Ok(entered(answer, got))
}

/// Come back from another provider, as a client that is no browser.
#[utoipa::path(tag = "auth", operation_id = "auth.oidc_finish", params(("provider" = String, Path, description = "Its id", example = "acme")), request_body = Finish, responses((status = 200, description = "Signed in, or to the second factor", body = crate::auth::SignIn), (status = 403, description = "The provider has not verified the e-mail address", body = Problem, content_type = "application/problem+json"), (status = 404, description = "There is no such provider", body = Problem, content_type = "application/problem+json"), (status = 409, description = "There is an account with the address, and nobody has verified it", body = Problem, content_type = "application/problem+json")))]
#[post("/auth/oidc/{provider}/callback/")]
async fn finish(state: Data<State>, provider: Path<String>, request: HttpRequest, body: Json<Finish>) -> Result<HttpResponse, ApiError> {
    let Finish {
        state: flow,
        code,
        iss,
        binding,
    } = body.0;
    let returned = Returned {
        state: flow,
        code: Some(code),
        issuer: iss,
        error: None,
    };
    let got = oidc::finish(&state.accounts, &provider, returned, &binding, client(&request)).await?;
    Ok(entered(HttpResponse::Ok(), got))
}
