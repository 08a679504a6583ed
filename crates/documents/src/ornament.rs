//! What stands at a page's head: an icon and a cover. Neither may lead into a script.

use crate::{error::Error, kinds::is_link};
use kernel::error::Field;
use unicode_properties::UnicodeEmoji;
use unicode_segmentation::UnicodeSegmentation;

/// The longest emoji, in bytes: a family has 25, a flag of a region 28.
const MAX_EMOJI: usize = 64;

/// Whether it is one emoji, as people see it: of one sign or of several that are shown as one.
pub fn is_emoji(text: &str) -> bool {
    let shows = |c: char| (c.is_emoji_char() && !c.is_ascii()) || c == '\u{20E3}';
    text.len() <= MAX_EMOJI && text.graphemes(true).count() == 1 && text.chars().any(shows)
}

/// Whether it is the url of a picture: http, https, or a path of this site, such as that of an attachment.
fn is_picture(text: &str) -> bool {
    is_link(text) && !text.starts_with("mailto:")
}

/// Insists that icon and cover are what they may be.
///
/// # Errors
/// Names the fields.
pub fn check(icon: Option<&str>, cover: Option<&str>) -> Result<(), Error> {
    let mut bad = Vec::new();
    if icon.is_some_and(|icon| !is_emoji(icon) && !is_picture(icon)) {
        bad.push(Field::new("/icon", "invalid", "is an emoji, an http(s) url or a path of this site"));
    }
    if cover.is_some_and(|cover| !is_picture(cover)) {
        bad.push(Field::new("/cover", "invalid", "is an http(s) url or a path of this site"));
    }
    if bad.is_empty() { Ok(()) } else { Err(Error::Invalid(bad)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_icon_is_one_emoji_or_a_picture() {
        for good in ["📝", "👩‍👩‍👧‍👦", "🇩🇪", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "1️⃣", "❤️", "https://example.com/icon.png", "/attachments/1"]
        {
            assert!(check(Some(good), None).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a",
            "1",
            "📝📝",
            "memo",
            "javascript:alert(1)",
            "mailto:a@example.com",
            "//evil.example/x",
            "📝\n",
        ] {
            assert!(check(Some(bad), None).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_cover_is_a_picture() {
        assert!(check(None, Some("https://example.com/cover.jpg")).is_ok());
        let both = check(Some("x"), Some("📝"));
        assert!(matches!(both, Err(Error::Invalid(fields)) if fields.len() == 2));
    }
}
