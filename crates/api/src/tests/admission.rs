//! Who is let in: rates, hosts, origins, and the headers that say so.

use super::{Answer, app, ask, get, post, state};
use crate::{
    State,
    edge::{Edge, Rates, networks},
};
use actix_web::{http::Method, test::TestRequest};
use sea_orm::DatabaseConnection;
use std::sync::Arc;

/// The product without a database, with this edge.
fn with(edge: Edge) -> State {
    let mut state = state(DatabaseConnection::default());
    Arc::make_mut(&mut state.settings).edge = edge;
    state
}

fn rates(rates: Rates) -> Edge {
    Edge {
        rates,
        trusted_proxies: networks("127.0.0.0/8").expect("a network"),
        ..Edge::default()
    }
}

/// Few enough to be reached.
const FEW: Rates = Rates {
    is_on: true,
    auth: 2,
    reads: 3,
    writes: 3,
    address: 5,
};

/// The same request from somewhere, through a proxy of ours.
fn from(request: TestRequest, address: &str) -> TestRequest {
    let peer = "127.0.0.1:1".parse().expect("an address");
    request.peer_addr(peer).insert_header(("x-forwarded-for", address))
}

const LOGIN: &str = "/api/v1/auth/login/";
const ME: &str = "/api/v1/users/me/";

#[actix_web::test]
async fn too_much_is_refused_with_the_time_to_wait() {
    let app = app(with(rates(FEW))).await;
    for left in [1, 0] {
        let answer = ask(&app, from(post(LOGIN, "{}"), "192.0.2.1")).await.problem(422, "invalid");
        assert_eq!(answer.header("ratelimit-policy"), "\"address\";q=5;w=60, \"auth\";q=2;w=60");
        assert!(
            answer.header("ratelimit").contains(&format!("\"auth\";r={left};t=")),
            "{}",
            answer.header("ratelimit")
        );
    }
    let refused = ask(&app, from(post(LOGIN, "{}"), "192.0.2.1")).await.problem(429, "rate_limited");
    let wait: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..=30).contains(&wait), "{wait}");
    assert!(
        refused.header("ratelimit").contains("\"auth\";r=0;t="),
        "{}",
        refused.header("ratelimit")
    );
    assert_eq!(refused.header("x-content-type-options"), "nosniff");
    ask(&app, from(post(LOGIN, "{}"), "192.0.2.2")).await.problem(422, "invalid");
    ask(&app, from(get(ME), "192.0.2.1")).await.problem(401, "unauthenticated");
}

#[actix_web::test]
async fn an_address_is_counted_whatever_tokens_it_makes_up() {
    let app = app(with(rates(FEW))).await;
    let made_up = |n: u32| from(get(ME), "2001:db8::1").insert_header(("authorization", format!("Bearer made.up.{n}")));
    for n in 0..5 {
        ask(&app, made_up(n)).await.problem(401, "unauthenticated");
    }
    ask(&app, made_up(6)).await.problem(429, "rate_limited");
    let neighbour = from(get(ME), "2001:db8::9999");
    ask(&app, neighbour).await.problem(429, "rate_limited");
    ask(&app, from(get(ME), "2001:db8:0:1::1")).await.problem(401, "unauthenticated");
}

#[actix_web::test]
async fn a_caller_is_counted_wherever_they_call_from() {
    let state = with(rates(FEW));
    let (token, _) = state.accounts.link_token(kernel::id::ShareLinkId::new(), 1, None).expect("a token");
    let app = app(state).await;
    let call = |n: u32| from(get(ME), &format!("192.0.2.{n}")).insert_header(("authorization", format!("Bearer {token}")));
    for n in 0..3 {
        let answer = ask(&app, call(n)).await;
        assert_ne!(answer.status, 429, "{}", answer.text);
        assert_eq!(answer.header("ratelimit-policy"), "\"address\";q=5;w=60, \"reads\";q=3;w=60");
    }
    ask(&app, call(3)).await.problem(429, "rate_limited");
}

#[actix_web::test]
async fn a_client_cannot_choose_its_address() {
    let app = app(with(rates(FEW))).await;
    let claims = |n: u32| {
        let stranger = "203.0.113.1:1".parse().expect("an address");
        get(ME)
            .peer_addr(stranger)
            .insert_header(("x-forwarded-for", format!("192.0.2.{n}")))
    };
    for n in 0..5 {
        ask(&app, claims(n)).await.problem(401, "unauthenticated");
    }
    ask(&app, claims(5)).await.problem(429, "rate_limited");
}

#[actix_web::test]
async fn machines_and_newcomers_are_not_counted_and_limits_can_be_off() {
    let strict = app(with(rates(FEW))).await;
    for path in ["/health/", "/version", "/docs/", "/api/v1/openapi.json"] {
        for _ in 0..10 {
            let answer = ask(&strict, from(get(path), "192.0.2.1")).await;
            assert_eq!((answer.status, answer.header("ratelimit-policy")), (200, ""), "{path}");
        }
    }
    let off = app(with(rates(Rates { is_on: false, ..FEW }))).await;
    for _ in 0..10 {
        let answer = ask(&off, from(get(ME), "192.0.2.1")).await.problem(401, "unauthenticated");
        assert_eq!(answer.header("ratelimit"), "");
    }
}

#[actix_web::test]
async fn a_foreign_host_is_refused_and_health_is_not() {
    let app = app(with(Edge {
        allowed_hosts: vec!["sheaf.example.com".to_owned()],
        ..Edge::default()
    }))
    .await;
    let at = |path: &str, host: &str| get(path).insert_header(("host", host));
    for host in ["sheaf.example.com", "SHEAF.example.com:8000"] {
        ask(&app, at(ME, host)).await.problem(401, "unauthenticated");
    }
    for host in [
        "evil.example",
        "sheaf.example.com.evil.example",
        "evil.example:443",
        "",
        "sheaf.example.com@evil.example",
    ] {
        ask(&app, at(ME, host)).await.problem(421, "host_not_allowed");
        assert_eq!(ask(&app, at("/docs/", host)).await.status, 421, "{host:?}");
        assert_eq!(ask(&app, at("/health/", host)).await.status, 200, "{host:?}");
    }
    ask(&app, get(ME)).await.problem(421, "host_not_allowed");
}

const FRIEND: &str = "https://app.example.com";

fn friendly() -> Edge {
    Edge {
        cors_origins: vec![FRIEND.to_owned()],
        ..Edge::default()
    }
}

fn preflight(origin: &str) -> TestRequest {
    let asked = ("access-control-request-headers", "authorization, content-type, idempotency-key");
    let asks = TestRequest::default().method(Method::OPTIONS).uri(LOGIN);
    asks.insert_header(("origin", origin))
        .insert_header(("access-control-request-method", "POST"))
        .insert_header(asked)
}

fn lets_read(answer: &Answer) -> (&str, &str) {
    (
        answer.header("access-control-allow-origin"),
        answer.header("access-control-allow-credentials"),
    )
}

#[actix_web::test]
async fn pages_of_a_named_origin_may_call_and_read_also_what_is_refused() {
    let mut edge = friendly();
    edge.rates = Rates {
        address: 2,
        ..Rates::default()
    };
    let app = app(with(edge)).await;
    let asked = ask(&app, preflight(FRIEND)).await;
    assert_eq!((asked.status, lets_read(&asked)), (200, (FRIEND, "true")));
    assert!(asked.header("access-control-allow-headers").contains("idempotency-key"));
    assert_eq!(asked.header("x-content-type-options"), "nosniff");
    for expected in [401, 401, 429] {
        let answer = ask(&app, get(ME).insert_header(("origin", FRIEND))).await;
        assert_eq!((answer.status, lets_read(&answer)), (expected, (FRIEND, "true")));
        let seen = answer.header("access-control-expose-headers").to_owned();
        for header in ["etag", "link", "location", "ratelimit", "retry-after", "x-request-id"] {
            assert!(seen.contains(header), "{header} is not in {seen}");
        }
        assert!(answer.header("vary").to_lowercase().contains("origin"), "{}", answer.header("vary"));
    }
}

#[actix_web::test]
async fn pages_of_other_origins_may_not_read_anything() {
    for edge in [friendly(), Edge::default()] {
        let app = app(with(edge)).await;
        let prefixed = format!("{FRIEND}.evil.example");
        for origin in [
            "https://evil.example",
            "null",
            "http://app.example.com",
            prefixed.as_str(),
            "https://app.example.com:8443",
        ] {
            let asked = ask(&app, preflight(origin)).await;
            assert!(asked.status >= 400 && lets_read(&asked).0.is_empty(), "{origin}: {}", asked.status);
            let answer = ask(&app, get(ME).insert_header(("origin", origin)))
                .await
                .problem(401, "unauthenticated");
            assert_eq!(lets_read(&answer).0, "", "{origin}");
        }
    }
}

#[actix_web::test]
async fn where_every_origin_may_call_none_may_bring_cookies() {
    let app = app(with(Edge {
        cors_origins: vec!["*".to_owned()],
        ..Edge::default()
    }))
    .await;
    let answer = ask(&app, get(ME).insert_header(("origin", "https://evil.example"))).await;
    assert_eq!(lets_read(&answer), ("*", ""));
    assert_eq!(lets_read(&ask(&app, preflight("https://evil.example")).await), ("*", ""));
}

#[actix_web::test]
async fn browsers_are_told_to_stay_with_https_where_people_reach_the_product_by_it() {
    let secure = app(with(Edge {
        is_https: true,
        ..Edge::default()
    }))
    .await;
    for path in ["/health", ME, "/docs/", "/nothing", "/boom"] {
        assert_eq!(
            ask(&secure, get(path)).await.header("strict-transport-security"),
            "max-age=31536000",
            "{path}"
        );
    }
    let plain = app(with(Edge::default())).await;
    assert_eq!(ask(&plain, get(ME)).await.header("strict-transport-security"), "");
}

fn socket(origin: &str) -> TestRequest {
    get("/ws/")
        .insert_header(("host", "sheaf.example.com"))
        .insert_header(("origin", origin))
}

#[actix_web::test]
async fn a_socket_with_cookies_comes_from_a_page_of_ours_alone() {
    let mut edge = friendly();
    edge.own_origin = Some("https://public.example.com".to_owned());
    let app = app(with(edge)).await;
    let bearing = |origin: &str| socket(origin).insert_header(("cookie", "session=1"));
    for origin in [
        "https://evil.example",
        "null",
        "https://sheaf.example.com.evil.example",
        "https://evil.example/sheaf.example.com",
        "sheaf.example.com",
        "https://sheaf.example.com:8443",
        "",
    ] {
        ask(&app, bearing(origin)).await.problem(403, "origin_not_allowed");
    }
    // Further in, where a request that is no upgrade is refused as such.
    for origin in [
        "https://sheaf.example.com",
        "https://SHEAF.example.com:443",
        "https://public.example.com",
        FRIEND,
    ] {
        ask(&app, bearing(origin)).await.problem(400, "bad_handshake");
    }
    ask(&app, socket("https://evil.example")).await.problem(400, "bad_handshake");
}
