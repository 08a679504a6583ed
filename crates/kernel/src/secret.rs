//! Random tokens that are handed out once and kept only as a hash.

use rand::RngExt;

/// 256 random bits as 64 hexadecimal digits: more than can be guessed, nothing that needs escaping.
pub fn token() -> String {
    let mut bytes = [0_u8; 32];
    rand::rng().fill(&mut bytes);
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
