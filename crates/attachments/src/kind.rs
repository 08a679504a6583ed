//! What a file is, by its first bytes and never by what somebody says, and how it is given out.
//!
//! Nothing that a browser could run is ever shown: pages, SVG and XML are handed out as nameless bytes to be saved. What
//! may be shown is a closed list of pictures, sound and film.

/// Bytes of the beginning that are looked at.
pub const HEAD_BYTES: usize = 8 << 10;
/// What nothing is known about.
pub const UNKNOWN: &str = "application/octet-stream";
/// Text without anything to run in it, as far as its beginning shows.
const TEXT: &str = "text/plain";

/// What may be shown where it is: no browser runs anything in these.
const SHOWN: [&str; 19] = [
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/avif",
    "image/bmp",
    "audio/mpeg",
    "audio/ogg",
    "audio/opus",
    "audio/x-flac",
    "audio/x-wav",
    "audio/aac",
    "audio/m4a",
    "audio/midi",
    "video/mp4",
    "video/webm",
    "video/quicktime",
    "video/x-m4v",
    "video/mpeg",
];
/// What may be called by its name, to be saved.
const NAMED: [&str; 2] = ["application/pdf", "application/zip"];
/// Pictures that small ones can be made of.
const PICTURES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/// How a file is given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// What it is said to be.
    pub media_type: &'static str,
    /// Whether it may be shown where it is, or is to be saved.
    pub disposition: Disposition,
}

/// Whether a browser may show a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Where it is.
    Inline,
    /// It is to be saved.
    Attachment,
}

/// What these first bytes of a file say that it is.
pub fn of(head: &[u8]) -> &'static str {
    if let Some(markup) = markup(head) {
        return markup;
    }
    match infer::get(head) {
        Some(known) => known.mime_type(),
        None if is_text(head) => TEXT,
        None => UNKNOWN,
    }
}

/// How a file of this kind is given out.
pub fn manner(media_type: &str) -> Manner {
    let known = |list: &[&'static str]| list.iter().find(|known| **known == media_type).copied();
    if let Some(media_type) = known(&SHOWN) {
        return Manner {
            media_type,
            disposition: Disposition::Inline,
        };
    }
    let named = known(&NAMED).or((media_type == TEXT).then_some("text/plain; charset=utf-8"));
    Manner {
        media_type: named.unwrap_or(UNKNOWN),
        disposition: Disposition::Attachment,
    }
}

/// Whether small pictures can be made of it.
pub fn is_picture(media_type: &str) -> bool {
    PICTURES.contains(&media_type)
}

/// Text that a browser takes for a page, a drawing or a document, wherever in it that begins.
fn markup(head: &[u8]) -> Option<&'static str> {
    if !is_text(head) {
        return None;
    }
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if !text.starts_with('<') {
        return None;
    }
    let has = |tag: &str| text.contains(tag);
    Some(if has("<svg") {
        "image/svg+xml"
    } else if has("<!doctype html") || has("<html") || has("<script") || has("<body") || has("<head") || has("<iframe") {
        "text/html"
    } else if text.starts_with("<?xml") {
        "application/xml"
    } else {
        "text/html"
    })
}

/// Whether these bytes are the beginning of a text in UTF-8.
fn is_text(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // Cut in the middle of a character.
        Err(error) if error.error_len().is_none() && head.len() == HEAD_BYTES => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.is_empty() && !text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: &[u8], kind: &str) {
        assert_eq!(of(head), kind, "{:?}", String::from_utf8_lossy(head));
    }

    #[test]
    fn files_are_what_their_bytes_say() {
        check(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png");
        check(b"\xff\xd8\xff\xe0\0\x10JFIF\0", "image/jpeg");
        check(b"GIF89a\x01\0\x01\0", "image/gif");
        check(b"RIFF\x24\0\0\0WEBPVP8 ", "image/webp");
        check(b"%PDF-1.7\n", "application/pdf");
        check(b"PK\x03\x04\x14\0\0\0", "application/zip");
        check("Grüße\nan alle\n".as_bytes(), "text/plain");
        check(b"\0\x01\x02\x03", UNKNOWN);
        check(b"", UNKNOWN);
    }

    #[test]
    fn markup_is_seen_for_what_it_is() {
        check(b"<!DOCTYPE html><p>", "text/html");
        check(b" \n<script>alert(1)</script>", "text/html");
        check(b"<p onclick=x>", "text/html");
        check(
            "\u{feff}<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>".as_bytes(),
            "image/svg+xml",
        );
        check(b"<?xml version=\"1.0\"?><!-- x --><svg/>", "image/svg+xml");
        check(b"<?xml version=\"1.0\"?><a/>", "application/xml");
    }

    #[test]
    fn text_that_is_cut_in_a_character_is_text() {
        let mut text = vec![b'x'; HEAD_BYTES - 1];
        text.push(0xc3);
        check(&text, "text/plain");
        check(b"x\xc3", UNKNOWN);
    }

    #[test]
    fn nothing_that_could_run_is_shown() {
        for media_type in [
            "text/html",
            "image/svg+xml",
            "application/xml",
            "text/xml",
            "application/wasm",
            "text/x-shellscript",
            UNKNOWN,
            "made/up",
        ] {
            let manner = manner(media_type);
            assert_eq!(
                (manner.media_type, manner.disposition),
                (UNKNOWN, Disposition::Attachment),
                "{media_type}"
            );
        }
        assert_eq!(manner("application/pdf").disposition, Disposition::Attachment);
        assert_eq!(manner("text/plain").media_type, "text/plain; charset=utf-8");
        assert_eq!(manner("image/png").disposition, Disposition::Inline);
    }
}
