//! The documentation page at `/docs/`: Swagger UI, with all its files inside the binary.

use crate::problem::ApiError;
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web,
};
use std::sync::Arc;
use utoipa_swagger_ui::{Config, SwaggerFile};

/// Scripts and styles of the page itself, nothing from elsewhere; Swagger UI styles elements in place.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

/// What the page's addresses are relative to when it is asked for without the slash at its end.
const BASE: &str = "<base href=\"/docs/\">";

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/", web::get().to(to_docs))
        .route("/docs", web::get().to(page))
        .route("/docs/{file:.*}", web::get().to(file));
}

/// A newcomer who opens the server in a browser lands on the page.
async fn to_docs() -> HttpResponse {
    HttpResponse::TemporaryRedirect()
        .insert_header((header::LOCATION, "/docs/"))
        .finish()
}

async fn page() -> Result<HttpResponse, ApiError> {
    let index = load("index.html")?;
    let html = String::from_utf8_lossy(&index.bytes).replacen("<head>", &format!("<head>{BASE}"), 1);
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .content_type(index.content_type)
        .body(html))
}

async fn file(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let file = load(request.match_info().query("file"))?;
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CONTENT_SECURITY_POLICY, POLICY));
    if file.gzpipped {
        answer.insert_header((header::CONTENT_ENCODING, "gzip"));
    }
    Ok(answer.content_type(file.content_type).body(file.bytes.into_owned()))
}

/// One of the files of Swagger UI. Nothing of it asks the outside, so its online validator is off.
fn load(name: &str) -> Result<SwaggerFile<'static>, ApiError> {
    let config = Config::from(crate::openapi::PATH)
        .persist_authorization(true)
        .try_it_out_enabled(true)
        .validator_url("none");
    match utoipa_swagger_ui::serve(name, Arc::new(config)) {
        Ok(Some(file)) => Ok(file),
        Ok(None) => Err(ApiError::not_found()),
        Err(error) => {
            tracing::error!(%error, "the docs page failed");
            Err(ApiError::of_status(StatusCode::INTERNAL_SERVER_ERROR))
        }
    }
}
