//! Automerge urls: `automerge:` and the base58check of a page's 16 bytes, as automerge-repo writes them.

use kernel::id::DocumentId;
use uuid::Uuid;

/// The short form that stands in sync frames.
pub fn encode(id: DocumentId) -> String {
    bs58::encode(id.0.as_bytes()).with_check().into_string()
}

/// The url that a stock client finds the page by.
pub fn automerge_url(id: DocumentId) -> String {
    format!("automerge:{}", encode(id))
}

/// The page a short form, a url or a plain UUID names.
pub fn decode(text: &str) -> Option<DocumentId> {
    let text = text.strip_prefix("automerge:").unwrap_or(text);
    let text = text.split('#').next().unwrap_or_default();
    if text.len() > 64 {
        return None;
    }
    if let Ok(id) = Uuid::parse_str(text) {
        return Some(DocumentId(id));
    }
    let bytes = bs58::decode(text).with_check(None).into_vec().ok()?;
    Uuid::from_slice(&bytes).ok().map(DocumentId)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_the_one_the_stock_client_makes() {
        let id: DocumentId = "019304a5-7b1c-7c3a-9f00-0123456789ab".parse().expect("a uuid");
        assert_eq!(automerge_url(id), "automerge:2GnJ4N2LnJgR2ZZUBGzy6d26Rg2");
        assert_eq!(decode("automerge:2GnJ4N2LnJgR2ZZUBGzy6d26Rg2"), Some(id));
        assert_eq!(decode("2GnJ4N2LnJgR2ZZUBGzy6d26Rg3"), None);
        assert_eq!(decode("../../etc/passwd"), None);
    }
}
