//! The running product: everything is started here, and stopped in the reverse order.

use crate::{config::Config, keys, limits, store};
use actix_web::{App, HttpServer, dev::ServerHandle, middleware::Compress};
use anyhow::Context;
use api::State;
use backends::bus::Bus;
use collab::Rooms;
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
    worker: Option<JoinHandle<()>>,
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
    let db = store::open(config).await?;
    store::migrate(&db).await?;
    let ring = keys::ring(&config.auth.signing_keys, &config.server.data_dir)?;
    let (bus, news) = bus(config).await?;
    let rooms = Rooms::start(db.clone(), bus.clone(), limits::collab(&config.collab));
    let draining = Arc::new(AtomicBool::new(false));
    let state = State {
        db: db.clone(),
        bus,
        accounts: Accounts::new(db.clone(), ring, limits::users(&config.auth)),
        rooms: rooms.clone(),
        settings: Arc::new(limits::api(config)),
        draining: draining.clone(),
    };
    let listener = TcpListener::bind(config.server.listen).with_context(|| format!("cannot listen on {}", config.server.listen))?;
    let addr = listener.local_addr().context("the listener has no address")?;
    let (server, handle) = http(config, listener, state)?;
    let worker = config
        .worker
        .enabled
        .then(|| tokio::spawn(jobs::run(db.clone(), limits::jobs(config))));
    let drain = Duration::from_secs(config.server.drain_secs);
    Ok(Running {
        addr,
        rooms,
        handle,
        server,
        worker,
        news,
        draining,
        drain,
        db,
    })
}

async fn bus(config: &Config) -> anyhow::Result<(Bus, Option<JoinHandle<()>>)> {
    if config.redis.url.expose_secret().is_empty() {
        return Ok((Bus::memory(), None));
    }
    let (bus, listening) = Bus::redis(&config.redis.url, CHANNEL).await.context("cannot reach Redis")?;
    Ok((bus, Some(tokio::spawn(listening))))
}

fn http(config: &Config, listener: TcpListener, state: State) -> anyhow::Result<(JoinHandle<std::io::Result<()>>, ServerHandle)> {
    let make = move || {
        App::new()
            .wrap(actix_web::middleware::from_fn(api::middleware::handle))
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
        self.rooms.drain(self.drain).await;
        self.handle.stop(true).await;
        for task in [self.worker, self.news].into_iter().flatten() {
            task.abort();
            // It ends at its next wait; until then it may hold a connection of the database.
            drop(task.await);
        }
        let served = self.server.await.context("the listener's task ended badly")?;
        self.db.close().await.context("the database did not close")?;
        served.context("the listener failed")
    }
}
