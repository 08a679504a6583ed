//! Heads: the change hashes that nothing follows. In tables they are 32 bytes each, one behind the other, sorted;
//! in JSON a list of hexadecimal strings.

use automerge::ChangeHash;

/// One head.
pub type Hash = ChangeHash;

/// As bytes for a table.
pub fn to_bytes(heads: &[ChangeHash]) -> Vec<u8> {
    let mut sorted = heads.to_vec();
    sorted.sort();
    sorted.iter().flat_map(|hash| hash.0).collect()
}

/// From a table. Bytes behind the last whole hash are ignored.
pub fn from_bytes(bytes: &[u8]) -> Vec<ChangeHash> {
    bytes.as_chunks::<32>().0.iter().map(|hash| ChangeHash(*hash)).collect()
}

/// As the strings that clients see.
pub fn to_strings(heads: &[ChangeHash]) -> Vec<String> {
    let mut out: Vec<String> = heads.iter().map(ToString::to_string).collect();
    out.sort();
    out
}

/// From the strings that clients send; `None` when one of them is no hash.
pub fn from_strings(heads: &[String]) -> Option<Vec<ChangeHash>> {
    heads.iter().map(|hash| hash.parse().ok()).collect()
}

/// The heads once a change stands on top: its dependencies are covered, it is not.
pub fn advance(heads: &mut Vec<ChangeHash>, deps: &[ChangeHash], hash: ChangeHash) {
    heads.retain(|head| !deps.contains(head));
    if !heads.contains(&hash) {
        heads.push(hash);
    }
    heads.sort();
}
