//! A reader that does not read: it costs nobody anything, and misses nothing.

use super::{follow, rename, seqs};
use crate::support::{TestApp, sse::From};

/// Changes that happen meanwhile, by so many writers at once.
const CHANGES: usize = 3_000;
const WRITERS: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_slept_gets_everything_in_order() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let mut asleep = follow(&app, &owner, &workspace, From::Query(0)).await;
    let mut awake = follow(&app, &owner, &workspace, From::Query(0)).await;
    let writers = (0..WRITERS).map(|writer| {
        let (owner, workspace) = (owner.clone(), workspace.clone());
        tokio::spawn(async move {
            for n in 0..CHANGES / WRITERS {
                rename(&owner, &workspace, &format!("{writer}.{n}")).await;
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let all: Vec<i64> = (1..=CHANGES as i64 + 2).collect();
    assert_eq!(seqs(&awake.facts(all.len()).await), all);
    for writer in writers {
        writer.await.expect("the writer is done");
    }
    // Who takes nothing for 30 s is cut off, and goes on where it was.
    let mut read = seqs(&asleep.facts_while_it_lasts(all.len()).await);
    if read.len() < all.len() {
        let last = From::Query(asleep.close());
        let mut again = follow(&app, &owner, &workspace, last).await;
        read.extend(seqs(&again.facts(all.len() - read.len()).await));
    }
    assert_eq!(read, all);
    app.stop().await;
}
