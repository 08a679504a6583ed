//! Counting in this process.

use super::{Counted, Decision, Rule, Tally};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DashMapStateStore,
};
use parking_lot::{Mutex, RwLock};
use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::Arc,
    time::{Duration, Instant},
};

type Limiter = RateLimiter<String, DashMapStateStore<String>, DefaultClock, StateInformationMiddleware>;

/// How often keys that are as good as new are dropped.
const PRUNED_EVERY: Duration = Duration::from_secs(30);

/// What this process has counted.
pub(super) struct Memory {
    limiters: RwLock<HashMap<Rule, Arc<Limiter>>>,
    tallies: Mutex<HashMap<String, (u64, Instant)>>,
    pruned: Mutex<Instant>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            limiters: RwLock::default(),
            tallies: Mutex::default(),
            pruned: Mutex::new(Instant::now()),
        }
    }
}

fn limiter(rule: Rule) -> Limiter {
    let quota = Quota::with_period(rule.interval()).unwrap_or_else(|| Quota::per_second(NonZeroU32::MIN));
    let count = NonZeroU32::new(rule.count).unwrap_or(NonZeroU32::MIN);
    RateLimiter::dashmap(quota.allow_burst(count)).with_middleware()
}

impl Memory {
    pub fn check(&self, counted: &[Counted]) -> Vec<Decision> {
        self.prune(PRUNED_EVERY);
        let mut decisions = Vec::with_capacity(counted.len());
        for one in counted {
            let decision = self.one(one);
            decisions.push(decision);
            if decision.retry_after.is_some() {
                break;
            }
        }
        decisions
    }

    fn one(&self, Counted { rule, key }: &Counted) -> Decision {
        let limiter = self.limiter(*rule);
        match limiter.check_key(key) {
            Ok(state) => Decision::of(*rule, state.remaining_burst_capacity(), Duration::ZERO),
            Err(not_until) => {
                let wait = not_until.wait_time_from(limiter.clock().now());
                Decision::of(*rule, 0, wait.max(Duration::from_millis(1)))
            }
        }
    }

    fn limiter(&self, rule: Rule) -> Arc<Limiter> {
        if let Some(limiter) = self.limiters.read().get(&rule) {
            return limiter.clone();
        }
        self.limiters.write().entry(rule).or_insert_with(|| Arc::new(limiter(rule))).clone()
    }

    pub fn strike(&self, key: &str, window: Duration) -> Tally {
        self.prune(PRUNED_EVERY);
        let (now, mut tallies) = (Instant::now(), self.tallies.lock());
        let (count, until) = tallies.entry(key.to_owned()).or_insert((0, now + window));
        if *until <= now {
            (*count, *until) = (0, now + window);
        }
        *count += 1;
        Tally {
            count: *count,
            left: *until - now,
        }
    }

    pub fn tally(&self, key: &str) -> Tally {
        let (now, tallies) = (Instant::now(), self.tallies.lock());
        match tallies.get(key) {
            Some((count, until)) if *until > now => Tally {
                count: *count,
                left: *until - now,
            },
            _ => Tally::default(),
        }
    }

    pub fn take_back(&self, key: &str) {
        if let Some((count, _)) = self.tallies.lock().get_mut(key) {
            *count = count.saturating_sub(1);
        }
    }

    pub fn forgive(&self, key: &str) {
        self.tallies.lock().remove(key);
    }

    /// Drops what says nothing any more, when that was not done for a while.
    pub fn prune(&self, every: Duration) {
        let now = Instant::now();
        {
            let Some(mut pruned) = self.pruned.try_lock() else { return };
            if now.duration_since(*pruned) < every {
                return;
            }
            *pruned = now;
        }
        for limiter in self.limiters.read().values() {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        self.tallies.lock().retain(|_, (_, until)| *until > now);
    }

    /// How many keys are remembered.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.limiters.read().values().map(|limiter| limiter.len()).sum::<usize>() + self.tallies.lock().len()
    }
}
