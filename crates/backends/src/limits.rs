//! How much is too much: rates per key, and counts of failures. In this process, or on a Redis that several nodes share.
//!
//! A rate is counted as GCRA: so many at once, and they come back one by one over the window. Redis is asked once, however
//! many rules a request falls under. When it does not answer, this node counts for itself: a limit is no reason to refuse.

mod memory;
mod shared;

use memory::Memory;
use secrecy::SecretString;
use shared::Shared;
use std::{fmt, sync::Arc, time::Duration};

/// So many in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    /// What it is called, in headers and keys.
    pub name: &'static str,
    /// How many at once; at least one.
    pub count: u32,
    /// In which time they all come back.
    pub window: Duration,
}

impl Rule {
    /// So many in a minute.
    pub const fn per_minute(name: &'static str, count: u32) -> Self {
        Self {
            name,
            count,
            window: Duration::from_secs(60),
        }
    }

    /// The time in which one comes back.
    fn interval(&self) -> Duration {
        self.window
            .checked_div(self.count)
            .unwrap_or(self.window)
            .max(Duration::from_micros(1))
    }
}

/// Somebody who is counted under a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The rule.
    pub rule: Rule,
    /// Who: a user, a key's hash, an address.
    pub key: String,
}

/// Where somebody stands with a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The rule.
    pub rule: Rule,
    /// How many more are let through at once.
    pub remaining: u32,
    /// Until all are back.
    pub reset: Duration,
    /// Until the next is let through; none when this one was.
    pub retry_after: Option<Duration>,
}

impl Decision {
    fn of(rule: Rule, remaining: u32, wait: Duration) -> Self {
        let used = rule.count.saturating_sub(remaining);
        Self {
            rule,
            remaining,
            reset: rule.interval().saturating_mul(used),
            retry_after: (!wait.is_zero()).then_some(wait),
        }
    }
}

/// How often something has happened since it first did, and until when that is remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How often.
    pub count: u64,
    /// For how much longer.
    pub left: Duration,
}

/// Counts; cheap to clone.
#[derive(Clone)]
pub struct Limits {
    /// Counts where there is no Redis, and while it does not answer.
    memory: Arc<Memory>,
    shared: Option<Arc<Shared>>,
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits").field("shared", &self.shared.is_some()).finish()
    }
}

impl Limits {
    /// Counts in this process.
    pub fn memory() -> Self {
        Self {
            memory: Arc::new(Memory::default()),
            shared: None,
        }
    }

    /// Counts on a Redis, together with every node on it.
    ///
    /// # Errors
    /// When the url is wrong or Redis does not answer at the start. Later losses are mended by themselves.
    pub async fn redis(url: &SecretString) -> Result<Self, redis::RedisError> {
        Ok(Self {
            shared: Some(Arc::new(Shared::connect(url).await?)),
            ..Self::memory()
        })
    }

    /// Counts one more under a rule.
    pub async fn check(&self, rule: Rule, key: &str) -> Decision {
        let one = Counted { rule, key: key.to_owned() };
        let all = self.check_all(&[one]).await;
        all.first()
            .copied()
            .unwrap_or_else(|| Decision::of(rule, rule.count, Duration::ZERO))
    }

    /// Counts one more under each of several rules. What one of them refuses does not count under the others that stand
    /// behind it.
    pub async fn check_all(&self, counted: &[Counted]) -> Vec<Decision> {
        if let Some(shared) = &self.shared
            && let Some(decisions) = shared.check(counted).await
        {
            return decisions;
        }
        self.memory.check(counted)
    }

    /// Adds one to the tally of a key, which is forgotten a window after its first.
    pub async fn strike(&self, key: &str, window: Duration) -> Tally {
        if let Some(shared) = &self.shared
            && let Some(tally) = shared.strike(key, window).await
        {
            return tally;
        }
        self.memory.strike(key, window)
    }

    /// The tally of a key.
    pub async fn tally(&self, key: &str) -> Tally {
        if let Some(shared) = &self.shared
            && let Some(tally) = shared.tally(key).await
        {
            return tally;
        }
        self.memory.tally(key)
    }

    /// Takes one back from the tally of a key: it turned out not to count.
    pub async fn take_back(&self, key: &str) {
        match &self.shared {
            Some(shared) => shared.take_back(key).await,
            None => self.memory.take_back(key),
        }
    }

    /// Forgets the tally of a key.
    pub async fn forgive(&self, key: &str) {
        if let Some(shared) = &self.shared {
            shared.forgive(key).await;
        }
        // Also what was counted here while Redis was away.
        self.memory.forgive(key);
    }
}

#[cfg(test)]
mod tests;
