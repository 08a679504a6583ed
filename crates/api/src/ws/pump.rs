//! One connection's task: frames in to the session, the outbox out to the socket, and a beat.

use super::{Kill, guard::Limit};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseCode, CloseReason, Session as Socket};
use collab::{
    close::Close,
    outbox::{Out, Outbox},
    protocol::Frame,
    session::Session,
};
use futures::StreamExt;
use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

/// How often the session is told that time passes.
const TICK: Duration = Duration::from_millis(250);
/// How often a ping goes out; after two without any answer the connection is dead.
const PING: Duration = Duration::from_secs(20);
/// How long the socket may take to accept a handful of frames.
const PATIENCE: Duration = Duration::from_secs(30);

/// The two ends that the task connects, and the way to cut the connection.
pub(super) struct Ends {
    pub(super) session: Session,
    pub(super) outbox: Arc<Outbox>,
    pub(super) kill: Option<Kill>,
    pub(super) limit: Limit,
}

enum Go {
    On,
    Stop,
}

pub(super) async fn run(mut socket: Socket, mut frames: AggregatedMessageStream, mut ends: Ends) {
    let mut heard = Instant::now();
    let mut pinged = Instant::now();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let go = tokio::select! {
            out = ends.outbox.next() => send(&mut socket, out).await,
            frame = frames.next() => {
                heard = Instant::now();
                let go = take(&mut socket, &mut ends.session, frame).await;
                ends.limit.fetch_max(ends.session.frame_limit(false), Ordering::Relaxed);
                go
            }
            _ = tick.tick() => {
                ends.session.on_tick().await;
                beat(&mut socket, heard, &mut pinged).await
            }
        };
        if matches!(go, Go::Stop) {
            break;
        }
    }
    ends.session.on_gone().await;
    // Whether or not the client answered the close, the connection ends here, after the last frame had a moment to leave.
    tokio::time::sleep(Duration::from_millis(200)).await;
    drop(socket);
    if let Some(kill) = ends.kill {
        tokio::time::sleep(Duration::from_secs(2)).await;
        kill.now();
    }
}

/// Sends what waits. A close frame is the last thing.
async fn send(socket: &mut Socket, out: Vec<Out>) -> Go {
    let all = async {
        for frame in out {
            let sent = match frame {
                Out::Text(text) => socket.text(text).await,
                Out::Binary(bytes) => socket.binary(bytes).await,
                Out::Close(why) => {
                    close(socket, why.code(), why.reason()).await;
                    return Go::Stop;
                }
            };
            if sent.is_err() {
                return Go::Stop;
            }
        }
        Go::On
    };
    // A client that does not read for so long is cut off; it comes back and catches up.
    tokio::time::timeout(PATIENCE, all).await.unwrap_or(Go::Stop)
}

async fn close(socket: &mut Socket, code: u16, reason: &str) {
    let reason = CloseReason {
        code: CloseCode::Other(code),
        description: Some(reason.to_owned()),
    };
    // A socket that is gone needs no close.
    drop(tokio::time::timeout(Duration::from_secs(2), socket.clone().close(Some(reason))).await);
}

async fn take(socket: &mut Socket, session: &mut Session, frame: Option<Result<AggregatedMessage, actix_ws::ProtocolError>>) -> Go {
    match frame {
        Some(Ok(AggregatedMessage::Text(text))) => session.on_frame(Frame::Text(text)).await,
        Some(Ok(AggregatedMessage::Binary(bytes))) => session.on_frame(Frame::Binary(bytes)).await,
        Some(Ok(AggregatedMessage::Ping(bytes))) => {
            if socket.pong(&bytes).await.is_err() {
                return Go::Stop;
            }
        }
        Some(Ok(AggregatedMessage::Pong(_))) => {}
        Some(Ok(AggregatedMessage::Close(reason))) => {
            drop(tokio::time::timeout(Duration::from_secs(2), socket.clone().close(reason)).await);
            return Go::Stop;
        }
        // After an error the stream swallows frames: nothing that follows can be trusted.
        Some(Err(actix_ws::ProtocolError::Overflow | actix_ws::ProtocolError::Io(_))) => {
            close(socket, Close::TooLarge.code(), Close::TooLarge.reason()).await;
            return Go::Stop;
        }
        Some(Err(_)) => {
            close(socket, 1002, "protocol error").await;
            return Go::Stop;
        }
        None => return Go::Stop,
    }
    Go::On
}

async fn beat(socket: &mut Socket, heard: Instant, pinged: &mut Instant) -> Go {
    if heard.elapsed() > PING * 3 {
        return Go::Stop;
    }
    if pinged.elapsed() > PING {
        *pinged = Instant::now();
        if socket.ping(b"").await.is_err() {
            return Go::Stop;
        }
    }
    Go::On
}
