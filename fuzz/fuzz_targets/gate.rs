//! The admission gate under arbitrary bytes: sync messages, chunks, and change bodies with a true checksum. Nothing may
//! panic outside the guards, no memory may run away, and what is admitted must leave a page that saves and loads, or be
//! found out by trying.
#![no_main]

use documents::{
    gate::{
        change::{At, Gate, Verdict},
        chunk,
    },
    limits::Limits,
    op::NewBlock,
    page::Page,
};
use libfuzzer_sys::fuzz_target;
use std::sync::Once;

static QUIET: Once = Once::new();

fn page() -> Page {
    let block = NewBlock { id: Some("b".into()), kind: "paragraph".into(), text: "honest".into(), ..NewBlock::default() };
    Page::create("Page", &[block], &Limits::default(), 1).expect("a page").0
}

fn admit(page: &Page, chunks: Vec<Vec<u8>>) -> Vec<automerge::Change> {
    let limits = Limits::default();
    let mut gate = Gate::default();
    let mut admitted = Vec::new();
    for bytes in chunks {
        match gate.check(At { page, limits: &limits }, &bytes, |_| true) {
            Ok(Verdict::Admitted(change)) => admitted.push(*change),
            Ok(Verdict::Known) => {}
            Err(_) => break,
        }
    }
    admitted
}

fuzz_target!(|data: &[u8]| {
    // libFuzzer's own hook ends the process at every panic, also at those that the gate catches and answers.
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    let limits = Limits::default();
    if let Ok(message) = collab::wire::sync::read(data, 1_000) {
        for bytes in &message.changes {
            drop(chunk::split(bytes, limits.change_bytes, 1_000));
        }
    }
    let mut page = page();
    let split = chunk::split(data, limits.change_bytes, 1_000).unwrap_or_default();
    for chunks in [split, vec![chunk::frame(data)]] {
        let admitted = admit(&page, chunks);
        if admitted.is_empty() {
            continue;
        }
        // As the room does it: on a copy, kept only when it can be saved and loaded.
        let mut trial = page.copy();
        if trial.apply(admitted).and_then(|_| trial.save_verified()).is_ok() {
            page = trial;
        }
    }
    page.save_verified().expect("the page stands");
});
