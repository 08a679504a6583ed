//! The page behind the links in letters, at `/open/`: it reads what stands behind the `#` of its address, which a browser
//! sends to nobody, and calls the API with it.

use actix_web::{
    HttpResponse,
    http::header::{self, HeaderValue},
    web,
};

/// Its own script and style, calls to this server, and nothing else: no markup is ever made from text.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'; require-trusted-types-for 'script'",
);

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/open/", web::get().to(page))
        .route("/open/open.css/", web::get().to(style))
        .route("/open/open.js/", web::get().to(script));
}

fn file(media_type: &'static str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .content_type(media_type)
        .body(text)
}

async fn page() -> HttpResponse {
    file("text/html; charset=utf-8", include_str!("open_page/index.html"))
}

async fn style() -> HttpResponse {
    file("text/css; charset=utf-8", include_str!("open_page/open.css"))
}

async fn script() -> HttpResponse {
    file("text/javascript; charset=utf-8", include_str!("open_page/open.js"))
}
