//! Names of files that every file system takes: Windows is the strictest, so its rules hold everywhere.

use std::collections::{HashMap, HashSet};

/// The longest name of a file or folder, in characters, without its extension.
pub const MAX_NAME: usize = 60;
/// The longest path of a folder, in bytes; what lies deeper is put beside its parent. Windows takes 260 characters
/// altogether, and people unpack into folders that are long already.
const MAX_FOLDER: usize = 120;

/// Names that Windows keeps for devices, with any extension.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// A name that every file system takes, as near to what people called it as can be; `otherwise` when nothing is left.
///
/// An extension of at most 10 characters is kept when the name is cut.
pub fn safe(name: &str, otherwise: &str) -> String {
    let plain = |c: char| match c {
        '<' | '>' | ':' | '"' | '/' | '\\' | '|' | '?' | '*' => '-',
        // Marks that turn the direction of text make a name look like another one.
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => '-',
        c if c.is_control() => ' ',
        c => c,
    };
    let name: String = name.chars().map(plain).collect();
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let name = name.trim_matches(|c: char| c == '.' || c == ' ').trim_start_matches('~');
    let name = cut(name);
    let name = name.trim_end_matches(['.', ' ']);
    if name.is_empty() {
        return otherwise.to_owned();
    }
    if is_device(name) { format!("_{name}") } else { name.to_owned() }
}

/// At most [`MAX_NAME`] characters, a short extension included.
fn cut(name: &str) -> String {
    if name.chars().count() <= MAX_NAME {
        return name.to_owned();
    }
    let extension = name.rsplit_once('.').map(|(_, end)| end).filter(|end| {
        let count = end.chars().count();
        (1..=10).contains(&count) && end.chars().all(|c| c.is_ascii_alphanumeric())
    });
    let tail = extension.map(|end| format!(".{end}")).unwrap_or_default();
    let head: String = name.chars().take(MAX_NAME - tail.chars().count()).collect();
    format!("{}{tail}", head.trim_end_matches(['.', ' ']))
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim().to_lowercase();
    let numbered = |port: &str| {
        let rest = stem.strip_prefix(port);
        rest.is_some_and(|rest| rest.chars().count() == 1 && rest.chars().all(|c| c.is_ascii_digit() || "¹²³".contains(c)))
    };
    DEVICES.contains(&stem.as_str()) || numbered("com") || numbered("lpt")
}

/// Gives out paths, none twice, not even when only the case of letters differs.
#[derive(Debug, Default)]
pub struct Paths {
    taken: HashSet<String>,
    /// How often a name was asked for, so that a thousand pages of one name are not tried one after another.
    counts: HashMap<String, usize>,
}

impl Paths {
    /// A path for a thing in a folder (`""` is the top), with an extension (`.md`, or none).
    pub fn give(&mut self, folder: &str, name: &str, extension: &str) -> String {
        let stem = safe(name, "Untitled");
        let key = format!("{folder}/{stem}{extension}").to_lowercase();
        loop {
            let count = self.counts.entry(key.clone()).or_insert(0);
            *count += 1;
            let name = if *count == 1 {
                format!("{stem}{extension}")
            } else {
                format!("{stem} ({count}){extension}")
            };
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            if self.taken.insert(path.to_lowercase()) {
                return path;
            }
        }
    }
}

/// The folder of what hangs under a thing: named as its file. Past a depth it is the folder that the thing itself stands in.
pub fn folder_of(path: &str) -> String {
    let is_name = |dot: &usize| !path[*dot..].contains('/');
    let folder = path.rfind('.').filter(is_name).map_or(path, |dot| &path[..dot]);
    if folder.len() <= MAX_FOLDER {
        return folder.to_owned();
    }
    path.rsplit_once('/').map(|(above, _)| above.to_owned()).unwrap_or_default()
}
