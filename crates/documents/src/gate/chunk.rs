//! Automerge chunks, parsed by ourselves: magic, checksum, type, length, body.
//!
//! The layout is that of Automerge's binary format: `85 6f 4a 83`, four bytes of checksum, one byte of type, the
//! length as unsigned LEB128, the body. Type 1 is a change; type 2 a change deflated (raw deflate, checksum over the
//! inflated form). Types 0 (document) and 3 (bundle) are refused: they inflate columns we cannot bound.

use super::Refusal;
use flate2::read::DeflateDecoder;
use sha2::{Digest, Sha256};
use std::io::Read;

/// How every chunk begins.
pub const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const CHANGE: u8 = 1;
const COMPRESSED: u8 = 2;

/// Reads an unsigned LEB128 number of at most `max`.
pub fn leb128(input: &[u8], max: u64) -> Result<(u64, &[u8]), Refusal> {
    let mut value = 0_u64;
    for (i, byte) in input.iter().enumerate().take(10) {
        let bits = u64::from(byte & 0x7f);
        if i == 9 && bits > 1 {
            break;
        }
        value |= bits << (7 * i);
        if byte & 0x80 == 0 {
            if *byte == 0 && i > 0 {
                return Err(Refusal::Malformed("a number is not written shortest"));
            }
            if value > max {
                return Err(Refusal::TooLarge("a count"));
            }
            return Ok((value, &input[i + 1..]));
        }
    }
    Err(Refusal::Malformed("a number does not end"))
}

/// Takes `n` bytes.
pub fn take(input: &[u8], n: u64) -> Result<(&[u8], &[u8]), Refusal> {
    let n = usize::try_from(n).map_err(|_| Refusal::TooLarge("a length"))?;
    input.split_at_checked(n).ok_or(Refusal::Malformed("it ends too early"))
}

/// Splits bytes into change chunks, each uncompressed. `limit` bounds each body once inflated and `count` their number;
/// all of them together inflate to at most four times `limit`.
///
/// # Errors
/// When a byte is out of place; then none of it was used.
pub fn split(mut input: &[u8], limit: usize, count: usize) -> Result<Vec<Vec<u8>>, Refusal> {
    let mut out = Vec::new();
    let mut budget = limit.saturating_mul(4);
    while !input.is_empty() {
        if out.len() >= count {
            return Err(Refusal::TooLarge("the number of changes"));
        }
        let (chunk, rest) = one(input, limit.min(budget))?;
        budget = budget.saturating_sub(chunk.len());
        out.push(chunk);
        input = rest;
    }
    Ok(out)
}

fn one(input: &[u8], limit: usize) -> Result<(Vec<u8>, &[u8]), Refusal> {
    let (head, rest) = take(input, 9)?;
    if head[..4] != MAGIC {
        return Err(Refusal::Malformed("no chunk begins here"));
    }
    let (length, rest) = leb128(rest, limit as u64)?;
    let (body, rest) = take(rest, length)?;
    let body = match head[8] {
        CHANGE => body.to_vec(),
        COMPRESSED => inflate(body, limit)?,
        0 => return Err(Refusal::Unsupported("whole documents; send changes")),
        _ => return Err(Refusal::Unsupported("this type of chunk")),
    };
    let chunk = frame(&body);
    if chunk[4..8] != head[4..8] {
        return Err(Refusal::Malformed("the checksum is wrong"));
    }
    Ok((chunk, rest))
}

fn inflate(body: &[u8], limit: usize) -> Result<Vec<u8>, Refusal> {
    let mut out = Vec::new();
    let mut bounded = DeflateDecoder::new(body).take(limit as u64 + 1);
    bounded
        .read_to_end(&mut out)
        .map_err(|_| Refusal::Malformed("it does not inflate"))?;
    if out.len() > limit {
        return Err(Refusal::TooLarge("a change once inflated"));
    }
    Ok(out)
}

/// A change body as an uncompressed chunk with its true checksum.
pub fn frame(body: &[u8]) -> Vec<u8> {
    let mut hashed = vec![CHANGE];
    write_leb128(&mut hashed, body.len() as u64);
    hashed.extend_from_slice(body);
    let digest = Sha256::digest(&hashed);
    let mut out = Vec::with_capacity(hashed.len() + 8);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&digest[..4]);
    out.extend_from_slice(&hashed);
    out
}

/// Appends an unsigned LEB128 number.
pub fn write_leb128(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}
