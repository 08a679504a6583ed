//! The running product: everything is started here, and stopped in the reverse order.

use crate::{
    background::{self, Background},
    config::Config,
    keys, limits, store,
};
use actix_web::{
    App, HttpServer,
    dev::ServerHandle,
    middleware::{Compress, from_fn},
};
use anyhow::Context;
use api::State;
use backends::limits::Limits;
use collab::Rooms;
use jobs::Queue;
use sea_orm::DatabaseConnection;
use secrecy::ExposeSecret;
use std::{
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinHandle;
use users::Accounts;

/// The channel that nodes talk on.
const CHANNEL: &str = "sheaf:news";

/// A product that runs.
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Live pages, for tests that look inside.
    pub rooms: Rooms,
    handle: ServerHandle,
    server: JoinHandle<std::io::Result<()>>,
    background: Background,
    streams: api::Streams,
    /// Wakes live streams.
    waking: JoinHandle<()>,
    /// Carries changes of access to what is open here.
    revoking: JoinHandle<()>,
    /// Sends and hears news, when there is a Redis.
    news: Option<JoinHandle<()>>,
    draining: Arc<AtomicBool>,
    drain: Duration,
    db: DatabaseConnection,
}

/// Starts the whole product on the current runtime, which has to be a multi-threaded one.
///
/// # Errors
/// When a part cannot be started; the message names it.
pub async fn start(config: &Config) -> anyhow::Result<Running> {
    let db = store::migrated(config).await?;
    let ring = keys::ring(&config.auth.signing_keys, &config.server.data_dir)?;
    let queues = config.worker.enabled.then(|| Queue::list(&config.worker.queues)).transpose();
    let queues = queues.map_err(|why| anyhow::anyhow!("worker.queues: {why}"))?;
    let background = background::start(config, &db, &ring, queues).await?;
    let counting = counting(config).await?;
    let (bus, news) = background::bus(config, CHANNEL).await?;
    let follow = Arc::new(background::Indexing::new(background.signals.clone()));
    let rooms = Rooms::start(db.clone(), bus.clone(), limits::collab(&config.collab), follow);
    let draining = Arc::new(AtomicBool::new(false));
    let (streams, waking) = api::Streams::new(db.clone(), background.signals.clone());
    let waking = tokio::spawn(waking);
    let mint = ring.mint();
    let logins = users::Settings {
        oidc: limits::oidc(config),
        ..limits::users(config)
    };
    let accounts = Accounts::counting(db.clone(), ring, logins, counting.clone());
    let state = State {
        db: db.clone(),
        bus,
        accounts: accounts.clone(),
        limits: counting,
        rooms: rooms.clone(),
        settings: Arc::new(limits::api(config)),
        draining: draining.clone(),
        signals: background.signals.clone(),
        seals: background.seals.clone(),
        mint,
        files: background.files.clone(),
        streams: streams.clone(),
    };
    let revoking = tokio::spawn(api::revocation::run(
        db.clone(),
        background.signals.clone(),
        rooms.clone(),
        streams.clone(),
        accounts,
    ));
    let listener = TcpListener::bind(config.server.listen).with_context(|| format!("cannot listen on {}", config.server.listen))?;
    let addr = listener.local_addr().context("the listener has no address")?;
    let (server, handle) = http(config, listener, state)?;
    let drain = Duration::from_secs(config.server.drain_secs);
    Ok(Running {
        addr,
        rooms,
        handle,
        server,
        background,
        streams,
        waking,
        revoking,
        news,
        draining,
        drain,
        db,
    })
}

/// What counts requests and failures: on Redis where there is one.
async fn counting(config: &Config) -> anyhow::Result<Limits> {
    if config.redis.url.expose_secret().is_empty() {
        return Ok(Limits::memory());
    }
    Limits::redis(&config.redis.url).await.context("cannot reach Redis")
}

fn http(config: &Config, listener: TcpListener, state: State) -> anyhow::Result<(JoinHandle<std::io::Result<()>>, ServerHandle)> {
    let make = move || {
        App::new()
            .wrap(from_fn(api::edge::admit))
            .wrap(api::edge::cors(&state.settings.edge))
            .wrap(from_fn(api::middleware::handle))
            .wrap(Compress::default())
            .configure(|routes| api::configure(routes, state.clone()))
    };
    let mut server = HttpServer::new(make)
        .on_connect(api::ws::on_connect)
        .client_request_timeout(Duration::from_secs(15))
        .shutdown_timeout(config.server.drain_secs)
        .max_connections(50_000)
        .disable_signals();
    if config.server.workers > 0 {
        server = server.workers(config.server.workers);
    }
    let server = server.listen(listener).context("cannot serve on the listener")?.run();
    let handle = server.handle();
    Ok((tokio::spawn(server), handle))
}

impl Running {
    /// Stops: readiness says no, nobody new is let in, what is in flight is committed, connections are closed.
    ///
    /// # Errors
    /// When the listener had failed.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.draining.store(true, Ordering::Relaxed);
        self.streams.close();
        self.rooms.drain(self.drain).await;
        self.handle.stop(true).await;
        self.background.stop().await;
        for task in [Some(self.waking), Some(self.revoking), self.news].into_iter().flatten() {
            task.abort();
            // It ends at its next wait; until then it may hold a connection of the database.
            drop(task.await);
        }
        let served = self.server.await.context("the listener's task ended badly")?;
        self.db.close().await.context("the database did not close")?;
        served.context("the listener failed")
    }
}
