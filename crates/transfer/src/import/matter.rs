//! What stands before a text in Markdown: `---`, lines of `name: value`, `---`.

/// Lines of it that are read.
const MAX_LINES: usize = 200;

/// What it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matter {
    /// The title.
    pub title: Option<String>,
    /// An emoji.
    pub icon: Option<String>,
    /// Everything else.
    pub others: Vec<(String, String)>,
}

/// Takes it from a text.
pub fn take(text: &str) -> (Matter, &str) {
    let none = || (Matter::default(), text);
    let Some(rest) = text.strip_prefix("---\n") else { return none() };
    let mut matter = Matter::default();
    let mut at = text.len() - rest.len();
    for line in rest.split_inclusive('\n').take(MAX_LINES) {
        at += line.len();
        let line = line.trim_end();
        if line == "---" || line == "..." {
            return (matter, &text[at..]);
        }
        if !matter.line(line) {
            return none();
        }
    }
    none()
}

impl Matter {
    fn line(&mut self, line: &str) -> bool {
        if line.is_empty() || line.starts_with('#') {
            return true;
        }
        if line.starts_with([' ', '\t', '-']) {
            // The lines of a value that has several.
            let value = line.trim_start_matches([' ', '\t', '-']).trim();
            if let Some((_, last)) = self.others.last_mut() {
                let gap = if last.is_empty() { "" } else { ", " };
                last.push_str(gap);
                last.push_str(unquoted(value));
            }
            return true;
        }
        let Some((name, value)) = line.split_once(':') else { return false };
        let value = unquoted(value.trim()).to_owned();
        match name.trim() {
            "title" => self.title = Some(value).filter(|title| !title.is_empty()),
            "icon" | "emoji" => self.icon = Some(value).filter(|icon| !icon.is_empty() && icon.chars().count() <= 16),
            name => self.others.push((name.to_owned(), value)),
        }
        true
    }
}

fn unquoted(value: &str) -> &str {
    let quoted = |mark: char| value.strip_prefix(mark)?.strip_suffix(mark);
    quoted('"').or_else(|| quoted('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_and_taken_away() {
        let (matter, rest) = take("---\ntitle: \"A: plan\"\nicon: 📝\ntags:\n  - one\n  - two\n---\n# Text\n");
        assert_eq!(matter.title.as_deref(), Some("A: plan"));
        assert_eq!(matter.icon.as_deref(), Some("📝"));
        assert_eq!(matter.others, [("tags".into(), "one, two".into())]);
        assert_eq!(rest, "# Text\n");
        for text in ["---\n\nA rule above\n", "# Text\n", "---\ntitle: never closed\n"] {
            assert_eq!(take(text), (Matter::default(), text));
        }
    }
}
