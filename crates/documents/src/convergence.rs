//! Three replicas of one page, edited at the same time by every kind of structural edit and its undoing, and brought
//! together in any order: no block is lost, none stands twice, none is part of a circle, and all replicas show what a
//! slow and obvious derivation of the tree says.
//!
//! A failing seed is printed. `SHEAF_TREE_SEED=7 cargo test -p documents convergence` plays it again,
//! `SHEAF_TREE_ROUNDS=1000` plays more of them.

mod copy;
mod reference;
mod replica;
mod schedule;

use replica::Manners;
use schedule::{Schedule, Tally};

/// Rounds of each kind that fit into every run of the suite.
const ROUNDS: u64 = 25;
/// Edits and meetings of a round.
const STEPS: usize = 60;

#[expect(clippy::disallowed_methods, reason = "options of a test")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn check(manners: Manners) {
    let rounds = number("SHEAF_TREE_ROUNDS").unwrap_or(ROUNDS);
    let seeds: Vec<u64> = number("SHEAF_TREE_SEED").map_or_else(|| (0..rounds).collect(), |seed| vec![seed]);
    let mut tally = Tally::default();
    for seed in &seeds {
        let played = std::panic::catch_unwind(|| Schedule::new(*seed, manners).play(STEPS));
        match played {
            Ok(more) => tally.add(&more),
            Err(_) => panic!("seed {seed} failed; play it again with SHEAF_TREE_SEED={seed}"),
        }
    }
    if seeds.len() > 10 {
        tally.has_everything(manners);
    }
}

#[test]
fn replicas_that_keep_to_the_edits_of_the_product_agree() {
    check(Manners::Ours);
}

#[test]
fn replicas_that_write_registers_as_they_please_agree() {
    check(Manners::Strangers);
}
