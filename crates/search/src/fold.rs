//! How characters are made alike, so that a word is found however it is written: without case, accents and width. The
//! same for what is stored and what is asked, and for both databases, which are only ever given the result.

use unicode_normalization::{UnicodeNormalization, char::decompose_compatible, char::is_combining_mark};

/// Marks that are left out: accents of Latin, Greek and Cyrillic, points of Hebrew and Arabic. Marks of other scripts are
/// vowels and the like, without which another word stands there.
fn is_accent(c: char) -> bool {
    matches!(c as u32,
        0x0300..=0x036F | 0x0483..=0x0489 | 0x0591..=0x05C7 | 0x0610..=0x061A | 0x064B..=0x065F | 0x0670 | 0x06D6..=0x06ED
        | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF | 0xFE20..=0xFE2F)
}

/// Whether a character belongs to the one before it.
pub(crate) fn is_joined(c: char) -> bool {
    // The second and third parts of Korean syllables, and the marks of half-width kana.
    is_combining_mark(c) || matches!(c as u32, 0x1160..=0x11FF | 0xFF9E | 0xFF9F)
}

/// Whether a character is of a script that puts no spaces between words.
pub(crate) fn is_unspaced(c: char) -> bool {
    c.is_alphanumeric()
        && matches!(c as u32,
            0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1100..=0x11FF | 0x1780..=0x17FF | 0x2E80..=0x2FDF | 0x3005..=0x3007
            | 0x3040..=0x318F | 0x31A0..=0x31BF | 0x31F0..=0x31FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xA960..=0xA97F
            | 0xAC00..=0xD7FF | 0xF900..=0xFAFF | 0xFF66..=0xFF9F | 0x1B000..=0x1B16F | 0x20000..=0x323AF)
}

/// What stands for letters that have no accent to be taken from them, and still are written otherwise by many.
fn spelled_out(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ı' => "i",
        'ς' => "σ",
        _ => return None,
    })
}

/// Appends a character with those joined to it.
pub(crate) fn fold(cluster: &str, out: &mut String) {
    if cluster.is_ascii() {
        out.extend(cluster.chars().map(|c| c.to_ascii_lowercase()));
        return;
    }
    let mut plain = String::with_capacity(cluster.len());
    for c in cluster.chars() {
        decompose_compatible(c, |part| {
            if !is_accent(part) {
                part.to_lowercase().for_each(|low| push(low, &mut plain));
            }
        });
    }
    out.extend(plain.nfc().filter(|c| c.is_alphanumeric() || is_combining_mark(*c)));
}

fn push(c: char, plain: &mut String) {
    match spelled_out(c) {
        Some(spelled) => plain.push_str(spelled),
        // Some capitals become a letter and an accent.
        None if is_accent(c) => {}
        None => plain.push(c),
    }
}
