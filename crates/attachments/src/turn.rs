//! Turns: how many uploads run at once in this process. Each holds a connection and some memory for as long as its sender
//! likes, within limits.

use crate::Error;
use kernel::id::UserId;
use parking_lot::Mutex;
use std::{collections::HashMap, sync::LazyLock};

/// Of everybody together.
const MOST: usize = 128;
/// Of one person.
const MOST_EACH: usize = 8;

static RUNNING: LazyLock<Mutex<HashMap<UserId, usize>>> = LazyLock::new(Mutex::default);

/// An upload that runs. Dropping it makes room for another.
#[derive(Debug)]
pub struct Turn(UserId);

/// Takes a turn for somebody's upload.
///
/// # Errors
/// [`Error::Busy`].
pub fn take(user: UserId) -> Result<Turn, Error> {
    let mut running = RUNNING.lock();
    let own = running.get(&user).copied().unwrap_or_default();
    if own >= MOST_EACH || running.values().sum::<usize>() >= MOST {
        return Err(Error::Busy);
    }
    running.insert(user, own + 1);
    Ok(Turn(user))
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut running = RUNNING.lock();
        let left = running.get(&self.0).copied().unwrap_or_default().saturating_sub(1);
        if left == 0 {
            running.remove(&self.0);
        } else {
            running.insert(self.0, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_has_so_many_and_keeps_nobody_else_out() {
        let (one, other) = (UserId::new(), UserId::new());
        let mut turns: Vec<Turn> = (0..MOST_EACH).map(|_| take(one).expect("a turn")).collect();
        assert!(matches!(take(one), Err(Error::Busy)));
        drop(take(other).expect("a turn"));
        turns.pop();
        turns.push(take(one).expect("a turn again"));
    }
}
