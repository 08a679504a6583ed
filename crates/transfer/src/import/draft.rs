//! A page as it was read from a file, before it is one.

use super::report::{Notes, Reason};
use documents::{kinds, op::NewBlock, view::Mark};
use kernel::id::DocumentId;
use serde_json::Value;
use url::Url;

/// What begins the address of a file of the archive, until the file is one of the page's.
const FILE: &str = "/@file/";

/// A page that was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    /// Its title, if the file says one.
    pub title: Option<String>,
    /// An emoji.
    pub icon: Option<String>,
    /// Where a picture for its top lies.
    pub cover: Option<String>,
    /// Whether new pages are made after it.
    pub is_template: bool,
    /// Its content.
    pub blocks: Vec<NewBlock>,
    /// What was lost on the way.
    pub notes: Notes,
}

/// Where a reference of a file leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Somewhere in the web, or to a mailbox.
    Url(String),
    /// To a page of the same import.
    Page(DocumentId),
    /// To a file beside it, by its number.
    File(usize),
    /// Nowhere that a page can keep; and whether that is a loss.
    Nowhere(Option<Reason>),
}

/// Finds where references lead.
pub type Links<'a> = &'a mut dyn FnMut(&str) -> Target;

impl Target {
    /// As the value of a link or of a block's `url`.
    pub fn address(self, reference: &str, notes: &mut Notes) -> Option<String> {
        match self {
            Self::Url(url) => Some(url),
            Self::Page(id) => Some(format!("/documents/{id}")),
            Self::File(number) => Some(format!("{FILE}{number}")),
            Self::Nowhere(loss) => {
                if let Some(reason) = loss {
                    notes.add(reason, reference);
                }
                None
            }
        }
    }
}

/// The file that an address means.
pub fn file_at(address: &str) -> Option<usize> {
    address.strip_prefix(FILE)?.parse().ok()
}

/// The page that an address means.
pub fn page_at(address: &str) -> Option<DocumentId> {
    address.strip_prefix("/documents/")?.parse().ok()
}

/// A reference by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// One that is whole, or leads nowhere.
    Whole(Target),
    /// A path, decoded, from where the file stands.
    Path(String),
}

/// Reads a reference as browsers do: blanks around it and line breaks in it mean nothing.
pub fn read_reference(reference: &str) -> Reference {
    let plain: String = reference.trim().chars().filter(|c| !c.is_control()).collect();
    let nowhere = |reason| Reference::Whole(Target::Nowhere(reason));
    if plain.is_empty() || plain.starts_with('#') {
        return nowhere(None);
    }
    let scheme = plain.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    let is_scheme = |scheme: &String| scheme.len() > 1 && scheme.bytes().all(|c| c.is_ascii_alphanumeric() || b"+-.".contains(&c));
    match scheme.filter(is_scheme).as_deref() {
        Some("http" | "https" | "mailto") => Reference::Whole(web(&plain)),
        Some("javascript" | "vbscript" | "livescript") => nowhere(Some(Reason::ScriptRemoved)),
        Some(_) => nowhere(Some(Reason::UrlRemoved)),
        None if plain.starts_with("//") => Reference::Whole(web(&format!("https:{plain}"))),
        None => Reference::Path(decoded(plain.split(['?', '#']).next().unwrap_or_default())),
    }
}

fn web(url: &str) -> Target {
    let unwrapped = behind_google(url);
    let url = unwrapped.as_deref().unwrap_or(url);
    if kinds::is_link(url) {
        return Target::Url(url.to_owned());
    }
    // Blanks and the like, which a parser encodes.
    match Url::parse(url) {
        Ok(parsed) if kinds::is_link(parsed.as_str()) => Target::Url(parsed.into()),
        _ => Target::Nowhere(Some(Reason::UrlRemoved)),
    }
}

/// Google Docs sends every link through itself.
fn behind_google(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let is_google = url.host_str() == Some("www.google.com") && url.path() == "/url";
    let real = url.query_pairs().find(|(name, _)| name == "q")?.1.into_owned();
    (is_google && real.starts_with("http")).then_some(real)
}

/// Undoes percent-encoding; what is no UTF-8 stays as it is.
pub fn decoded(path: &str) -> String {
    percent_encoding::percent_decode_str(path)
        .decode_utf8()
        .map_or_else(|_| path.to_owned(), std::borrow::Cow::into_owned)
}

/// A block with nothing but a type.
pub fn block(kind: &str) -> NewBlock {
    NewBlock {
        kind: kind.to_owned(),
        ..NewBlock::default()
    }
}

/// A block with text.
pub fn text_block(kind: &str, text: impl Into<String>, marks: Vec<Mark>) -> NewBlock {
    NewBlock {
        text: text.into(),
        marks,
        ..block(kind)
    }
}

/// Sets a prop.
pub fn with(mut block: NewBlock, name: &str, value: impl Into<Value>) -> NewBlock {
    block.props.insert(name.to_owned(), value.into());
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_as_browsers_do() {
        let whole = |target| Reference::Whole(target);
        let cases = [
            ("https://a.b/c", whole(Target::Url("https://a.b/c".into()))),
            (" https://a.b/c d ", whole(Target::Url("https://a.b/c%20d".into()))),
            ("//a.b/c", whole(Target::Url("https://a.b/c".into()))),
            (
                "https://www.google.com/url?q=https://a.b/&sa=D",
                whole(Target::Url("https://a.b/".into())),
            ),
            ("java\nscript:alert(1)", whole(Target::Nowhere(Some(Reason::ScriptRemoved)))),
            (" JavaScript:alert(1)", whole(Target::Nowhere(Some(Reason::ScriptRemoved)))),
            ("data:text/html,<script>", whole(Target::Nowhere(Some(Reason::UrlRemoved)))),
            ("file:///etc/passwd", whole(Target::Nowhere(Some(Reason::UrlRemoved)))),
            ("#top", whole(Target::Nowhere(None))),
            ("", whole(Target::Nowhere(None))),
            ("a%20b/c.md#top", Reference::Path("a b/c.md".into())),
            ("../c.md?x=1", Reference::Path("../c.md".into())),
        ];
        for (reference, expected) in cases {
            assert_eq!(read_reference(reference), expected, "{reference:?}");
        }
    }
}
