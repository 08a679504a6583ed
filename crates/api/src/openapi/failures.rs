//! The problems that operations answer with, described once for all of them.

use crate::problem::{ApiError, Asked, MEDIA_TYPE};
use actix_web::http::StatusCode;
use kernel::error::Field;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder, path::Operation};

/// One way in which an operation does not do what it was asked.
pub(super) struct Failure {
    status: StatusCode,
    /// The code and sentence of the example.
    code: &'static str,
    detail: &'static str,
    description: &'static str,
}

const fn failure(status: StatusCode, code: &'static str, detail: &'static str, description: &'static str) -> Failure {
    Failure {
        status,
        code,
        detail,
        description,
    }
}

const BAD_JSON: Failure = failure(
    StatusCode::BAD_REQUEST,
    "bad_json",
    "the body is not JSON: expected value at line 1 column 12",
    "The body is not JSON",
);
const NOBODY: Failure = failure(
    StatusCode::UNAUTHORIZED,
    "unauthenticated",
    "a valid access token is needed",
    "No valid access token",
);
const WRONG_SECRET: Failure = failure(
    StatusCode::UNAUTHORIZED,
    "invalid_credentials",
    "the e-mail address or the password is wrong",
    "Wrong credentials, or a refresh token that is not good any more",
);
const FORBIDDEN: Failure = failure(
    StatusCode::FORBIDDEN,
    "forbidden",
    "you may see this, but not do that",
    "The caller sees this but may not do that",
);
const NOT_FOUND: Failure = failure(
    StatusCode::NOT_FOUND,
    "not_found",
    "not found",
    "There is no such thing for this caller",
);
const CONFLICT: Failure = failure(
    StatusCode::CONFLICT,
    "conflict",
    "this conflicts with what is there already",
    "The state of things does not allow it",
);
const STALE: Failure = failure(
    StatusCode::PRECONDITION_FAILED,
    "stale",
    "this has changed since you read it; read it again",
    "`If-Match` names another version",
);
const TOO_LARGE: Failure = failure(
    StatusCode::PAYLOAD_TOO_LARGE,
    "too_large",
    "a body here has at most 1048576 bytes",
    "The body, or what it makes, is too large",
);
const WRONG_TYPE: Failure = failure(
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    "unsupported_media_type",
    "send application/json",
    "The body is not declared as JSON, or is compressed",
);
const INVALID: Failure = failure(
    StatusCode::UNPROCESSABLE_ENTITY,
    "invalid",
    "the input is not valid",
    "Something in the request is not valid; every bad field is named",
);
const LOCKED: Failure = failure(
    StatusCode::LOCKED,
    "locked",
    "the page is locked: final, do not edit",
    "Somebody holds the page; `holder`, `owner_id`, `reason` and `expires_at` tell who, why and until when",
);
const LIMITED: Failure = failure(
    StatusCode::TOO_MANY_REQUESTS,
    "rate_limited",
    "too many requests; try again after the seconds in Retry-After",
    "Too many requests, or too many wrong secrets; try again after `Retry-After` seconds",
);
const FAULT: Failure = failure(
    StatusCode::INTERNAL_SERVER_ERROR,
    "internal",
    "something went wrong on our side",
    "A fault of ours; it is in the log under the `request_id`",
);
const UNAVAILABLE: Failure = failure(
    StatusCode::SERVICE_UNAVAILABLE,
    "database_unavailable",
    "temporarily unavailable; try again",
    "Temporarily unavailable; try again after `Retry-After` seconds",
);

const TOO_MANY: Failure = failure(
    StatusCode::TOO_MANY_REQUESTS,
    "too_many_codes",
    "too many wrong codes; wait, or use a recovery code",
    "Too many, too fast",
);

/// Operations that somebody known may be refused: they ask for a fresh login, a password or a code.
const PROOF: [&str; 8] = [
    "auth.login",
    "auth.verify_mfa",
    "auth.reauthenticate",
    "auth.change_password",
    "auth.change_email",
    "auth.start_totp",
    "auth.recovery_codes",
    "auth.disable_totp",
];
/// Operations without a token or a body that the state of things may not allow.
const CLASHES: [&str; 6] = [
    "jobs.cancel",
    "auth.register",
    "auth.verify_email",
    "auth.start_totp",
    "auth.recovery_codes",
    "auth.disable_totp",
];
/// Operations that take codes of a second factor.
const CODES: [&str; 2] = ["auth.verify_mfa", "auth.reauthenticate"];

/// The failures of an operation, from its id, its path and what it takes.
pub(super) fn of(id: &str, path: &str, operation: &Operation) -> Vec<Failure> {
    let is_public = super::PUBLIC.contains(&id);
    let has_body = operation.request_body.is_some();
    let takes = |name: &str| {
        let parameters = operation.parameters.iter().flatten();
        parameters
            .filter_map(|p| if let RefOr::T(p) = p { Some(p) } else { None })
            .any(|p| p.name == name)
    };
    let is_in_a_tenant = path.contains('{') || ["/api/v1/documents/", "/api/v1/search/"].iter().any(|one| path.starts_with(one));
    let has_parameters = operation.parameters.as_ref().is_some_and(|all| !all.is_empty());
    [
        (!is_public, NOBODY),
        (
            matches!(
                id,
                "auth.login" | "auth.refresh" | "auth.verify_mfa" | "auth.oidc_callback" | "auth.oidc_finish"
            ),
            WRONG_SECRET,
        ),
        (!is_public && is_in_a_tenant || PROOF.contains(&id), FORBIDDEN),
        (!is_public && is_in_a_tenant, NOT_FOUND),
        (has_body, BAD_JSON),
        (has_body && !is_public || CLASHES.contains(&id), CONFLICT),
        (CODES.contains(&id), TOO_MANY),
        (takes("If-Match"), STALE),
        (has_body, TOO_LARGE),
        (has_body, WRONG_TYPE),
        (has_body || has_parameters, INVALID),
        (is_kept_out(id), LOCKED),
        (true, LIMITED),
        (true, FAULT),
        (true, UNAVAILABLE),
    ]
    .into_iter()
    .filter_map(|(applies, failure)| applies.then_some(failure))
    .collect()
}

/// Operations, but for those of blocks, in whose way a lock on the page can stand.
const KEPT_OUT: [&str; 8] = [
    "documents.edit",
    "documents.delete",
    "documents.restore",
    "documents.lock",
    "documents.save_markdown",
    "documents.move",
    "documents.archive",
    "versions.restore",
];

fn is_kept_out(id: &str) -> bool {
    let reads_blocks = ["blocks.list", "blocks.read", "blocks.children", "blocks.types"].contains(&id);
    id.starts_with("blocks.") && !reads_blocks || KEPT_OUT.contains(&id)
}

impl Failure {
    /// Its status, and its description with an example.
    pub(super) fn response(&self, path: &str) -> (String, Response) {
        let mut error = ApiError::new(self.status, self.code, self.detail);
        if self.status == StatusCode::UNPROCESSABLE_ENTITY {
            error = ApiError::invalid(vec![Field::new("/name", "required", "is required")]);
        }
        let asked = Asked {
            id: "01937f5e-3c5a-7c41-9d0e-6d1f0a2b3c4d".to_owned(),
            path: path.to_owned(),
            ..Asked::default()
        };
        let content = ContentBuilder::new()
            .schema(Some(RefOr::Ref(Ref::from_schema_name("Problem"))))
            .example(serde_json::to_value(error.problem(&asked)).ok())
            .build();
        let response = ResponseBuilder::new()
            .description(self.description)
            .content(MEDIA_TYPE, content)
            .build();
        (self.status.as_u16().to_string(), response)
    }
}
