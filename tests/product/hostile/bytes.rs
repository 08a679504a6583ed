//! Bytes made by hand: sync messages, chunks and CBOR as an attacker writes them.

use automerge::{ActorId, AutoCommit, Change, ExpandedChange, ROOT, ReadDoc, transaction::CommitOptions, transaction::Transactable};
use documents::gate::chunk;

/// A sync message that says nothing but one Bloom filter.
pub fn bloom(entries: u64, bits: u64, probes: u64) -> Vec<u8> {
    let mut filter = Vec::new();
    for number in [entries, bits, probes] {
        chunk::write_leb128(&mut filter, number);
    }
    let mut message = vec![0x42, 0, 0, 1, 0];
    chunk::write_leb128(&mut message, filter.len() as u64);
    message.extend(filter);
    message.push(0);
    message
}

/// A sync message with changes.
pub fn message(changes: &[Vec<u8>]) -> Vec<u8> {
    let mut out = vec![0x42, 0, 0, 0];
    chunk::write_leb128(&mut out, changes.len() as u64);
    for change in changes {
        chunk::write_leb128(&mut out, change.len() as u64);
        out.extend(change);
    }
    out
}

/// A copy of a page from its saved bytes, with an actor.
pub fn copy(saved: &[u8], actor: ActorId) -> AutoCommit {
    AutoCommit::load(saved).expect("the page").with_actor(actor)
}

/// Types one character into the first block there is.
pub fn edit(doc: &mut AutoCommit) -> Change {
    let blocks = doc.get(ROOT, "blocks").expect("readable").expect("blocks").1;
    let id = doc.keys(&blocks).next().expect("a block");
    let block = doc.get(&blocks, id.as_str()).expect("readable").expect("the block").1;
    let text = doc.get(&block, "text").expect("readable").expect("its text").1;
    doc.splice_text(&text, 0, 0, "x").expect("typed");
    doc.commit_with(CommitOptions::default().with_time(1_795_000_000));
    doc.get_last_local_change().expect("a change")
}

/// A change like an honest one but for what `bend` does to it.
pub fn bent(doc: &mut AutoCommit, bend: impl FnOnce(&mut ExpandedChange)) -> Vec<u8> {
    let mut expanded = edit(doc).decode();
    expanded.hash = None;
    bend(&mut expanded);
    Change::from(expanded).raw_bytes().to_vec()
}

/// An automerge-repo frame as a CBOR map of texts, with optional data.
pub fn cbor(fields: &[(&str, &str)], data: Option<&[u8]>) -> Vec<u8> {
    let mut out = vec![0xa0 | (fields.len() + usize::from(data.is_some())) as u8];
    let text = |out: &mut Vec<u8>, text: &str| {
        out.extend([0x79, (text.len() >> 8) as u8, text.len() as u8]);
        out.extend(text.as_bytes());
    };
    for (key, value) in fields {
        text(&mut out, key);
        text(&mut out, value);
    }
    if let Some(data) = data {
        text(&mut out, "data");
        out.push(0x5a);
        out.extend((data.len() as u32).to_be_bytes());
        out.extend(data);
    }
    out
}
