//! What people call a file. It is for people alone: no path is ever made of it. Still it may end up as one on somebody's
//! disk when they download it, so that what could hurt there is taken out.

/// The longest name, in bytes: what file systems take.
pub const MAX_BYTES: usize = 255;
/// What a file is called that has no name.
const NAMELESS: &str = "file";
/// The longest ending that is kept when a name is cut.
const ENDING_BYTES: usize = 16;

/// Names of devices on Windows, with any ending.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// A name that does no harm: the last part of a path, without control characters, characters that turn the direction of
/// text or cannot be seen, and what file systems do not take; no device's name; at most [`MAX_BYTES`] long.
pub fn clean(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).find(|part| !part.trim_matches(['.', ' ']).is_empty());
    let kept: String = last.unwrap_or_default().chars().filter(|c| !is_hidden(*c)).map(harmless).collect();
    let kept = cut(kept.trim().trim_end_matches(['.', ' ']).trim_start());
    match kept.as_str() {
        "" => NAMELESS.to_owned(),
        device if is_device(device) => cut(&format!("_{device}")),
        _ => kept,
    }
}

/// Control characters, and those of Unicode that turn text around, join or hide (general category Cf, as far as names are
/// concerned).
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn harmless(c: char) -> char {
    match c {
        '<' | '>' | ':' | '"' | '|' | '?' | '*' => '_',
        c => c,
    }
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let numbered = ["com", "lpt"].iter().any(|port| {
        let number = stem.strip_prefix(port);
        number.is_some_and(|number| matches!(number, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³"))
    });
    numbered || DEVICES.contains(&stem.as_str())
}

/// Cuts a name to its longest, and keeps its ending.
fn cut(name: &str) -> String {
    if name.len() <= MAX_BYTES {
        return name.to_owned();
    }
    let ending = name.rfind('.').map_or("", |dot| &name[dot..]);
    let ending = if ending.len() <= ENDING_BYTES { ending } else { "" };
    let stem = &name[..name.floor_char_boundary(MAX_BYTES - ending.len())];
    format!("{}{ending}", stem.trim_end_matches(['.', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &str, kept: &str) {
        assert_eq!(clean(given), kept, "{given:?}");
        assert_eq!(clean(kept), kept, "cleaning again changes nothing");
    }

    #[test]
    fn harmless_names_stay() {
        for name in [
            "photo.png",
            "Rechnung März 2026.pdf",
            "写真.jpg",
            "archive.tar.gz",
            ".env",
            "a",
            "don't (1).txt",
        ] {
            check(name, name);
        }
    }

    #[test]
    fn paths_become_their_last_part() {
        check("../../etc/passwd", "passwd");
        check("C:\\Users\\ada\\photo.png", "photo.png");
        check("/", "file");
        check("..", "file");
        check("x/..", "x");
        check("a/b/", "b");
    }

    #[test]
    fn what_cannot_be_seen_or_turns_text_around_goes() {
        check("a\0.png", "a.png");
        check("invoice\u{202e}gnp.exe", "invoicegnp.exe");
        check("line\r\nbreak: x.txt", "linebreak_ x.txt");
        check("zero\u{200b}width\u{feff}.png", "zerowidth.png");
        check("\u{1}\u{2}", "file");
        check("q\"uote<>|?*.txt", "q_uote_____.txt");
        check("  spaces .  ", "spaces");
    }

    #[test]
    fn devices_are_no_names() {
        for name in ["CON", "con.txt", "Nul.png", "COM1", "lpt9.doc", "aux .x"] {
            check(name, &format!("_{name}"));
        }
        check("console.txt", "console.txt");
        check("com10", "com10");
    }

    #[test]
    fn long_names_are_cut_and_keep_their_ending() {
        let kept = clean(&format!("{}.png", "ä".repeat(300)));
        assert!(kept.len() <= MAX_BYTES && kept.ends_with("ä.png"), "{kept}");
        assert_eq!(clean(&"x".repeat(300)).len(), MAX_BYTES);
        assert_eq!(clean(&format!("a.{}", "y".repeat(400))).len(), MAX_BYTES);
    }
}
