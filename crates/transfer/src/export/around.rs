//! What stands around a page in an export: where its links lead, and where its files are.

use documents::kinds::is_link;
use documents::view::Block;
use kernel::id::DocumentId;
use serde_json::Value;
use std::collections::HashMap;
use uuid::Uuid;

/// A file of a page, as the export has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asset {
    /// Its media type and bytes, to stand in the exported file itself.
    Inside(String, Vec<u8>),
    /// Where it stands beside the exported file, as a relative URL.
    Beside(String),
}

/// What a page refers to.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// Where people reach the product; without a slash at its end.
    pub public_url: String,
    /// Files by their ids.
    pub assets: HashMap<Uuid, Asset>,
    /// Other pages of the same export, as relative URLs.
    pub pages: HashMap<DocumentId, String>,
    /// When it is exported, for people: `2026-10-01`.
    pub date: String,
}

impl Around {
    /// Where a link leads when it is read outside of the product; none for what we would not store.
    pub fn href(&self, link: &str) -> Option<String> {
        if !is_link(link) {
            return None;
        }
        if let Some(path) = link.strip_prefix("/documents/")
            && let Some(beside) = id_of(path).and_then(|id| self.pages.get(&DocumentId(id)))
        {
            return Some(beside.clone());
        }
        Some(if link.starts_with('/') {
            format!("{}{link}", self.public_url)
        } else {
            link.to_owned()
        })
    }

    /// Markdown whose links into this site lead there from anywhere, or to what stands beside it.
    pub fn leading_out(&self, markdown: &str) -> String {
        let mut parts = markdown.split("](/");
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = part.find([')', ' ', '\n']).unwrap_or(part.len());
            let path = format!("/{}", &part[..end]);
            let file = path
                .strip_prefix("/api/v1/attachments/")
                .and_then(id_of)
                .and_then(|id| self.assets.get(&id));
            let leads = match file {
                Some(Asset::Beside(beside)) => beside.clone(),
                _ => self.href(&path).unwrap_or(path),
            };
            out.push_str("](");
            out.push_str(&leads);
            out.push_str(&part[end..]);
        }
        out
    }

    /// Where another page is.
    pub fn page(&self, id: &str) -> Option<String> {
        self.href(&format!("/documents/{}", id_of(id)?))
    }

    /// Where the file or picture of a block is, for a link.
    pub fn source(&self, block: &Block) -> Option<String> {
        match attachment(block) {
            Some(id) => match self.assets.get(&id) {
                Some(Asset::Beside(path)) => Some(path.clone()),
                Some(Asset::Inside(..)) | None => self.href(&format!("/api/v1/attachments/{id}/content/")),
            },
            None => text_prop(block, "url").and_then(|url| self.href(url)),
        }
    }

    /// The media type and bytes of a block's file, when they stand in the export itself.
    pub fn inside(&self, block: &Block) -> Option<(&str, &[u8])> {
        match self.assets.get(&attachment(block)?)? {
            Asset::Inside(media_type, bytes) => Some((media_type, bytes)),
            Asset::Beside(_) => None,
        }
    }
}

/// The file that a block shows.
pub fn attachment(block: &Block) -> Option<Uuid> {
    id_of(text_prop(block, "attachment_id")?)
}

fn id_of(text: &str) -> Option<Uuid> {
    let id = text.get(..36)?;
    let is_whole = text.len() == 36 || text[36..].starts_with(['/', '#', '?']);
    is_whole.then(|| Uuid::try_parse(id).ok()).flatten()
}

/// The text of a prop, if it has one.
pub fn text_prop<'b>(block: &'b Block, name: &str) -> Option<&'b str> {
    block.props.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// A number of a prop, within bounds.
pub fn number_prop(block: &Block, name: &str, least: f64, most: f64) -> Option<f64> {
    let number = block.props.get(name)?.as_f64().filter(|number| number.is_finite())?;
    Some(number.clamp(least, most))
}

/// Whether a prop is `true`.
pub fn flag_prop(block: &Block, name: &str) -> bool {
    block.props.get(name) == Some(&Value::Bool(true))
}

/// The first prop that says something, else the text of the block.
pub fn label<'b>(block: &'b Block, names: &[&str]) -> &'b str {
    let named = names.iter().find_map(|name| text_prop(block, name));
    named.unwrap_or_else(|| block.text.trim())
}

/// The level of a heading: 1 to 4.
pub fn level(block: &Block) -> u8 {
    match number_prop(block, "level", 1.0, 4.0) {
        Some(level) if level >= 4.0 => 4,
        Some(level) if level >= 3.0 => 3,
        Some(level) if level >= 2.0 => 2,
        _ => 1,
    }
}

/// Where one file of a zip is, seen from another.
pub fn relative(from: &str, to: &str) -> String {
    let folder: Vec<&str> = from.split('/').collect();
    let target: Vec<&str> = to.split('/').collect();
    let folder = &folder[..folder.len().saturating_sub(1)];
    let shared = folder.iter().zip(&target).take_while(|(a, b)| a == b).count();
    let up = folder[shared..].iter().map(|_| "..".to_owned());
    let down = target[shared..].iter().map(|part| encoded(part));
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// A part of a path as it may stand in a URL (RFC 3986, unreserved characters).
fn encoded(part: &str) -> String {
    let mut url = String::new();
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    url
}
