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
mod stranger;

use rand::{SeedableRng, rngs::StdRng};
use replica::{Manners, Replica};
use schedule::{Schedule, Tally};

/// Rounds of each kind that fit into every run of the suite.
const ROUNDS: u64 = 16;
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
fn what_is_put_under_the_end_of_a_circle_is_seen_there() {
    let mut rng = StdRng::seed_from_u64(1);
    let first = schedule::beginning();
    let [mut one, mut other] = ["x", "y"].map(|name| Replica::new(name, vec![first.clone()], &mut rng));
    let moved = one.hang("a", "b").expect("moved").0;
    let (theirs, _) = other.hang("b", "a").expect("moved");
    assert_ne!(moved.hash(), theirs.hash());
    one.take(vec![theirs]);
    let top = one.page.mirror().children[""].clone();
    let below = one.page.mirror().children[&top[0]].clone();
    assert_eq!((top.len(), below.len()), (1, 1), "the circle was cut once");
    let new = one.puts_under(&top[0]);
    // What says of itself that it hangs under `below` now hangs above it.
    one.hang(&below[0], &new).expect("moved");
    assert_eq!(one.page.mirror().parent_of(&below[0]), Some(new.as_str()));
}

#[test]
fn replicas_that_keep_to_the_edits_of_the_product_agree() {
    check(Manners::Ours);
}

#[test]
fn replicas_that_write_registers_as_they_please_agree() {
    check(Manners::Strangers);
}
