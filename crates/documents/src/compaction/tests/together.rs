//! Several who work on one page at the same time.

use super::*;
use std::sync::Arc;
use tokio::task::JoinSet;

#[tokio::test]
async fn a_save_that_comes_late_or_twice_does_not_cost_a_good_one() {
    let mut typing = Typing::saved_at(10, &[10]).await;
    let (late, at_ten) = (typing.page.save_verified().unwrap(), typing.head.clone());
    for save in [20, 30] {
        typing.types_up_to(save).await;
        typing.save().await;
    }
    typing.save().await;
    let kept = async || snapshot::kept(typing.db(), typing.document, typing.head.epoch).await.unwrap();
    assert_eq!(kept().await, [30, 20]);
    write(typing.db(), async |tx: &DatabaseTransaction| {
        snapshot::keep(tx, typing.document, &at_ten, late).await
    })
    .await
    .unwrap();
    assert_eq!((kept().await, typing.sizes().await.snapshots), (vec![30, 20], 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_that_fold_the_same_page_at_once_fold_it_once() {
    let typing = Arc::new(Typing::saved_at(700, &[600, 650]).await);
    let authors = typing.authors().await;
    let mut workers = JoinSet::new();
    for _ in 0..4 {
        let typing = typing.clone();
        workers.spawn(async move { typing.fold(&NONE_KEPT).await.unwrap().rows });
    }
    let rows: u64 = workers.join_all().await.into_iter().sum();
    assert_eq!((rows, typing.sizes().await.archives), (600, 1));
    assert_eq!(typing.authors().await, authors);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn typing_saving_loading_and_folding_at_once_lose_nothing() {
    let mut typing = Typing::saved_at(40, &[20, 40]).await;
    let (db, document) = (typing.db().clone(), typing.document);
    let is_over = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let over = std::sync::atomic::Ordering::SeqCst;
    let mut others = JoinSet::new();
    for reads in [true, false, false] {
        let (db, is_over) = (db.clone(), is_over.clone());
        others.spawn(async move {
            let mut count = 0;
            while !is_over.load(over) || count == 0 {
                if reads {
                    let (page, stored) = snapshot::load(&db, document).await.unwrap();
                    assert_eq!(page.mirror().blocks["b"].text.len() as i64, stored.head.seq - 1);
                    let authors = authors(&db, document).await.unwrap();
                    assert!(authors.len() as i64 >= stored.head.seq);
                    count += 1;
                } else {
                    count += fold_once(&db, document, &NONE_KEPT).await.unwrap().rows;
                }
            }
            if reads { 0 } else { count }
        });
    }
    for _ in 0..40 {
        assert!(typing.types(10).await, "folding moves no head");
        typing.save().await;
    }
    // The last rows are too young for whoever looks in the same millisecond.
    typing.was_long_ago(i64::MAX).await;
    is_over.store(true, over);
    let folded: u64 = others.join_all().await.into_iter().sum();
    let rest = typing.fold(&NONE_KEPT).await.unwrap().rows;
    assert_eq!((folded + rest) as i64, typing.head.seq - 10);
    assert!(folded > 0);
    assert!(typing.authors().await.iter().map(|author| author.seq).eq(1..=typing.head.seq));
    typing.loads().await;
}
