//! The text that every measured edit inserts: who wrote it, which one it is, and when it left.
//!
//! A marker has a fixed length and is plain ASCII, so it stands unchanged in JSON, in an uncompressed Automerge change
//! and in a frame that carries many edits, and is found there by looking for bytes instead of parsing.

/// Bytes of a marker.
pub const LEN: usize = 26;
const EDGE: u8 = b'~';

/// One edit, as its text names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The writer's number on its page.
    pub writer: u32,
    /// The number of the writer's edit, from 0.
    pub number: u32,
    /// When it was sent, in microseconds of the run's clock.
    pub sent: u64,
}

impl Marker {
    /// The text to insert.
    pub fn text(&self) -> String {
        format!("~{:05}.{:06}.{:011}~", self.writer, self.number, self.sent)
    }
}

/// Calls `each` for every marker in the bytes.
pub fn find(mut bytes: &[u8], mut each: impl FnMut(Marker)) {
    while let Some(at) = memchr::memchr(EDGE, bytes) {
        bytes = &bytes[at..];
        match read(bytes) {
            Some(marker) => {
                each(marker);
                bytes = &bytes[LEN..];
            }
            None => bytes = &bytes[1..],
        }
    }
}

fn read(bytes: &[u8]) -> Option<Marker> {
    let bytes: &[u8; LEN] = bytes.first_chunk()?;
    if bytes[LEN - 1] != EDGE || bytes[6] != b'.' || bytes[13] != b'.' {
        return None;
    }
    Some(Marker {
        writer: u32::try_from(number(&bytes[1..6])?).ok()?,
        number: u32::try_from(number(&bytes[7..13])?).ok()?,
        sent: number(&bytes[14..LEN - 1])?,
    })
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |value, digit| {
        let digit = digit.wrapping_sub(b'0');
        (digit < 10).then(|| value * 10 + u64::from(digit))
    })
}

/// What one client has seen of one writer: the highest number, and which of the 64 before it.
#[derive(Clone, Copy, Default)]
pub struct Seen {
    next: u32,
    mask: u64,
}

/// What a sighting is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// Seen for the first time.
    New,
    /// Seen before.
    Again,
    /// So far behind the newest that nobody remembers: a page that was sent whole.
    TooOld,
}

impl Seen {
    /// Takes note of a writer's edit.
    pub fn note(&mut self, number: u32) -> Sighting {
        if number >= self.next {
            self.mask = self.mask.checked_shl(number - self.next + 1).unwrap_or(0) | 1;
            self.next = number + 1;
            return Sighting::New;
        }
        let behind = self.next - 1 - number;
        if behind >= u64::BITS {
            return Sighting::TooOld;
        }
        let bit = 1 << behind;
        let was = self.mask & bit;
        self.mask |= bit;
        if was == 0 { Sighting::New } else { Sighting::Again }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Vec<Marker> {
        let mut found = Vec::new();
        find(bytes, |marker| found.push(marker));
        found
    }

    #[test]
    fn every_marker_of_a_batch_is_found() {
        let one = Marker {
            writer: 7,
            number: 123,
            sent: 4_567_890,
        };
        let two = Marker {
            writer: 99_999,
            number: 0,
            sent: 1,
        };
        assert_eq!(one.text().len(), LEN);
        let frame = format!(
            r#"{{"items":[{{"text":"~{}{}"}},{{"text":"{}"}}]}}"#,
            one.text(),
            two.text(),
            one.text()
        );
        assert_eq!(all(frame.as_bytes()), [one, two, one]);
    }

    #[test]
    fn what_only_looks_like_a_marker_is_passed_over() {
        assert_eq!(all(b""), []);
        assert_eq!(all(b"~~~~"), []);
        assert_eq!(all(b"~00001.000001.0000000000x~"), []);
        assert_eq!(
            all(&Marker {
                writer: 1,
                number: 1,
                sent: 1
            }
            .text()
            .as_bytes()[..LEN - 1]),
            []
        );
    }

    #[test]
    fn each_edit_counts_once_in_whatever_order_it_comes() {
        let mut seen = Seen::default();
        assert_eq!([3, 1, 3, 0, 1, 2].map(|n| seen.note(n)), {
            use Sighting::{Again, New};
            [New, New, Again, New, Again, New]
        });
        assert_eq!(seen.note(200), Sighting::New);
        assert_eq!(seen.note(137), Sighting::New);
        assert_eq!(seen.note(136), Sighting::TooOld);
        assert_eq!(seen.note(u32::MAX - 1), Sighting::New);
    }
}
