//! What is let through, in memory and on Redis, alone and with several nodes.

use super::*;
use std::time::Instant;
use testing::Redis;

const PATIENCE: Duration = Duration::from_secs(20);

fn rule(name: &'static str, count: u32, window: Duration) -> Rule {
    Rule { name, count, window }
}

async fn on(redis: &Redis) -> Limits {
    Limits::redis(&redis.url().into()).await.expect("Redis answers")
}

/// What counts in memory, and what counts on a Redis of its own.
async fn both() -> (Redis, [Limits; 2]) {
    let redis = Redis::start().await;
    let shared = on(&redis).await;
    (redis, [Limits::memory(), shared])
}

async fn let_through(limits: &Limits, rule: Rule, key: &str, tries: u32) -> u32 {
    let mut through = 0;
    for _ in 0..tries {
        through += u32::from(limits.check(rule, key).await.retry_after.is_none());
    }
    through
}

#[tokio::test]
async fn so_many_go_through_at_once_and_each_key_has_its_own() {
    let (_redis, both) = both().await;
    let slow = rule("slow", 5, Duration::from_secs(600));
    for limits in both {
        let first = limits.check(slow, "ada").await;
        assert_eq!((first.remaining, first.retry_after), (4, None), "{limits:?}");
        assert_eq!(first.reset, Duration::from_secs(120), "{limits:?}");
        assert_eq!(let_through(&limits, slow, "ada", 10).await, 4, "{limits:?}");
        let refused = limits.check(slow, "ada").await;
        assert_eq!(refused.remaining, 0, "{limits:?}");
        let wait = refused.retry_after.expect("refused");
        assert!(
            wait > Duration::from_secs(110) && wait <= Duration::from_secs(120),
            "{limits:?}: {wait:?}"
        );
        assert_eq!(let_through(&limits, slow, "grace", 10).await, 5, "{limits:?}");
        assert_eq!(
            let_through(&limits, rule("other", 5, slow.window), "ada", 10).await,
            5,
            "{limits:?}"
        );
    }
}

#[tokio::test]
async fn they_come_back_one_by_one() {
    let (_redis, both) = both().await;
    let quick = rule("quick", 2, Duration::from_millis(400));
    for limits in both {
        assert_eq!(let_through(&limits, quick, "ada", 2).await, 2);
        let (started, wait) = (Instant::now(), limits.check(quick, "ada").await.retry_after.expect("refused"));
        while limits.check(quick, "ada").await.retry_after.is_some() {
            assert!(started.elapsed() < PATIENCE, "{limits:?}: nothing came back");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Not before it was said, but for what passed between asking and looking at the clock.
        let slack = Duration::from_millis(20);
        assert!(
            started.elapsed() + slack >= wait,
            "{limits:?}: back after {:?} of {wait:?}",
            started.elapsed()
        );
    }
}

#[tokio::test]
async fn a_request_that_one_rule_refuses_costs_nothing_under_those_behind_it() {
    let (_redis, both) = both().await;
    let minute = Duration::from_secs(600);
    let (strict, wide) = (rule("strict", 1, minute), rule("wide", 10, minute));
    let counted = [strict, wide].map(|rule| Counted {
        rule,
        key: "ada".to_owned(),
    });
    for limits in both {
        let all = limits.check_all(&counted).await;
        assert!(
            all.len() == 2 && all.iter().all(|one| one.retry_after.is_none()),
            "{limits:?}: {all:?}"
        );
        for _ in 0..5 {
            let some = limits.check_all(&counted).await;
            assert!(
                some.iter().any(|one| one.rule == strict && one.retry_after.is_some()),
                "{limits:?}: {some:?}"
            );
        }
        assert_eq!(limits.check(wide, "ada").await.remaining, 8, "{limits:?}");
    }
}

#[tokio::test]
async fn nodes_on_one_redis_count_together_also_at_the_same_time() {
    let redis = Redis::start().await;
    let (a, b) = (on(&redis).await, on(&redis).await);
    let slow = rule("slow", 50, Duration::from_secs(6000));
    let (from_a, from_b) = tokio::join!(let_through(&a, slow, "ada", 50), let_through(&b, slow, "ada", 50));
    assert_eq!(from_a + from_b, 50);
    for node in [&a, &b] {
        assert!(node.check(slow, "ada").await.retry_after.is_some());
    }
    let window = Duration::from_secs(600);
    assert_eq!(a.strike("login", window).await.count, 1);
    assert_eq!(b.strike("login", window).await.count, 2);
    b.forgive("login").await;
    assert_eq!(a.tally("login").await.count, 0);
}

#[tokio::test]
async fn without_redis_a_node_counts_for_itself_and_no_request_waits_for_long() {
    let mut redis = Redis::start().await;
    let limits = on(&redis).await;
    let slow = rule("slow", 5, Duration::from_secs(600));
    assert_eq!(let_through(&limits, slow, "ada", 2).await, 2);
    redis.kill9();
    let started = Instant::now();
    assert_eq!(let_through(&limits, slow, "ada", 200).await, 5);
    assert_eq!(limits.strike("login", slow.window).await.count, 1);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    redis.restart().await;
    // It counts there again, from the start, once it is found to be back.
    let started = Instant::now();
    while limits.check(slow, "ada").await.retry_after.is_some() {
        assert!(started.elapsed() < PATIENCE, "Redis is not found again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_tally_counts_until_its_window_ends_and_can_be_forgiven() {
    let (_redis, both) = both().await;
    let (long, short) = (Duration::from_secs(600), Duration::from_millis(200));
    for limits in both {
        assert_eq!(limits.tally("a").await, Tally::default());
        for count in 1..=3 {
            let tally = limits.strike("a", long).await;
            assert_eq!(tally.count, count, "{limits:?}");
            assert!(tally.left > Duration::from_secs(590) && tally.left <= long, "{limits:?}: {tally:?}");
        }
        assert_eq!((limits.tally("a").await.count, limits.tally("b").await.count), (3, 0), "{limits:?}");
        limits.take_back("a").await;
        limits.take_back("b").await;
        assert_eq!(
            (limits.tally("a").await.count, limits.tally("b").await),
            (2, Tally::default()),
            "{limits:?}"
        );
        limits.forgive("a").await;
        assert_eq!(limits.tally("a").await, Tally::default(), "{limits:?}");
        // The window begins with the first: later ones do not draw it out.
        let started = Instant::now();
        limits.strike("c", short).await;
        while limits.strike("c", short).await.count > 1 {
            assert!(started.elapsed() < PATIENCE, "{limits:?}: never forgotten");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[test]
fn keys_that_say_nothing_any_more_are_dropped() {
    let memory = Memory::default();
    let (quick, slow) = (
        rule("quick", 1, Duration::from_millis(1)),
        rule("slow", 1, Duration::from_secs(600)),
    );
    for n in 0..100 {
        for rule in [quick, slow] {
            memory.check(&[Counted { rule, key: n.to_string() }]);
        }
        memory.strike(&n.to_string(), Duration::from_millis(1));
    }
    let started = Instant::now();
    while memory.len() > 100 {
        assert!(started.elapsed() < PATIENCE, "{} are kept", memory.len());
        std::thread::sleep(Duration::from_millis(5));
        memory.prune(Duration::ZERO);
    }
    assert_eq!(memory.len(), 100);
}
