//! How much somebody may send: counted for the caller, and for the address they come from.

use super::{class::Class, source};
use crate::{
    extract::bearer,
    problem::{ApiError, whole_seconds},
    state::State,
};
use actix_web::{
    dev::ServiceRequest,
    http::header::{HeaderMap, HeaderName, HeaderValue},
};
use backends::limits::{Counted as Key, Decision, Rule};

/// Where somebody stands (draft-ietf-httpapi-ratelimit-headers).
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// What the limits are.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// The limit of an address altogether.
const ADDRESS: &str = "address";

/// What was counted for a request; nothing for one that is not limited.
pub(super) struct Counted {
    rules: Vec<Rule>,
    decisions: Vec<Decision>,
}

/// Counts a request.
pub(super) async fn count(request: &ServiceRequest, state: &State) -> Counted {
    let keys = keys(request, state);
    let decisions = if keys.is_empty() {
        Vec::new()
    } else {
        state.limits.check_all(&keys).await
    };
    let mut rules: Vec<Rule> = keys.into_iter().map(|key| key.rule).collect();
    // An address and a caller may be counted under one rule; it is told once.
    rules.dedup();
    Counted { rules, decisions }
}

/// The path as the router reads it: what is written as `%61uth` is `auth` there too.
fn plain(path: &str) -> String {
    percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned()
}

fn keys(request: &ServiceRequest, state: &State) -> Vec<Key> {
    let rates = &state.settings.edge.rates;
    let Some(class) = Class::of(request.method(), &plain(request.path())).filter(|_| rates.is_on) else {
        return Vec::new();
    };
    let source = source(request.request());
    let rule = Rule::per_minute(class.name(), rates.of(class));
    let of = |rule, key: &str| Key { rule, key: key.to_owned() };
    // A token that is not ours counts for nobody: whoever makes one up is still at their address.
    let caller = bearer(request.request()).and_then(|token| state.accounts.counted_for(token));
    let strict = (class == Class::Auth).then(|| of(rule, &source));
    let own = caller.map(|caller| of(rule, &caller));
    let together = of(Rule::per_minute(ADDRESS, rates.address), &source);
    // The address first: what it refuses leaves no key behind for each token that somebody makes up.
    [Some(together), strict, own].into_iter().flatten().collect()
}

impl Counted {
    /// Why the request is not let in, if it is not.
    pub fn refusal(&self) -> Option<ApiError> {
        self.decisions
            .iter()
            .find_map(|decision| decision.retry_after)
            .map(ApiError::rate_limited)
    }

    /// Says in an answer what the limits are and where the caller stands with them.
    pub fn tell(&self, headers: &mut HeaderMap) {
        if self.rules.is_empty() {
            return;
        }
        let policy = self
            .rules
            .iter()
            .map(|rule| format!("\"{}\";q={};w={}", rule.name, rule.count, rule.window.as_secs()));
        put(headers, POLICY, policy);
        let stand = tightest(&self.decisions)
            .into_iter()
            .map(|one| format!("\"{}\";r={};t={}", one.rule.name, one.remaining, whole_seconds(one.reset)));
        put(headers, RATE_LIMIT, stand);
    }
}

/// One for each rule: the one with the least left.
fn tightest(decisions: &[Decision]) -> Vec<Decision> {
    let mut each: Vec<Decision> = Vec::new();
    for one in decisions {
        match each.iter_mut().find(|other| other.rule == one.rule) {
            Some(other) if other.remaining > one.remaining => *other = *one,
            Some(_) => {}
            None => each.push(*one),
        }
    }
    each
}

fn put(headers: &mut HeaderMap, name: HeaderName, items: impl Iterator<Item = String>) {
    if let Ok(value) = HeaderValue::from_str(&items.collect::<Vec<_>>().join(", ")) {
        headers.insert(name, value);
    }
}
