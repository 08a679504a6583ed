//! Where a link may lead: the web, a mailbox, or a path of this site. Never into a script.

use ::url::Url;

/// The longest URL we keep.
pub const MAX_URL_LEN: usize = 2048;

/// Whether it is an absolute http, https or mailto URL, or a path of this site (`/documents/…`).
///
/// Control characters and white space are refused, because browsers drop some of them (`java\nscript:`); so are
/// `//host` and `/\host`, which look like a path and leave the site.
pub fn is_link(link: &str) -> bool {
    if link.len() > MAX_URL_LEN || link.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return false;
    }
    if let Some(path) = link.strip_prefix('/') {
        return !path.starts_with(['/', '\\']);
    }
    match Url::parse(link) {
        Ok(url) if url.scheme() == "mailto" => !url.path().is_empty(),
        Ok(url) => matches!(url.scheme(), "http" | "https") && is_spelled_out(link),
        Err(_) => false,
    }
}

/// The parser repairs `http:host` and `http:\\host`; others read them as relative.
fn is_spelled_out(link: &str) -> bool {
    link.split_once(':')
        .is_some_and(|(_, rest)| rest.starts_with("//") && !rest.starts_with("///"))
}
