//! Wrong secrets are paid for by whoever sends them: the account and the network they come from are counted together.
//!
//! After some failures that network waits, longer each time. Somebody else's failures never make the owner wait where the
//! owner has signed in before. Against an attack from many networks, those that never signed in to the account share one
//! turn. Everything is the same for an address that has no account.

use crate::{Accounts, Error};
use backends::limits::Limits;
use kernel::secret::hash;
use std::time::Duration;

/// For how long failures are remembered, from the first.
const REMEMBERED: Duration = Duration::from_secs(60 * 60);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// When waiting begins.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Failures of one network with one account that cost nothing.
    pub free: u64,
    /// Failures of all unknown networks with one account that cost nothing.
    pub free_anywhere: u64,
    /// The first wait; each further failure doubles it.
    pub wait: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            free: 10,
            free_anywhere: 100,
            wait: Duration::from_secs(5),
        }
    }
}

/// Who tries a secret.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// What is tried, in one word: `login`.
    pub what: &'static str,
    /// Whose it is: an address, a link's id. It need not exist.
    pub whose: &'a str,
    /// The network it comes from.
    pub source: &'a str,
    /// Whether it was right from there before.
    pub is_known: bool,
}

/// A try that counts as failed until it is said that it was not.
#[derive(Debug)]
#[must_use = "say how it ended"]
pub struct Begun {
    limits: Limits,
    counted: Vec<Counter>,
}

/// Failures under one key, and the turn that has to be waited for once they are too many.
#[derive(Clone, Debug)]
struct Counter {
    failures: String,
    turn: String,
    free: u64,
}

impl Counter {
    fn new(key: &str, free: u64) -> Self {
        Self {
            failures: format!("{key}:failures"),
            turn: format!("{key}:turn"),
            free,
        }
    }

    /// Counts one failure, or says how long to wait. It is counted before the secret is looked at: many tries at once are
    /// as many as one after the other.
    async fn enter(&self, limits: &Limits, first_wait: Duration) -> Result<(), Duration> {
        let turn = limits.tally(&self.turn).await;
        if turn.count > 0 {
            return Err(turn.left);
        }
        let failures = limits.strike(&self.failures, REMEMBERED).await;
        let Some(over) = failures.count.checked_sub(self.free + 1) else {
            return Ok(());
        };
        let turn = limits.strike(&self.turn, wait(first_wait, over)).await;
        if turn.count > 1 {
            limits.take_back(&self.failures).await;
            return Err(turn.left);
        }
        Ok(())
    }
}

fn wait(first: Duration, over: u64) -> Duration {
    let doubled = u32::try_from(over).ok().and_then(|n| 2_u32.checked_pow(n)).unwrap_or(u32::MAX);
    first.saturating_mul(doubled).min(LONGEST)
}

impl Attempt<'_> {
    fn counters(&self, patience: &Patience) -> Vec<Counter> {
        let account = format!("{}:{}", self.what, hash(&self.whose.trim().to_lowercase()));
        let own = Counter::new(&format!("{account}:{}", self.source), patience.free);
        // Where the owner has been, only that network itself counts.
        let everybody = (!self.is_known).then(|| Counter::new(&account, patience.free_anywhere));
        [Some(own), everybody].into_iter().flatten().collect()
    }
}

/// Begins a try.
///
/// # Errors
/// [`Error::TooManyAttempts`] with how long to wait; the secret is not to be looked at then.
pub async fn begin(accounts: &Accounts, attempt: Attempt<'_>) -> Result<Begun, Error> {
    let (limits, patience) = (accounts.limits().clone(), accounts.settings().patience);
    let mut begun = Begun {
        limits,
        counted: Vec::new(),
    };
    for counter in attempt.counters(&patience) {
        if let Err(wait) = counter.enter(&begun.limits, patience.wait).await {
            begun.did_not_count().await;
            return Err(Error::TooManyAttempts(wait));
        }
        begun.counted.push(counter);
    }
    Ok(begun)
}

impl Begun {
    /// The secret was right: that network starts anew. What others did stays counted.
    pub async fn succeeded(self) {
        for (n, counter) in self.counted.iter().enumerate() {
            if n == 0 {
                self.limits.forgive(&counter.failures).await;
                self.limits.forgive(&counter.turn).await;
            } else {
                self.limits.take_back(&counter.failures).await;
            }
        }
    }

    /// The secret could not be looked at.
    pub async fn did_not_count(self) {
        for counter in &self.counted {
            self.limits.take_back(&counter.failures).await;
        }
    }

    /// The secret was wrong. It is counted already; this says that nothing was forgotten.
    pub fn failed(self) {}
}
