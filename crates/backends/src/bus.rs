//! The bus between nodes: news that something was committed, and presence. At most once and only a hint; the database
//! is the truth, so a lost message costs a read and never an edit.

use bytes::Bytes;
use futures::StreamExt;
use redis::{AsyncCommands, aio::ConnectionManager};
use secrecy::{ExposeSecret, SecretString};
use std::{sync::Arc, time::Duration};
use tokio::sync::{broadcast, mpsc};

/// Messages a slow listener may lag behind before it is told of a gap.
const BACKLOG: usize = 4096;
/// How long to wait before the subscription is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// What a listener receives.
#[derive(Clone, Debug)]
pub enum Heard {
    /// A message.
    Message(Bytes),
    /// Messages may have been missed: read the positions from the database.
    Gap,
}

/// One channel that every node listens to.
#[derive(Clone)]
pub enum Bus {
    /// One process: messages go to its own listeners.
    Memory(broadcast::Sender<Heard>),
    /// Many nodes: Redis publishes to all of them, this one included.
    Redis(Arc<RedisBus>),
}

/// The parts of a bus on Redis.
pub struct RedisBus {
    connection: ConnectionManager,
    outgoing: mpsc::Sender<Bytes>,
    heard: broadcast::Sender<Heard>,
}

impl Bus {
    /// A bus inside this process.
    pub fn memory() -> Self {
        Self::Memory(broadcast::channel(BACKLOG).0)
    }

    /// Connects to Redis. The returned future sends and listens for as long as it is polled; the caller owns the task it
    /// runs in.
    ///
    /// # Errors
    /// When the url is wrong or Redis does not answer at the start. Later losses are mended by themselves.
    pub async fn redis(url: &SecretString, channel: &str) -> Result<(Self, impl Future<Output = ()> + Send + 'static), redis::RedisError> {
        let client = redis::Client::open(url.expose_secret())?;
        let settings = redis::aio::ConnectionManagerConfig::new()
            .set_response_timeout(Some(Duration::from_secs(2)))
            .set_connection_timeout(Some(Duration::from_secs(2)));
        let connection = client.get_connection_manager_with_config(settings).await?;
        let heard = broadcast::channel(BACKLOG).0;
        let (outgoing, queue) = mpsc::channel(BACKLOG);
        let bus = Arc::new(RedisBus {
            connection: connection.clone(),
            outgoing,
            heard: heard.clone(),
        });
        let (sending, listening) = (
            send(connection, channel.to_owned(), queue),
            listen(client, channel.to_owned(), heard),
        );
        Ok((Self::Redis(bus), async {
            futures::join!(sending, listening);
        }))
    }

    /// Sends to every node, without waiting for anything: a bus that is slow or gone holds nobody up. What does not fit
    /// into the queue is dropped; every listener has a slow path that catches up.
    pub fn publish(&self, message: Bytes) {
        match self {
            // No listener is no error.
            Self::Memory(heard) => drop(heard.send(Heard::Message(message))),
            Self::Redis(bus) => drop(bus.outgoing.try_send(message)),
        }
    }

    /// Listens from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Heard> {
        match self {
            Self::Memory(heard) => heard.subscribe(),
            Self::Redis(bus) => bus.heard.subscribe(),
        }
    }

    /// Whether other nodes are reached at this moment.
    pub async fn is_alive(&self) -> bool {
        match self {
            Self::Memory(_) => true,
            Self::Redis(bus) => redis::cmd("PING").query_async::<String>(&mut bus.connection.clone()).await.is_ok(),
        }
    }
}

/// Sends what is queued. What Redis does not take is lost, and said in the log.
async fn send(mut connection: ConnectionManager, channel: String, mut queue: mpsc::Receiver<Bytes>) {
    while let Some(message) = queue.recv().await {
        if let Err(error) = connection.publish::<_, _, ()>(&channel, message.as_ref()).await {
            tracing::warn!(%error, "the bus did not take a message; listeners will catch up from the database");
            // Whatever waited meanwhile is older than what the listeners will read by themselves.
            while queue.try_recv().is_ok() {}
        }
    }
}

/// Keeps one subscription alive. Redis forgets what was published while nobody listened, so every new subscription is
/// announced as a gap *after* it stands.
async fn listen(client: redis::Client, channel: String, heard: broadcast::Sender<Heard>) {
    loop {
        match client.get_async_pubsub().await {
            Ok(mut pubsub) => {
                if pubsub.subscribe(&channel).await.is_ok() {
                    drop(heard.send(Heard::Gap));
                    let mut messages = pubsub.on_message();
                    while let Some(message) = messages.next().await {
                        drop(heard.send(Heard::Message(Bytes::copy_from_slice(message.get_payload_bytes()))));
                    }
                }
                tracing::warn!("the bus was lost; listening again");
            }
            Err(error) => tracing::warn!(%error, "the bus is not there; trying again"),
        }
        tokio::time::sleep(RETRY).await;
    }
}
