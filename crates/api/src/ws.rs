//! The socket: accepts the upgrade whatever the token says (the verdict is given inside the protocol, where clients can
//! read it), then pumps frames between the connection and its session.

mod guard;
mod kill;
pub(crate) mod origin;
mod pump;

pub use kill::{Kill, on_connect};

use crate::{extract::bearer, state::State, who};
use actix_web::{HttpRequest, HttpResponse, http::header, web};
use collab::{
    close::Close,
    outbox::Outbox,
    protocol::{Protocol, SUBPROTOCOLS},
    session::{Arrival, Authenticate, Bearer, Session},
};
use kernel::id::DocumentId;
use serde::Deserialize;
use std::sync::Arc;
use users::Accounts;

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    for path in ["/ws/documents/{document_id}/", "/ws/", "/collab/"] {
        config.route(path, web::get().to(upgrade));
    }
}

#[derive(Deserialize)]
struct Asked {
    token: Option<String>,
    protocol: Option<String>,
}

/// The subprotocols a client offers, in its order.
fn offered(request: &HttpRequest) -> Vec<String> {
    let values = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL);
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_owned())
        .collect()
}

async fn known(accounts: &Accounts, token: &str) -> Result<Bearer, Close> {
    told(accounts.authenticate(token).await)
}

fn told(bearer: Result<users::Bearer, users::Error>) -> Result<Bearer, Close> {
    match bearer {
        Ok(bearer) => Ok(Bearer {
            who: who::on_socket(&bearer),
            expires_ms: bearer.expires_at().timestamp_millis(),
        }),
        Err(users::Error::Unauthenticated) => Err(Close::Unauthenticated),
        Err(error) => {
            tracing::warn!(%error, "a token cannot be looked at now");
            Err(Close::Internal)
        }
    }
}

async fn upgrade(request: HttpRequest, body: web::Payload, state: web::Data<State>) -> Result<HttpResponse, actix_web::Error> {
    origin::check(&request)?;
    let names = SUBPROTOCOLS.map(|(name, _)| name);
    let asked = web::Query::<Asked>::from_query(request.query_string()).map_or(
        Asked {
            token: None,
            protocol: None,
        },
        web::Query::into_inner,
    );
    let offered = offered(&request);
    let accounts = state.accounts.clone();
    let authenticate: Authenticate = Arc::new(move |token| {
        let accounts = accounts.clone();
        Box::pin(async move { known(&accounts, &token).await })
    });
    let in_subprotocol = offered.iter().find_map(|name| name.strip_prefix("bearer."));
    let token = bearer(&request).or(asked.token.as_deref()).or(in_subprotocol);
    let named = request.match_info().get("document_id").and_then(documents::url::decode);
    let bearer = match (token, crate::tickets::in_query(request.query_string())) {
        (Some(token), _) => authenticate(token.to_owned()).await,
        (None, Some(ticket)) => told(
            users::ticket::redeem(&state.accounts, &ticket, named)
                .await
                .map(users::Bearer::Person),
        ),
        (None, None) => Err(Close::Unauthenticated),
    };
    let settings = state.rooms.settings().clone();
    // Strangers may claim little until they have said who they are.
    let limit = guard::Limit::new(
        if bearer.is_ok() {
            settings.binary_frame_bytes
        } else {
            settings.first_frame_bytes
        }
        .into(),
    );
    let body = guard::guarded(&request, body, limit.clone()).await?;
    let (answer, socket, frames) = actix_ws::handle_with_protocols(&request, body, &names)?;
    let agreed = offered.iter().find_map(|name| Protocol::of_subprotocol(name)).map(Ok);
    let arrival = Arrival {
        // A page that the path names and that is none is not found, not asked for later.
        document: named.or_else(|| request.match_info().get("document_id").map(|_| DocumentId(uuid::Uuid::nil()))),
        bearer,
        protocol: agreed.or_else(|| asked.protocol.as_deref().map(Protocol::of_query)),
        authenticate,
    };
    let outbox = Arc::new(Outbox::new(&settings));
    let session = Session::new(state.rooms.clone(), outbox.clone(), arrival);
    let most = settings.binary_frame_bytes;
    let frames = frames.max_frame_size(most).aggregate_continuations().max_continuation_size(most);
    let kill = request.conn_data::<Kill>().cloned();
    actix_web::rt::spawn(pump::run(
        socket,
        frames,
        pump::Ends {
            session,
            outbox,
            kill,
            limit,
        },
    ));
    Ok(answer)
}
