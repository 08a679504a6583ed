//! What is Notion's own: ids in names, callouts as `<aside>`, and the properties of a database's rows as lines.

use documents::op::NewBlock;

/// Hexadecimal digits of an id.
const ID_LEN: usize = 32;
/// Lines that may be properties.
const MAX_PROPERTIES: usize = 100;

/// The title and the id of a name: `Home 1a2b…`.
pub fn split_id(stem: &str) -> (&str, Option<&str>) {
    let Some(at) = stem.len().checked_sub(ID_LEN).filter(|at| stem.is_char_boundary(*at)) else {
        return (stem, None);
    };
    let (title, id) = stem.split_at(at);
    let is_apart = title.is_empty() || title.ends_with([' ', '-', '_']);
    if !is_apart || !id.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c)) {
        return (stem, None);
    }
    (title.trim_end_matches([' ', '-', '_']), Some(id))
}

/// The id in the address of a page at Notion's.
pub fn id_in_url(url: &str) -> Option<&str> {
    let rest = url
        .strip_prefix("https://www.notion.so/")
        .or_else(|| url.strip_prefix("https://notion.so/"))?;
    let path = rest.split(['?', '#']).next()?;
    split_id(path.rsplit('/').next()?).1
}

/// The text with Notion's callouts as alerts, which Markdown has.
pub fn with_callouts(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let (mut fence, mut inside): (Option<char>, Option<String>) = (None, None);
    for line in text.split_inclusive('\n') {
        let (bare, indent) = (line.trim(), line.len() - line.trim_start().len());
        if fence.is_none() && bare == "<aside>" && inside.is_none() {
            let prefix = line[..indent].to_owned();
            out.push_str(&format!("{prefix}\n{prefix}> [!NOTE]\n"));
            inside = Some(prefix);
            continue;
        }
        if fence.is_none() && bare == "</aside>" && inside.take().is_some() {
            out.push('\n');
            continue;
        }
        for mark in ['`', '~'] {
            let is_fence = bare.chars().take_while(|c| *c == mark).count() >= 3;
            if is_fence && fence.is_none_or(|open| open == mark) {
                fence = if fence.is_some() { None } else { Some(mark) };
                break;
            }
        }
        if let Some(prefix) = &inside {
            out.push_str(prefix);
            out.push_str("> ");
            out.push_str(line.strip_prefix(prefix.as_str()).unwrap_or(line));
        } else {
            out.push_str(line);
        }
    }
    out
}

/// The emoji of callouts, out of their text.
pub fn take_icons(blocks: &mut [NewBlock]) {
    for block in blocks {
        if block.kind == "callout" {
            block.props.shift_remove("tone");
            take_icon(block);
        }
        take_icons(&mut block.children);
    }
}

fn take_icon(block: &mut NewBlock) {
    let is_emoji = |word: &str| {
        let is_short = word.chars().count() <= 10 && !word.is_empty();
        is_short && word.chars().all(|c| !c.is_ascii_alphanumeric()) && word.starts_with(|c: char| c > '\u{203b}' && !c.is_alphabetic())
    };
    let end = block.text.find(char::is_whitespace).unwrap_or(block.text.len());
    let (word, rest) = block.text.split_at(end);
    if !is_emoji(word) {
        return;
    }
    let kept = rest.trim_start().to_owned();
    let gone = block.text[..block.text.len() - kept.len()].encode_utf16().count();
    block.props.insert("icon".to_owned(), word.to_owned().into());
    block.text = kept;
    block.marks.retain_mut(|mark| {
        mark.start = mark.start.saturating_sub(gone);
        mark.end = mark.end.saturating_sub(gone);
        mark.start < mark.end
    });
}

/// Takes the properties of a database's row out of its text: lines of `Name: value` behind the title.
pub fn take_properties(text: &str) -> (Vec<(String, String)>, String) {
    let is_title = |line: &str| line.starts_with("# ");
    let mut lines = text.split_inclusive('\n').peekable();
    let mut head = String::new();
    while let Some(line) = lines.next_if(|line| line.trim().is_empty() || is_title(line)) {
        head.push_str(line);
    }
    let mut properties = Vec::new();
    while let Some(line) = lines.peek().filter(|line| !line.trim().is_empty()) {
        let pair = line.trim_end().split_once(':').filter(|(name, _)| is_property(name));
        match pair {
            Some((name, value)) if properties.len() < MAX_PROPERTIES => properties.push((name.to_owned(), value.trim().to_owned())),
            // A paragraph that only begins like one.
            _ => return (Vec::new(), text.to_owned()),
        }
        lines.next();
    }
    head.extend(lines);
    (properties, head)
}

fn is_property(name: &str) -> bool {
    !name.is_empty()
        && name.chars().count() <= 60
        && !name.starts_with(['-', '*', '>', '#', '|', '[', '`', '!', ' '])
        && !name.contains("//")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::draft::text_block;

    const ID: &str = "1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d";

    #[test]
    fn names_have_a_title_and_an_id() {
        assert_eq!(split_id(&format!("My plan {ID}")), ("My plan", Some(ID)));
        assert_eq!(split_id(ID), ("", Some(ID)));
        assert_eq!(split_id("My plan"), ("My plan", None));
        assert_eq!(split_id(&format!("x{ID}")), (format!("x{ID}").as_str(), None));
        assert_eq!(id_in_url(&format!("https://www.notion.so/ada/My-plan-{ID}?pvs=4")), Some(ID));
    }

    #[test]
    fn callouts_become_alerts_but_not_in_code() {
        let text = "a\n<aside>\n💡 Mind\n\nthe gap\n</aside>\n\n```html\n<aside>\n```\n";
        assert_eq!(
            with_callouts(text),
            "a\n\n> [!NOTE]\n> 💡 Mind\n> \n> the gap\n\n\n```html\n<aside>\n```\n"
        );
        let mut blocks = [text_block("callout", "💡 Mind", vec![])];
        take_icons(&mut blocks);
        assert_eq!((blocks[0].text.as_str(), blocks[0].props["icon"].as_str()), ("Mind", Some("💡")));
    }

    #[test]
    fn properties_stand_behind_the_title() {
        let text = "# Buy gears\n\nStatus: Done\nDue: October 1, 2026\n\nSee: the text\n";
        let (properties, rest) = take_properties(text);
        assert_eq!(
            properties,
            [("Status".into(), "Done".into()), ("Due".into(), "October 1, 2026".into())]
        );
        assert_eq!(rest, "# Buy gears\n\n\nSee: the text\n");
        let prose = "# Plan\n\nNote: this\nis prose\n";
        assert_eq!(take_properties(prose), (vec![], prose.to_owned()));
    }
}
