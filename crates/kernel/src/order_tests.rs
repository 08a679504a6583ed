//! Order keys under random use.

use super::*;
use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng};

fn check(inserts: &[usize], seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut row: Vec<String> = Vec::new();
    for at in inserts {
        let at = at % (row.len() + 1);
        let low = at.checked_sub(1).map(|i| row[i].as_str());
        let key = between(low, row.get(at).map(String::as_str), &mut rng);
        assert!(is_valid(&key), "{key}");
        row.insert(at, key);
    }
    assert!(row.windows(2).all(|w| w[0] < w[1]), "{row:?}");
}

proptest! {
    #[test]
    fn keys_stay_in_the_order_they_were_put(inserts in proptest::collection::vec(0_usize..1000, 1..120), seed: u64) {
        check(&inserts, seed);
    }

    #[test]
    fn a_batch_fits_between_its_neighbours(count in 1_usize..300, seed: u64) {
        let mut rng = StdRng::seed_from_u64(seed);
        let low = between(None, None, &mut rng);
        let high = between(Some(&low), None, &mut rng);
        let keys = batch(Some(&low), Some(&high), count, &mut rng);
        prop_assert_eq!(keys.len(), count);
        prop_assert!(keys.iter().all(|k| is_valid(k) && *k > low && *k < high));
        prop_assert!(keys.windows(2).all(|w| w[0] < w[1]));
    }
}

#[test]
fn always_at_the_front_stays_short_enough() {
    check(&vec![0; 400], 7);
}

#[test]
fn ten_thousand_appends_do_not_grow_the_key() {
    let mut rng = StdRng::seed_from_u64(3);
    let mut last = between(None, None, &mut rng);
    for _ in 0..10_000 {
        let next = between(Some(&last), None, &mut rng);
        assert!(next > last);
        last = next;
    }
    assert!(last.len() <= 16, "{last}");
}

#[test]
fn bounds_that_are_no_keys_do_not_stop_it() {
    let mut rng = StdRng::seed_from_u64(1);
    for (low, high) in [
        (Some("zz"), Some("A")),
        (Some("!"), Some("\u{1F600}")),
        (Some("0"), Some("0")),
        (None, Some("01")),
    ] {
        assert!(is_valid(&between(low, high, &mut rng)));
    }
}
