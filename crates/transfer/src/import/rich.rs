//! A line of text with formats while it is gathered. Positions are UTF-16 units.

use super::text::is_dropped;
use documents::view::Mark;
use serde_json::Value;

/// The text so far.
#[derive(Clone, Debug, Default)]
pub struct Rich {
    text: String,
    units: usize,
    marks: Vec<Mark>,
    /// A blank that counts only when something follows.
    blank: bool,
}

impl Rich {
    /// Where the next character goes.
    pub fn end(&self) -> usize {
        self.units
    }

    /// Whether nothing was gathered.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Adds text in which runs of blanks are one, and none stand at the ends of lines, as browsers show it.
    pub fn flow(&mut self, text: &str) {
        for c in text.chars() {
            if matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}') {
                self.blank = !self.text.is_empty() && !self.text.ends_with('\n');
                continue;
            }
            if std::mem::take(&mut self.blank) {
                self.push(' ');
            }
            self.push(c);
        }
    }

    /// Adds text as it is.
    pub fn verbatim(&mut self, text: &str) {
        text.chars().for_each(|c| self.push(c));
    }

    /// Ends a line.
    pub fn line(&mut self) {
        self.blank = false;
        self.push('\n');
    }

    /// Gives up a blank at the end, before a format ends or begins there.
    pub fn settle(&mut self) {
        if std::mem::take(&mut self.blank) {
            self.push(' ');
        }
    }

    fn push(&mut self, c: char) {
        if !is_dropped(c) {
            self.text.push(c);
            self.units += c.len_utf16();
        }
    }

    /// Formats what was gathered from `start` on.
    pub fn mark(&mut self, name: &str, value: &Value, start: usize) {
        if start < self.units {
            self.marks.push(Mark {
                name: name.to_owned(),
                value: value.clone(),
                start,
                end: self.units,
            });
        }
    }

    /// Takes the text, without blanks and line breaks at its end.
    pub fn take(&mut self) -> (String, Vec<Mark>) {
        let Self { text, marks, .. } = std::mem::take(self);
        let text = text.trim_end_matches([' ', '\n', '\t']).to_owned();
        let end = text.encode_utf16().count();
        (text, within(marks, end))
    }

    /// Takes the text as it is, without formats.
    pub fn take_plain(&mut self) -> String {
        std::mem::take(self).text
    }
}

/// Those of some marks that lie before `end`, cut there.
fn within(marks: Vec<Mark>, end: usize) -> Vec<Mark> {
    marks
        .into_iter()
        .filter(|mark| mark.start < end)
        .map(|mut mark| {
            mark.end = mark.end.min(end);
            mark
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn blanks_flow_and_marks_count_in_utf16() {
        let mut rich = Rich::default();
        rich.flow("  a\n 😀 ");
        rich.settle();
        let start = rich.end();
        rich.flow("b  ");
        rich.mark("bold", &json!(true), start);
        rich.line();
        rich.flow("  ");
        let (text, marks) = rich.take();
        assert_eq!(text, "a 😀 b");
        assert_eq!((marks[0].start, marks[0].end), (5, 6));
        assert!(rich.is_empty());
    }
}
