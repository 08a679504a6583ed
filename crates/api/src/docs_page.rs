//! The documentation page at `/docs/`: Swagger UI, with all its files inside the binary.

use crate::problem::ApiError;
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web,
};
use std::sync::Arc;
use utoipa_swagger_ui::Config;

/// Scripts and styles of the page itself, nothing from elsewhere; Swagger UI styles elements in place.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.route("/", web::get().to(to_docs)).route("/docs", web::get().to(to_docs)).route("/docs/{file:.*}", web::get().to(file));
}

async fn to_docs() -> HttpResponse {
    HttpResponse::TemporaryRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}

async fn file(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let name = request.match_info().query("file");
    let config = Arc::new(Config::from("/api/v1/openapi.json").persist_authorization(true).try_it_out_enabled(true));
    match utoipa_swagger_ui::serve(name, config) {
        Ok(Some(file)) => {
            let mut answer = HttpResponse::Ok();
            if file.gzpipped {
                answer.insert_header((header::CONTENT_ENCODING, "gzip"));
            }
            answer.insert_header((header::CONTENT_SECURITY_POLICY, POLICY));
            Ok(answer.content_type(file.content_type).body(file.bytes.into_owned()))
        }
        Ok(None) => Err(ApiError::not_found()),
        Err(error) => {
            tracing::error!(%error, "the docs page failed");
            Err(ApiError::of_status(StatusCode::INTERNAL_SERVER_ERROR))
        }
    }
}
