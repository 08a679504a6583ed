//! Counting on a Redis, together with other nodes. Its clock is the one that counts.

use super::{Counted, Decision, Tally};
use parking_lot::Mutex;
use redis::{RedisError, Script, aio::ConnectionManager};
use secrecy::{ExposeSecret, SecretString};
use std::time::{Duration, Instant};

/// In front of every key.
const PREFIX: &str = "sheaf:limits";
/// A Redis that takes longer is not waited for.
const PATIENCE: Duration = Duration::from_millis(250);
/// For how long one that did not answer is left alone.
const PAUSE: Duration = Duration::from_secs(1);
/// How often it is said that it does not answer.
const SAID_EVERY: Duration = Duration::from_secs(60);

/// GCRA for all keys at once: none is counted when one refuses. Arguments are the interval and the window of each key, in
/// microseconds; the answer is, for each, how many more there may be and how long to wait.
const GCRA: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local answer, next, refused = {}, {}, false
for i, key in ipairs(KEYS) do
  local interval, window = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local full = math.max(tonumber(redis.call('GET', key) or now), now) + interval
  local wait = full - window - now
  if wait > 0 then
    refused = true
    full = full - interval
  end
  next[i] = full
  answer[2 * i - 1] = math.max(0, math.floor((window - (full - now)) / interval))
  answer[2 * i] = math.max(0, wait)
end
if not refused then
  for i, key in ipairs(KEYS) do
    redis.call('SET', key, string.format('%.0f', next[i]), 'PX', math.ceil((next[i] - now) / 1000))
  end
end
return answer
";

/// One back of a tally that is still there; a plain DECR would leave one that never ends.
const TAKE_BACK: &str = "if redis.call('EXISTS', KEYS[1]) == 1 then return redis.call('DECR', KEYS[1]) end return 0";

/// A Redis that counts.
pub(super) struct Shared {
    connection: ConnectionManager,
    gcra: Script,
    take_back: Script,
    /// Until when it is left alone, and when it was last complained about.
    trouble: Mutex<(Option<Instant>, Option<Instant>)>,
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl Shared {
    pub async fn connect(url: &SecretString) -> Result<Self, RedisError> {
        let client = redis::Client::open(url.expose_secret())?;
        let settings = redis::aio::ConnectionManagerConfig::new()
            .set_response_timeout(Some(Duration::from_secs(2)))
            .set_connection_timeout(Some(Duration::from_secs(2)));
        Ok(Self {
            connection: client.get_connection_manager_with_config(settings).await?,
            gcra: Script::new(GCRA),
            take_back: Script::new(TAKE_BACK),
            trouble: Mutex::default(),
        })
    }

    pub async fn check(&self, counted: &[Counted]) -> Option<Vec<Decision>> {
        let mut call = self.gcra.prepare_invoke();
        for one in counted {
            let interval = micros(one.rule.interval());
            // A whole number of intervals, however the window divides.
            let window = interval.saturating_mul(one.rule.count.max(1).into());
            call.key(format!("{PREFIX}:{}:{}", one.rule.name, one.key))
                .arg(interval)
                .arg(window);
        }
        let mut connection = self.connection.clone();
        let answer: Vec<u64> = self.answer(call.invoke_async(&mut connection)).await?;
        let decided = counted.iter().zip(answer.chunks_exact(2)).map(|(one, said)| {
            let remaining = said.first().and_then(|n| u32::try_from(*n).ok()).unwrap_or(u32::MAX);
            Decision::of(one.rule, remaining, Duration::from_micros(said.get(1).copied().unwrap_or_default()))
        });
        Some(decided.collect())
    }

    pub async fn strike(&self, key: &str, window: Duration) -> Option<Tally> {
        let (key, mut connection) = (tally_key(key), self.connection.clone());
        let mut steps = redis::pipe();
        steps.atomic();
        let most = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
        steps.cmd("SET").arg(&key).arg(0).arg("PX").arg(most.max(1)).arg("NX").ignore();
        steps.cmd("INCR").arg(&key).cmd("PTTL").arg(&key);
        self.answer(steps.query_async(&mut connection)).await.map(tally_of)
    }

    pub async fn tally(&self, key: &str) -> Option<Tally> {
        let (key, mut connection) = (tally_key(key), self.connection.clone());
        let mut steps = redis::pipe();
        steps.cmd("GET").arg(&key).cmd("PTTL").arg(&key);
        let (count, left): (Option<u64>, i64) = self.answer(steps.query_async(&mut connection)).await?;
        Some(tally_of((count.unwrap_or_default(), left)))
    }

    pub async fn take_back(&self, key: &str) {
        let (mut call, mut connection) = (self.take_back.prepare_invoke(), self.connection.clone());
        let _left: Option<i64> = self.answer(call.key(tally_key(key)).invoke_async(&mut connection)).await;
    }

    pub async fn forgive(&self, key: &str) {
        let mut connection = self.connection.clone();
        let mut forget = redis::cmd("DEL");
        // One that is not forgotten now is so at the end of its window.
        let _forgotten: Option<u64> = self.answer(forget.arg(tally_key(key)).query_async(&mut connection)).await;
    }

    /// What Redis says, if it says something in time. After a failure it is left alone for a moment, so that not every
    /// request waits for it.
    async fn answer<T>(&self, asking: impl Future<Output = Result<T, RedisError>>) -> Option<T> {
        if self.trouble.lock().0.is_some_and(|until| Instant::now() < until) {
            return None;
        }
        match tokio::time::timeout(PATIENCE, asking).await {
            Ok(Ok(answer)) => return Some(answer),
            Ok(Err(error)) => self.complain(&error.to_string()),
            Err(_) => self.complain("no answer in time"),
        }
        None
    }

    fn complain(&self, why: &str) {
        let (now, mut trouble) = (Instant::now(), self.trouble.lock());
        trouble.0 = Some(now + PAUSE);
        if trouble.1.is_none_or(|said| now.duration_since(said) >= SAID_EVERY) {
            trouble.1 = Some(now);
            tracing::warn!(why, "Redis does not count for us; this node counts rates for itself");
        }
    }
}

fn tally_key(key: &str) -> String {
    format!("{PREFIX}:tally:{key}")
}

fn tally_of((count, left): (u64, i64)) -> Tally {
    Tally {
        count,
        left: Duration::from_millis(left.max(0).unsigned_abs()),
    }
}
