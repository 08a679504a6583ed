//! How well something answers, by what it says: alike on both databases, and at the same cost however many others say it.
//!
//! The weight of a word is that of BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009), with title
//! and text weighed apart, and without asking how rare the word is: every result has all words, and counting those who have
//! one costs as much as there are.

use crate::ask::{Ask, Term};

/// How soon more of the same counts no more, and how much long texts are held back (Robertson and Zaragoza, 3.4).
const K1: f64 = 1.2;
const B: f64 = 0.75;
/// Words of a title, and of a text, that are neither long nor short.
const TYPICAL_TITLE: f64 = 5.0;
const TYPICAL_TEXT: f64 = 200.0;
/// What a title counts, of a text. What is new counts twice at most, so an old title stays before a new mention.
const TITLE: f64 = 8.0;
/// What a word counts that stands behind what is weighed: less than one that is there once, however short its words.
const BEHIND: f64 = 0.1;
/// What it counts that the words of a question stand in a row, as they were asked.
const IN_A_ROW: f64 = 1.5;

/// A question as it is weighed, so that many answers can be.
pub(crate) struct Scale<'a> {
    terms: Vec<&'a Term>,
    /// All words as one phrase, where there are several.
    row: Option<Term>,
}

impl<'a> Scale<'a> {
    pub(crate) fn of(ask: &'a Ask) -> Self {
        let terms: Vec<&Term> = ask.all.iter().collect();
        let words: Vec<String> = terms.iter().flat_map(|term| term.words.iter().cloned()).collect();
        let is_prefix = terms.last().is_some_and(|term| term.is_prefix);
        let row = (terms.len() > 1).then_some(Term { words, is_prefix });
        Self { terms, row }
    }

    /// How well what begins with these words answers; more is better. `lead` is that of [`entity::search_lead`], or a title
    /// in the same form.
    pub(crate) fn weigh(&self, lead: &str) -> f64 {
        let (title, text) = lead.split_once('\n').unwrap_or_default();
        let (title, text) = (words(title), words(text));
        let one = |term: &&Term| {
            let (in_title, in_text) = (count(term, &title), count(term, &text));
            let weight = TITLE * part(in_title, title.len(), TYPICAL_TITLE) + part(in_text, text.len(), TYPICAL_TEXT);
            if in_title + in_text == 0 { BEHIND } else { weight }
        };
        let sum: f64 = self.terms.iter().map(one).sum();
        let is_row = |term: &Term| count(term, &title) + count(term, &text) > 0;
        if self.row.as_ref().is_some_and(is_row) {
            sum * IN_A_ROW
        } else {
            sum
        }
    }
}

fn words(text: &str) -> Vec<&str> {
    text.split(' ').filter(|word| !word.is_empty()).collect()
}

/// How often a term stands there.
fn count(term: &Term, words: &[&str]) -> usize {
    let last = term.words.len() - 1;
    let fits = |(at, (wanted, word)): (usize, (&String, &&str))| {
        if term.is_prefix && at == last {
            word.starts_with(wanted.as_str())
        } else {
            wanted == word
        }
    };
    let stands = |row: &&[&str]| term.words.iter().zip(row.iter()).enumerate().all(fits);
    words.windows(term.words.len()).filter(stands).count()
}

fn part(count: usize, length: usize, typical: f64) -> f64 {
    let (count, length) = (count as f64, length as f64);
    count * (K1 + 1.0) / (count + K1 * (1.0 - B + B * length / typical))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(question: &str, leads: &[&str]) -> Vec<usize> {
        let ask = Ask::read(question).expect("a question");
        let scale = Scale::of(&ask);
        let mut order: Vec<usize> = (0..leads.len()).collect();
        order.sort_by(|a, b| scale.weigh(leads[*b]).total_cmp(&scale.weigh(leads[*a])));
        order
    }

    #[test]
    fn what_says_it_best_comes_first() {
        let long = format!("other\nplum {}", "word ".repeat(500));
        let leads = [
            "other\nnothing here",
            &long,
            "other\na plum",
            "other\nplum or plum",
            "all about a plum and much more\nsee",
            "plum\nsee",
        ];
        assert_eq!(order("plum ", &leads), [5, 4, 3, 2, 1, 0]);
    }

    #[test]
    fn words_in_a_row_come_before_words_apart() {
        let leads = ["x\nred and a plum", "x\na red plum", "x\nplum red"];
        assert_eq!(order("red plum ", &leads)[0], 1);
        assert_eq!(order("red pl", &leads)[0], 1);
        let ends = ["x\nred \u{E000} plum", "x\nred plum"];
        assert_eq!(order("red plum ", &ends), [1, 0], "no row goes over the end of a block");
    }

    #[test]
    fn an_old_title_is_before_a_new_mention() {
        let ask = Ask::read("plum ").expect("a question");
        let scale = Scale::of(&ask);
        let title = format!("the {} plum\n", "very ".repeat(6));
        let mention = format!("x\n{}", "plum ".repeat(50));
        assert!(scale.weigh(&title) > 2.0 * scale.weigh("x\na plum"));
        assert!(scale.weigh("a plum\n") > 2.0 * scale.weigh(&mention));
        let full = format!("x\nplum {}", "it ".repeat(4 * 1024 / 3));
        assert!(scale.weigh(&full) > scale.weigh(&full.replace("plum", "pear")));
        // What no lead was kept of is not lost.
        assert!(scale.weigh("") > 0.0 && scale.weigh("") < scale.weigh("x\na plum"));
    }

    #[test]
    fn beginnings_and_phrases_are_counted() {
        let term = |words: &[&str], is_prefix| Term {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            is_prefix,
        };
        let text = words("one two three one two twofold");
        assert_eq!(count(&term(&["two"], false), &text), 2);
        assert_eq!(count(&term(&["two"], true), &text), 3);
        assert_eq!(count(&term(&["one", "two"], false), &text), 2);
        assert_eq!(count(&term(&["two", "t"], true), &text), 2);
        assert_eq!(count(&term(&["a", "b", "c", "d", "e", "f", "g"], false), &text), 0);
    }
}
