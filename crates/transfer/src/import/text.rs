//! Bytes to text: by their byte order mark, by what they declare, as UTF-8, else as what they most likely are.

use super::report::{Notes, Reason};
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// How far into a file a declaration of its encoding is looked for (HTML, section 13.2.3.2).
const DECLARED_WITHIN: usize = 1024;

/// Reads bytes as text. What cannot be read is noted.
pub fn decode(bytes: &[u8], notes: &mut Notes) -> String {
    let (encoding, bytes) = match Encoding::for_bom(bytes) {
        Some((encoding, len)) => (encoding, &bytes[len..]),
        None => (guess(bytes, notes), bytes),
    };
    let (text, broken) = encoding.decode_without_bom_handling(bytes);
    if broken {
        notes.add(Reason::CharactersReplaced, format!("not all of it is {}", encoding.name()));
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars().filter(|c| !is_dropped(*c)).collect()
}

/// Control characters mean nothing on a page, and some stores take none.
pub fn is_dropped(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t') || matches!(c, '\u{fffe}' | '\u{ffff}')
}

fn guess(bytes: &[u8], notes: &mut Notes) -> &'static Encoding {
    if let Some(encoding) = wide(bytes) {
        notes.add(Reason::EncodingGuessed, format!("read as {}", encoding.name()));
        return encoding;
    }
    if std::str::from_utf8(bytes).is_ok() {
        return UTF_8;
    }
    if let Some(encoding) = declared(bytes).filter(|encoding| *encoding != UTF_8) {
        return encoding;
    }
    if mostly_utf8(bytes) {
        return UTF_8;
    }
    notes.add(Reason::EncodingGuessed, "it is not UTF-8 and was read as windows-1252");
    WINDOWS_1252
}

/// `<meta charset=…>`, `charset=…` of an http-equiv, or `<?xml encoding=…?>`.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(DECLARED_WITHIN)];
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let at = ["charset=", "encoding="]
        .iter()
        .find_map(|word| Some(head.find(word)? + word.len()))?;
    let label: String = head[at..]
        .trim_start_matches(['"', '\'', ' '])
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "-_:.".contains(*c))
        .collect();
    // A declaration in ASCII is proof that the bytes are no UTF-16.
    Encoding::for_label(label.as_bytes()).map(|encoding| if encoding.is_ascii_compatible() { encoding } else { UTF_8 })
}

/// UTF-16 without a mark: every other byte of Latin text is 0.
fn wide(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(DECLARED_WITHIN) & !1];
    let zeros = |offset: usize| head.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let most = head.len() / 2 * 7 / 10;
    match (zeros(0), zeros(1)) {
        _ if head.len() < 8 => None,
        (_, low) if low > most => Some(encoding_rs::UTF_16LE),
        (high, _) if high > most => Some(encoding_rs::UTF_16BE),
        _ => None,
    }
}

/// A few broken bytes in what otherwise is UTF-8 beyond ASCII, as of a file that was cut.
fn mostly_utf8(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let (mut good, mut bad) = (0_usize, 0_usize);
    for c in text.chars() {
        good += usize::from(!c.is_ascii() && c != '\u{fffd}');
        bad += usize::from(c == '\u{fffd}');
    }
    good > bad * 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(bytes: &[u8], text: &str, reasons: &[Reason]) {
        let mut notes = Notes::default();
        assert_eq!(decode(bytes, &mut notes), text);
        let mut expected = Notes::default();
        reasons.iter().for_each(|reason| expected.add(*reason, ""));
        for reason in [Reason::EncodingGuessed, Reason::CharactersReplaced] {
            assert_eq!(notes.has(reason), expected.has(reason), "{notes:?}");
        }
    }

    fn wide(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(order).collect()
    }

    #[test]
    fn text_is_read_in_the_encoding_it_is_of() {
        check("é😀".as_bytes(), "é😀", &[]);
        check(b"\xef\xbb\xbfa\r\nb\rc\0d", "a\nb\ncd", &[]);
        check(&[b"\xff\xfe".to_vec(), wide("h€y", u16::to_le_bytes)].concat(), "h€y", &[]);
        check(&[b"\xfe\xff".to_vec(), wide("h€y", u16::to_be_bytes)].concat(), "h€y", &[]);
        check(
            &wide("# Notes, plain", u16::to_le_bytes),
            "# Notes, plain",
            &[Reason::EncodingGuessed],
        );
        check(b"<meta charset=\"shift_jis\">\x83\x65", "<meta charset=\"shift_jis\">テ", &[]);
        check(b"caf\xe9", "café", &[Reason::EncodingGuessed]);
        check(
            "Überälle grüße \u{20ac}\u{20ac}".as_bytes().split_last().expect("bytes").1,
            "Überälle grüße €\u{fffd}",
            &[Reason::CharactersReplaced],
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_some_text(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            let text = decode(&bytes, &mut Notes::default());
            prop_assert!(!text.chars().any(is_dropped));
        }

        #[test]
        fn utf8_stays_what_it_is(text in "[^\\p{Cc}\u{feff}\u{fffe}\u{ffff}]{0,200}") {
            prop_assert_eq!(decode(text.as_bytes(), &mut Notes::default()), text);
        }
    }
}
