//! The schedule.

use super::*;
use clap::Parser;

#[test]
fn edits_are_due_evenly_whoever_writes_and_whenever_somebody_looks() {
    let args = Args::parse_from([
        "socket-load",
        "--server",
        "x",
        "--pages",
        "2",
        "--writers",
        "2",
        "--rate",
        "0.5",
        "--churn",
        "3",
    ]);
    let mut schedule = Schedule::new(&args, 1_000);
    assert_eq!(schedule.next_edit(1_000), None);
    assert_eq!(schedule.next_edit(1_001), Some((0, 1_000)));
    assert_eq!(schedule.next_edit(501_000), None);
    assert_eq!(schedule.next_due(), 1_000);
    assert_eq!((schedule.visitors(1_001), schedule.visitors(1_002)), (1, 0));
    assert_eq!(schedule.next_due(), 334_333);
    assert_eq!((schedule.left(1_000_000), schedule.left(10_000_000)), (0, 18));
    // Whoever looks late finds all that was missed, in order.
    let missed: Vec<_> = std::iter::from_fn(|| schedule.next_edit(2_001_001)).collect();
    assert_eq!(missed, [(1, 501_000), (2, 1_001_000), (3, 1_501_000), (0, 2_001_000)]);
}

#[test]
fn nobody_writes_when_there_are_no_writers() {
    let args = Args::parse_from(["socket-load", "--server", "x", "--writers", "0"]);
    let mut schedule = Schedule::new(&args, 0);
    assert_eq!(schedule.next_edit(u64::MAX - 1), None);
    assert_eq!(schedule.visitors(u64::MAX - 1), 0);
    assert_eq!(schedule.next_due(), u64::MAX);
}
