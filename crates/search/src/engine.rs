//! How words are written for the database that searches them. Both are given the same words in the same order: SQLite as
//! text of an FTS5 table, PostgreSQL as the literal of a tsvector. What people write never stands in either: a word holds
//! letters, digits and marks alone, so nothing in it can be taken for syntax.

use crate::{ask::Ask, ask::Term, subject::Text, words::cut};
use kernel::id::WorkspaceId;
use std::{collections::BTreeMap, fmt::Write};

/// The most words of one entry. What stands behind them is not found.
const MAX_WORDS: usize = 50_000;
/// The most bytes of one entry's words: PostgreSQL takes a megabyte, positions included.
const MAX_BYTES: usize = 500_000;
/// The last place PostgreSQL tells apart, and how many it keeps of a word.
const LAST_PLACE: usize = 16_383;
const PLACES_KEPT: usize = 255;
/// Stands before words of titles, which PostgreSQL is given once more: its index does not know of weights. No word holds it.
const TITLED: &str = "~";
/// Stands between blocks, so that no phrase goes over an end. No letter, so no word holds it; yet SQLite keeps it.
const BREAK: char = '\u{E000}';
/// The most bytes of text that are weighed: a page or two.
const LEAD_BYTES: usize = 4 << 10;

/// The words of an entry.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Words {
    title: Vec<String>,
    body: Vec<Vec<String>>,
}

impl Words {
    /// Cuts a text. Gives, besides, how many of its parts were looked at.
    pub(crate) fn of(text: &Text) -> (Self, usize) {
        let (mut words, mut bytes) = (0, 0);
        let mut taken = |text: &str| -> Vec<String> {
            let row = cut(text).into_iter().map(|word| word.text).take_while(|word| {
                words += 1;
                bytes += word.len() + 8;
                words <= MAX_WORDS && bytes <= MAX_BYTES
            });
            row.collect()
        };
        let title = taken(&text.title);
        let mut body = Vec::new();
        let mut looked_at = 0;
        for (_, part) in &text.parts {
            let row = taken(part);
            looked_at += 1;
            if !row.is_empty() {
                body.push(row);
            }
            if body.iter().map(Vec::len).sum::<usize>() >= MAX_WORDS {
                break;
            }
        }
        (Self { title, body }, looked_at)
    }

    /// Title and body for SQLite.
    pub(crate) fn fts5(&self) -> (String, String) {
        let rows: Vec<String> = self.body.iter().map(|row| row.join(" ")).collect();
        (self.title.join(" "), rows.join(&format!(" {BREAK} ")))
    }

    /// What is weighed: the title, a line break, and the beginning of the text.
    pub(crate) fn lead(&self) -> String {
        let mut lead = self.title.join(" ");
        let most = lead.len() + LEAD_BYTES;
        lead.push('\n');
        for (at, row) in self.body.iter().enumerate() {
            if at > 0 {
                lead.extend([' ', BREAK]);
            }
            for word in row {
                if lead.len() + word.len() > most {
                    return lead;
                }
                lead.extend([" ", word]);
            }
        }
        lead
    }

    /// The literal for PostgreSQL, the tenant among the words.
    pub(crate) fn tsvector(&self, workspace: WorkspaceId) -> String {
        let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut at = 0;
        let titled: Vec<String> = self.title.iter().map(|word| format!("{TITLED}{word}")).collect();
        let rows = [&titled, &self.title].into_iter().chain(&self.body);
        for row in rows {
            for word in row {
                at += 1;
                let known = places.entry(word).or_default();
                if known.len() < PLACES_KEPT {
                    known.push(at.min(LAST_PLACE));
                }
            }
            at += 1;
        }
        let mut literal = format!("'{}'", home(workspace));
        for (word, places) in places {
            let places: Vec<String> = places.iter().map(usize::to_string).collect();
            write!(literal, " '{word}':{}", places.join(",")).unwrap_or_default();
        }
        literal
    }
}

/// A word that no text holds: everything of a tenant is found by it, so that other tenants cost nothing.
pub(crate) fn home(workspace: WorkspaceId) -> String {
    format!("_{}", workspace.0.simple())
}

/// Which words count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Where {
    /// All.
    Anywhere,
    /// Those of titles alone.
    InTitle,
}

/// The question as SQLite's `MATCH` takes it.
pub(crate) fn matched(ask: &Ask, workspace: WorkspaceId, place: Where) -> String {
    let phrase = |term: &Term| format!("\"{}\"{}", term.words.join(" "), if term.is_prefix { " *" } else { "" });
    let joined = |terms: &[Term], by: &str| terms.iter().map(phrase).collect::<Vec<_>>().join(by);
    let columns = match place {
        Where::Anywhere => "{title body}",
        Where::InTitle => "{title}",
    };
    let home = workspace.0.simple();
    let all = format!("(place : \"{home}\") AND ({columns} : ({}))", joined(&ask.all, " AND "));
    match ask.none.as_slice() {
        [] => all,
        none => format!("({all}) NOT ({{title body}} : ({}))", joined(none, " OR ")),
    }
}

/// The tenant as it stands beside the words in SQLite.
pub(crate) fn place(workspace: WorkspaceId) -> String {
    workspace.0.simple().to_string()
}

/// The question as a literal of PostgreSQL.
pub(crate) fn tsquery(ask: &Ask, place: Where) -> String {
    let mark = match place {
        Where::Anywhere => "",
        Where::InTitle => TITLED,
    };
    let all = ask.all.iter().map(|term| row(term, mark));
    let none = ask.none.iter().map(|term| format!("!{}", row(term, "")));
    all.chain(none).collect::<Vec<_>>().join(" & ")
}

fn row(term: &Term, mark: &str) -> String {
    let last = term.words.len() - 1;
    let word = |(at, word): (usize, &String)| {
        let star = if term.is_prefix && at == last { ":*" } else { "" };
        format!("'{mark}{word}'{star}")
    };
    format!("({})", term.words.iter().enumerate().map(word).collect::<Vec<_>>().join(" <-> "))
}
