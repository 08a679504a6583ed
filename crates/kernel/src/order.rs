//! Order keys: strings that sort between any two neighbours (fractional indexing in base 62).
//!
//! A key is a fraction without its leading `0.`: digits `0-9A-Za-z`, compared bytewise, never ending in `0` (else
//! nothing fits below it). New keys carry random digits, so that two people inserting at the same place get
//! different keys; a pasted batch shares one infix, so that two pastes do not interleave.

use rand::{Rng, RngExt};

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const JITTER: usize = 4;
/// The digits that count up when keys are put at an end of a row: 62^6 of them, so that appending never grows a key.
const COUNTER: usize = 6;
/// The longest key a reader has to accept. Keys made here stay far below it.
pub const MAX_LEN: usize = 256;

fn value(digit: u8) -> Option<usize> {
    DIGITS.iter().position(|d| *d == digit)
}

/// Whether this is an order key that other keys can be put around.
pub fn is_valid(key: &str) -> bool {
    !key.is_empty() && key.len() <= MAX_LEN && key.bytes().all(|b| value(b).is_some()) && !key.ends_with('0')
}

/// The shortest key strictly between two, where `None` is the end of the row. Bounds that are no keys, or not in
/// order, are treated as absent rather than refused: a page written by strangers may hold anything.
fn middle(low: Option<&str>, high: Option<&str>) -> String {
    let low = low.filter(|k| is_valid(k)).unwrap_or("");
    let high = high.filter(|k| is_valid(k) && *k > low);
    let mut out = String::new();
    let mut bounded = high.is_some();
    for i in 0.. {
        let l = low.as_bytes().get(i).and_then(|b| value(*b)).unwrap_or(0);
        let h = match high.filter(|_| bounded) {
            Some(high) => high.as_bytes().get(i).and_then(|b| value(*b)).unwrap_or(0),
            None => DIGITS.len(),
        };
        if h > l + 1 {
            out.push(char::from(DIGITS[(l + h) / 2]));
            break;
        }
        // No room at this digit: take the lower one and go deeper. Once below the upper bound, it binds no more.
        bounded = bounded && h == l;
        out.push(char::from(DIGITS[l]));
    }
    out
}

/// The counter of a key, one up or one down. `None` when it runs over.
fn step(key: &str, up: bool) -> Option<String> {
    let bytes = key.as_bytes();
    let number = (0..COUNTER).fold(0_usize, |n, i| n * 62 + bytes.get(i).and_then(|b| value(*b)).unwrap_or(0));
    let mut number = if up {
        number.checked_add(1).filter(|n| *n < 62_usize.pow(COUNTER as u32))
    } else {
        number.checked_sub(1)
    }?;
    let mut out = [b'0'; COUNTER];
    for place in out.iter_mut().rev() {
        *place = DIGITS[number % 62];
        number /= 62;
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

/// A new key between two neighbours, with random digits behind it.
pub fn between(low: Option<&str>, high: Option<&str>, rng: &mut impl Rng) -> String {
    let (low, high) = (low.filter(|k| is_valid(k)), high.filter(|k| is_valid(k)));
    let stepped = match (low, high) {
        (None, None) => Some("V00000".to_owned()),
        (Some(low), None) => step(low, true),
        (None, Some(high)) => step(high, false),
        (Some(_), Some(_)) => None,
    };
    let mut key = stepped.unwrap_or_else(|| middle(low, high));
    for _ in 0..JITTER {
        key.push(char::from(DIGITS[rng.random_range(0..DIGITS.len())]));
    }
    // A key that ends in 0 leaves no room below it.
    key.push(char::from(DIGITS[rng.random_range(1..DIGITS.len())]));
    key
}

/// `count` ascending keys between two neighbours, all behind one shared random infix.
pub fn batch(low: Option<&str>, high: Option<&str>, count: usize, rng: &mut impl Rng) -> Vec<String> {
    let stem = between(low, high, rng);
    let mut width = 1;
    while DIGITS.len().pow(width) <= count {
        width += 1;
    }
    (0..count)
        .map(|n| {
            let mut n = n;
            let mut digits = vec![b'0'; width as usize];
            for place in digits.iter_mut().rev() {
                *place = DIGITS[n % DIGITS.len()];
                n /= DIGITS.len();
            }
            // The closing digit keeps the key from ending in 0.
            format!("{stem}{}V", String::from_utf8_lossy(&digits))
        })
        .collect()
}

#[cfg(test)]
#[path = "order_tests.rs"]
mod tests;
