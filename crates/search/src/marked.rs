//! What results show: text with the places of what was looked for. Places, not markup: what people write never turns into
//! tags on its way to a page.

use crate::{
    ask::{Ask, Term},
    words::{Run, Word, cut},
};

/// Characters of an excerpt, and of them those before what was found.
const LONG: usize = 240;
const BEFORE: usize = 60;
/// Blocks shown of one result.
const BLOCKS: usize = 3;
/// Bytes of one result that are looked through for what to show.
const LOOKED_THROUGH: usize = 200_000;

/// A text with places in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marked {
    /// The text, or a piece of it between ellipses.
    pub text: String,
    /// First UTF-16 unit and the one behind the last, in order, never touching.
    pub places: Vec<(usize, usize)>,
}

/// Byte ranges of what was found, and how many terms they are of.
struct Found {
    ranges: Vec<(usize, usize)>,
    terms: usize,
}

fn found(ask: &Ask, text: &str) -> Found {
    let words = cut(text);
    let (mut ranges, mut terms) = (Vec::new(), 0);
    for term in &ask.all {
        let before = ranges.len();
        ranges.extend(words.windows(term.words.len()).filter_map(|row| range(term, row)));
        terms += usize::from(ranges.len() > before);
    }
    ranges.sort_unstable();
    let mut apart: Vec<(usize, usize)> = Vec::with_capacity(ranges.len());
    for (start, end) in ranges {
        match apart.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => apart.push((start, end)),
        }
    }
    Found { ranges: apart, terms }
}

/// The bytes of a row of words, if they are those of the term.
fn range(term: &Term, row: &[Word]) -> Option<(usize, usize)> {
    let ((asked_last, asked), (last, before)) = (term.words.split_last()?, row.split_last()?);
    let is_same = before.iter().zip(asked).all(|(word, asked)| word.text == *asked);
    let ends = last.text == *asked_last || term.is_prefix && last.text.starts_with(asked_last);
    let end = match last.run {
        Run::Pair if last.text != *asked_last => last.first_end,
        _ => last.end,
    };
    (is_same && ends).then(|| (row[0].start, end))
}

/// A title with what was found in it.
pub(crate) fn title(ask: &Ask, text: &str) -> Marked {
    excerpt(text, &found(ask, text).ranges, (0, text.len()))
}

/// The blocks that hold most of what was looked for, best first, each with an excerpt.
pub(crate) fn blocks(ask: &Ask, parts: &[(String, String)]) -> Vec<(String, Marked)> {
    let (mut best, mut bytes, mut whole) = (Vec::new(), 0, 0);
    for (place, (id, text)) in parts.iter().enumerate() {
        bytes += text.len();
        if bytes > LOOKED_THROUGH && place > 0 || whole == BLOCKS {
            break;
        }
        let found = found(ask, text);
        if found.terms > 0 {
            whole += usize::from(found.terms == ask.all.len());
            best.push((found, id, text));
        }
    }
    // The sort is stable: of equals, the first in the page.
    best.sort_by_key(|(found, ..)| std::cmp::Reverse(found.terms));
    best.truncate(BLOCKS);
    let shown = best.into_iter().map(|(found, id, text)| {
        let window = window(text, found.ranges.first().map_or(0, |(start, _)| *start));
        (id.clone(), excerpt(text, &found.ranges, window))
    });
    shown.collect()
}

/// The bytes of a piece around a place, cut between words where that is possible.
fn window(text: &str, at: usize) -> (usize, usize) {
    let back = |from: usize, count: usize| text[..from].char_indices().rev().nth(count).map_or(0, |(place, _)| place);
    let mut start = back(at, BEFORE);
    if start > 0
        && let Some(space) = text[start..at].find(char::is_whitespace)
    {
        start += space + 1;
    }
    let start = (start..=at).find(|place| text.is_char_boundary(*place)).unwrap_or(at);
    let mut end = text[start..]
        .char_indices()
        .nth(LONG)
        .map_or(text.len(), |(place, _)| start + place);
    if end < text.len()
        && let Some(space) = text[start..end].rfind(char::is_whitespace).filter(|space| start + space > at)
    {
        end = start + space;
    }
    (start, end)
}

/// A piece of a text, with those places that lie in it.
fn excerpt(text: &str, ranges: &[(usize, usize)], (start, end): (usize, usize)) -> Marked {
    let mut shown = String::new();
    if start > 0 {
        shown.push('…');
    }
    let (mut places, mut at, mut units) = (Vec::new(), start, shown.encode_utf16().count());
    let mut advance = |to: usize| {
        units += text[at..to].encode_utf16().count();
        at = to;
        units
    };
    for (from, to) in ranges.iter().filter(|(from, to)| *from >= start && *from < end && from < to) {
        places.push((advance(*from), advance((*to).min(end))));
    }
    shown.push_str(&text[start..end]);
    if end < text.len() {
        shown.push('…');
    }
    Marked { text: shown, places }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text with what was found in brackets.
    fn bracketed(marked: &Marked) -> String {
        let units: Vec<u16> = marked.text.encode_utf16().collect();
        let (mut out, mut at) = (String::new(), 0);
        for (start, end) in &marked.places {
            out += &String::from_utf16(&units[at..*start]).expect("whole characters");
            out += &format!("[{}]", String::from_utf16(&units[*start..*end]).expect("whole characters"));
            at = *end;
        }
        out + &String::from_utf16(&units[at..]).expect("whole characters")
    }

    fn shown(question: &str, text: &str) -> String {
        bracketed(&title(&Ask::read(question).expect("a question"), text))
    }

    #[test]
    fn what_was_found_is_marked_where_it_stands() {
        for (question, text, marked) in [
            ("resume ", "🎉 My Résumé, resumed", "🎉 My [Résumé], resumed"),
            ("resume", "My Résumé, resumed", "My [Résumé], [resumed]"),
            ("\"b c\"", "a b, c b d c", "a [b, c] b d c"),
            ("京都", "東京都庁と京都", "東[京都]庁と[京都]"),
            ("東京都庁", "東京都庁", "[東京都庁]"),
            ("京", "東京都庁と京", "東[京]都庁と[京]"),
            ("strasse ", "Straße", "[Straße]"),
            ("<b> ", "<b>x</b> & b", "<[b]>x</[b]> & [b]"),
            ("x -y ", "x y", "[x] y"),
        ] {
            assert_eq!(shown(question, text), marked, "{question} in {text}");
        }
    }

    #[test]
    fn the_blocks_with_most_of_it_come_first() {
        let ask = Ask::read("red blue ").expect("a question");
        let part = |id: &str, text: &str| (id.to_owned(), text.to_owned());
        let parts = [
            part("a", "nothing"),
            part("b", "red"),
            part("c", "blue"),
            part("d", "red and blue"),
            part("e", "red"),
        ];
        let shown: Vec<String> = blocks(&ask, &parts)
            .iter()
            .map(|(id, text)| format!("{id}: {}", bracketed(text)))
            .collect();
        assert_eq!(shown, ["d: [red] and [blue]", "b: [red]", "c: [blue]"]);
    }

    #[test]
    fn of_a_long_block_the_piece_around_it_is_shown() {
        let ask = Ask::read("needle ").expect("a question");
        for filler in ["hay ", "干草", "h\u{e9}"] {
            let text = format!("{} needle {}", filler.repeat(300), filler.repeat(300));
            let shown = blocks(&ask, &[("a".to_owned(), text)]).remove(0).1;
            assert!(shown.text.chars().count() <= LONG + 2, "{}", shown.text);
            let text = bracketed(&shown);
            assert!(text.starts_with('…') && text.ends_with('…') && text.contains("[needle]"), "{text}");
        }
    }

    #[test]
    fn what_is_shown_is_bounded_whatever_the_page_is() {
        let ask = Ask::read("a ").expect("a question");
        let parts: Vec<(String, String)> = (0..10_000).map(|n| (n.to_string(), "b a ".repeat(1_000))).collect();
        assert_eq!(blocks(&ask, &parts).len(), BLOCKS);
        let none = [("a".to_owned(), "b ".repeat(200_000)), ("b".to_owned(), "a".to_owned())];
        assert_eq!(blocks(&ask, &none), []);
    }
}
