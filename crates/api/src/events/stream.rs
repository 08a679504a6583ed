//! `GET /workspaces/{id}/events/`: the live stream.

use crate::{
    extract::{Can, Known, Query},
    problem::ApiError,
    state::State,
    streams::{Feed, Start},
};
use ::events::read;
use actix_web::{
    HttpRequest, HttpResponse, get,
    http::{StatusCode, header},
    web::Data,
};
use futures::stream::unfold;
use kernel::error::Field;
use serde::Deserialize;
use utoipa::IntoParams;
use workspaces::access::ReadWorkspace;

/// Where to go on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct From {
    /// The number of the last event seen, for clients that cannot send the header `Last-Event-ID`; the header wins.
    #[param(example = 42)]
    last_event_id: Option<i64>,
}

fn last_seen(request: &HttpRequest, query: &From) -> Result<Option<i64>, ApiError> {
    let Some(value) = request.headers().get("last-event-id") else {
        return Ok(query.last_event_id);
    };
    let seq = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    seq.map(Some).ok_or_else(|| {
        let why = "is the number of an event of this stream";
        ApiError::invalid(vec![Field::new("/last_event_id", "invalid", why)])
    })
}

/// Follow what happens in a workspace, live.
///
/// Server-Sent Events: `id` is the event's number, `event` its type, `data` the same JSON as in the activity feed. Comes
/// back with `Last-Event-ID` where it was; without it the stream begins now. Only what the caller may see at that moment is
/// sent. Besides the facts of `GET /event-types/`: `job.progressed` for jobs of the caller (not in the log, without an id),
/// `stream.reset` when what was missed is not there any more (load everything anew), and `stream.closed` with a reason as
/// the last word: `token_expired`, `access_lost`, `node_going_away` or `unavailable`.
#[utoipa::path(tag = "events", operation_id = "events.stream", params(("workspace_id" = uuid::Uuid, Path), From, ("Last-Event-ID" = Option<String>, Header, description = "The number of the last event seen")), responses((status = 200, description = "Events, for as long as the connection lasts", content_type = "text/event-stream", body = String)))]
#[get("/workspaces/{workspace_id}/events/")]
pub(super) async fn follow(
    state: Data<State>,
    Known(caller): Known,
    Can(access): Can<ReadWorkspace>,
    query: Query<From>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    crate::ws::origin::check(&request)?;
    let last = last_seen(&request, &query.0)?;
    let seat = state.streams.seat(caller.user).ok_or_else(|| {
        let why = "you have too many streams open on this node; close some";
        ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", why)
    })?;
    let workspace = access.workspace();
    // Listens first, then asks where the log stands.
    let feed = Feed::new(state.db.clone(), &state.streams, seat, caller, access);
    let (head, floor) = read::chain(&state.db, workspace)
        .await?
        .map_or((0, 0), |chain| (chain.seq, chain.floor_seq));
    let start = match last {
        None => Start::After(head),
        Some(seq) if (floor..=head).contains(&seq) => Start::After(seq),
        Some(_) => Start::Reset(head),
    };
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // Neither a proxy nor our own compression may gather what should go out at once.
        .insert_header(("x-accel-buffering", "no"))
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .streaming(unfold(feed.begin(start), Feed::next)))
}
