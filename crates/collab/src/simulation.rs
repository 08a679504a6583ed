//! Seeded simulation of rooms: random clients on several nodes, dropped and repeated messages, late news, locks, commits
//! whose outcome is unknown, crashes at any point. At the end everybody is brought together, and all have to agree: the log
//! replayed, every room, every Automerge replica, every JSON client's own copy. Whatever was acknowledged is there once.
//!
//! A failing seed is printed. `SHEAF_SIM_SEED=7 cargo test -p collab simulation` plays it again, `SHEAF_SIM_ROUNDS=1000`
//! plays more of them.

mod json_client;
mod node;
mod replica;
mod world;

use world::World;

#[expect(clippy::disallowed_methods, reason = "options of a test")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn replicas_end_equal_whatever_happens() {
    let rounds = number("SHEAF_SIM_ROUNDS").unwrap_or(60);
    let seeds: Vec<u64> = number("SHEAF_SIM_SEED").map_or_else(|| (0..rounds).collect(), |seed| vec![seed]);
    for seed in seeds {
        let played = std::panic::catch_unwind(|| World::new(seed).play(150));
        assert!(played.is_ok(), "seed {seed} failed; play it again with SHEAF_SIM_SEED={seed}");
    }
}
