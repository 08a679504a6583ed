//! Passwords: what may be one, and their hashes (argon2id).

use crate::{Error, Settings};
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use kernel::error::Field;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Characters. Longer ones are no safer, and hashing them is work a stranger could order.
const LENGTHS: std::ops::RangeInclusive<usize> = 8..=256;

/// Hashes and verifies, a bounded number at a time and never on an async thread.
pub struct Hasher {
    argon: Argon2<'static>,
    permits: Arc<Semaphore>,
    /// Verified against when there is no such account, so that the answer takes as long.
    nobody: tokio::sync::OnceCell<String>,
    /// How much work was done, for tests that compare it.
    #[cfg(test)]
    runs: std::sync::atomic::AtomicU64,
}

impl Hasher {
    /// A hasher of the configured cost.
    pub fn new(settings: &Settings) -> Self {
        let params = Params::new(settings.hash_memory_kib, settings.hash_iterations, settings.hash_parallelism, None);
        let params = params.unwrap_or_else(|error| {
            tracing::warn!(%error, "argon2 does not take the configured cost; using its default");
            Params::default()
        });
        Self {
            argon: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            permits: Arc::new(Semaphore::new(settings.concurrent_hashes.max(1))),
            nobody: tokio::sync::OnceCell::new(),
            #[cfg(test)]
            runs: std::sync::atomic::AtomicU64::new(0),
        }
    }

    #[cfg(test)]
    fn count(&self) {
        self.runs.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(crate) fn runs(&self) -> u64 {
        self.runs.load(std::sync::atomic::Ordering::Relaxed)
    }

    #[cfg(test)]
    pub(crate) fn permits(&self) -> Arc<Semaphore> {
        self.permits.clone()
    }

    /// Runs work while holding a permit. The permit moves into the thread: a request that goes away does not free it
    /// while the hash still runs.
    pub(crate) async fn run<T: Send + 'static>(&self, work: impl FnOnce(&Argon2<'static>) -> T + Send + 'static) -> Result<T, Error> {
        let internal = |e: String| Error::Internal(e);
        let permit = self.permits.clone().acquire_owned().await.map_err(|e| internal(e.to_string()))?;
        let argon = self.argon.clone();
        let done = tokio::task::spawn_blocking(move || {
            let done = work(&argon);
            drop(permit);
            done
        });
        done.await.map_err(|e| internal(e.to_string()))
    }

    /// A password's hash as a PHC string.
    ///
    /// # Errors
    /// Only faults of ours.
    pub async fn hash(&self, password: String) -> Result<String, Error> {
        #[cfg(test)]
        self.count();
        let hashed = self
            .run(move |argon| argon.hash_password(password.as_bytes()).map(|hash| hash.to_string()))
            .await?;
        hashed.map_err(|e| Error::Internal(e.to_string()))
    }

    /// What is wrong with a new password, if anything, and the password back. Estimating takes long enough to be bounded
    /// like hashing. `about` holds what an attacker would try first: the name and the address.
    ///
    /// # Errors
    /// Only faults of ours.
    pub async fn judge(&self, password: String, about: [String; 2]) -> Result<(String, Option<Field>), Error> {
        self.run(move |_| {
            let problem = problem(&password, &[&about[0], &about[1]]);
            (password, problem)
        })
        .await
    }

    /// Whether a hash was made at another cost than the configured one, and so is to be made anew.
    pub fn is_outdated(&self, hash: &str) -> bool {
        let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        let made = PasswordHash::new(hash).ok().and_then(|parsed| Params::try_from(&parsed).ok());
        made.is_none_or(|made| cost(&made) != cost(self.argon.params()))
    }

    /// Whether a password is the one that was hashed; `None`, and the empty hash of an account without a password, cost
    /// the same and are never right.
    ///
    /// # Errors
    /// Only faults of ours.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, Error> {
        let hash = hash.filter(|hash| !hash.is_empty());
        let is_somebody = hash.is_some();
        // Made for whoever comes first: made for the first unknown address, it would show which that is.
        let nobody = self.nobody.get_or_try_init(|| self.hash("nobody has this password".to_owned()));
        let nobody = nobody.await?.clone();
        let hash = hash.unwrap_or(nobody);
        #[cfg(test)]
        if PasswordHash::new(&hash).is_ok() {
            // What cannot be read costs no argon2 at all.
            self.count();
        }
        let is_right =
            self.run(move |argon| PasswordHash::new(&hash).is_ok_and(|parsed| argon.verify_password(password.as_bytes(), &parsed).is_ok()));
        Ok(is_right.await? && is_somebody)
    }
}

fn problem(password: &str, about: &[&str]) -> Option<Field> {
    let length = password.chars().count();
    if length < *LENGTHS.start() {
        return Some(Field::new(
            "/password",
            "too_short",
            format!("takes at least {} characters", LENGTHS.start()),
        ));
    }
    if length > *LENGTHS.end() {
        return Some(Field::new(
            "/password",
            "too_long",
            format!("takes at most {} characters", LENGTHS.end()),
        ));
    }
    let estimate = zxcvbn::zxcvbn(password, about);
    if estimate.score() >= zxcvbn::Score::Two {
        return None;
    }
    let hints = estimate.feedback().map(|feedback| {
        let warning = feedback.warning().map(|warning| warning.to_string());
        warning
            .into_iter()
            .chain(feedback.suggestions().iter().map(ToString::to_string))
            .collect::<Vec<_>>()
            .join(" ")
    });
    Some(Field::new(
        "/password",
        "too_weak",
        format!("is too easy to guess. {}", hints.unwrap_or_default()).trim_end(),
    ))
}
