//! The workers of this process: one of apalis's for every queue, under its monitor.

use crate::{
    Parts, Queue,
    attempt::attempt,
    schedule,
    source::{self, Source},
};
use apalis::prelude::{Data, Monitor, WorkerBuilder, WorkerBuilderExt};
use kernel::id::ConnectionId;
use queue::Claim;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Time to give back what still runs when the drain time is over.
const GIVING_BACK: Duration = Duration::from_secs(5);

/// What every attempt of a worker is given.
#[derive(Clone)]
struct Given {
    parts: Parts,
    hurry: CancellationToken,
}

/// Does the work of some queues, and keeps the schedules, until `stop` is cancelled. Then nothing new is begun, and what
/// runs has the drain time to end; what cannot is given back.
pub async fn run(parts: Parts, queues: Vec<Queue>, stop: CancellationToken) {
    let hurry = CancellationToken::new();
    let deadline = async {
        stop.cancelled().await;
        tokio::time::sleep(parts.settings.drain).await;
        hurry.cancel();
        tokio::time::sleep(GIVING_BACK).await;
    };
    let given = Given {
        parts: parts.clone(),
        hurry: hurry.clone(),
    };
    let working = async {
        tokio::join!(work(given, queues, stop.clone()), schedule::keep(&parts, &stop));
    };
    tokio::select! {
        () = working => {}
        () = deadline => tracing::warn!("not every job ended in time; what did not begins anew when its lease ends"),
    }
}

async fn work(given: Given, queues: Vec<Queue>, stop: CancellationToken) {
    // A name that no other process has, so that nobody takes another's lease for their own.
    let process = ConnectionId::new();
    let mut monitor = Monitor::new().should_restart(|worker, error| {
        tracing::error!(worker = worker.name(), %error, "a worker ended; starting it again");
        true
    });
    for queue in queues {
        let given = given.clone();
        monitor = monitor.register(move |_| {
            let name = format!("{queue}-{process}");
            WorkerBuilder::new(name.as_str())
                .backend(source(&given.parts, queue, &name))
                .data(given.clone())
                .concurrency(given.parts.settings.concurrency_of(queue))
                .build(perform)
        });
    }
    let told = async move {
        stop.cancelled().await;
        Ok(())
    };
    if let Err(error) = monitor.run_with_signal(told).await {
        tracing::error!(%error, "the workers ended badly");
    }
}

fn source(parts: &Parts, queue: Queue, worker: &str) -> Source {
    Source::new(source::Settings {
        db: parts.db.clone(),
        signals: parts.signals.clone(),
        queue,
        worker: worker.to_owned(),
        lease: parts.settings.lease,
        poll: parts.settings.poll,
    })
}

async fn perform(claim: Claim, given: Data<Given>) {
    attempt(given.parts.clone(), claim, given.hurry.clone()).await;
}
