//! Text cut into words, each folded and with its place in the text.
//!
//! Scripts without spaces are cut into pairs of neighbours, and the last character of a run stands once more alone: so any
//! part of a run is found as its pairs in a row, and a single character as the beginning of a pair.

use crate::fold::{fold, is_joined, is_unspaced};
use unicode_normalization::char::is_combining_mark;

/// The longest word, in characters; of a longer one only the beginning counts.
pub(crate) const LONGEST: usize = 64;

/// A word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// As it is compared.
    pub text: String,
    /// Its first byte.
    pub start: usize,
    /// The byte after it.
    pub end: usize,
    /// The byte after its first character, for a pair of a script without spaces.
    pub first_end: usize,
    /// Where it stands in a run of a script without spaces.
    pub run: Run,
}

/// Whether a word is of a run without spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Run {
    /// No: it is a word of its own.
    No,
    /// A pair of neighbours.
    Pair,
    /// The last character, alone.
    Last,
}

/// A character with those joined to it, folded.
struct Cluster {
    text: String,
    start: usize,
    end: usize,
}

#[derive(Default)]
struct Cutter {
    words: Vec<Word>,
    /// The word that is being read: its text, where it began and ends.
    open: Option<Cluster>,
    /// The run that is being read.
    run: Vec<Cluster>,
}

impl Cutter {
    fn close(&mut self) {
        if let Some(mut word) = self.open.take() {
            if let Some((cut, _)) = word.text.char_indices().nth(LONGEST) {
                word.text.truncate(cut);
            }
            self.push(word.text, (word.start, word.end), word.end, Run::No);
        }
        let run = std::mem::take(&mut self.run);
        for pair in run.windows(2) {
            let text = format!("{}{}", pair[0].text, pair[1].text);
            self.push(text, (pair[0].start, pair[1].end), pair[0].end, Run::Pair);
        }
        if let Some(last) = run.into_iter().next_back() {
            self.push(last.text, (last.start, last.end), last.end, Run::Last);
        }
    }

    fn push(&mut self, text: String, (start, end): (usize, usize), first_end: usize, run: Run) {
        if !text.is_empty() {
            self.words.push(Word {
                text,
                start,
                end,
                first_end,
                run,
            });
        }
    }

    fn spaced(&mut self, cluster: &str, start: usize) {
        if !self.run.is_empty() {
            self.close();
        }
        let end = start + cluster.len();
        let open = self.open.get_or_insert_with(|| Cluster {
            text: String::new(),
            start,
            end,
        });
        fold(cluster, &mut open.text);
        open.end = end;
    }

    fn unspaced(&mut self, cluster: &str, start: usize) {
        if self.open.is_some() {
            self.close();
        }
        let mut text = String::new();
        fold(cluster, &mut text);
        self.run.push(Cluster {
            text,
            start,
            end: start + cluster.len(),
        });
    }
}

/// The words of a text, in order.
pub(crate) fn cut(text: &str) -> Vec<Word> {
    let mut cutter = Cutter::default();
    let mut rest = text.char_indices().peekable();
    while let Some((start, c)) = rest.next() {
        let mut end = start + c.len_utf8();
        while let Some((at, joined)) = rest.next_if(|(_, next)| is_joined(*next)) {
            end = at + joined.len_utf8();
        }
        let cluster = &text[start..end];
        if is_unspaced(c) {
            cutter.unspaced(cluster, start);
        } else if c.is_alphanumeric() || is_combining_mark(c) {
            cutter.spaced(cluster, start);
        } else {
            cutter.close();
        }
    }
    cutter.close();
    cutter.words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        cut(text).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn words_are_alike_however_they_are_written() {
        for (one, other) in [
            ("Résumé", "resume"),
            ("Re\u{301}sume\u{301}", "RESUME"),
            ("Straße", "STRASSE"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("Ёлка ЙОД", "елка иод"),
            ("Ｆｕｌｌ ｗｉｄｔｈ", "full width"),
            ("ﬁnd", "FIND"),
            ("Łódź", "lodz"),
            ("İstanbul ırmak", "istanbul irmak"),
            ("Ærøskøbing", "aeroskobing"),
            ("ｶﾞｲﾄﾞ", "ガイド"),
            ("e\u{301}", "é"),
            ("\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}", "한글"),
            ("か\u{3099}", "が"),
            ("x²", "x2"),
        ] {
            assert_eq!(texts(one), texts(other), "{one} and {other}");
        }
        assert_ne!(texts("か"), texts("が"), "another syllable");
        assert_ne!(texts("หมา"), texts("หมี"), "another vowel");
    }

    #[test]
    fn text_is_cut_where_words_end() {
        for (text, words) in [
            ("", vec![]),
            (" … !? -- \u{200b} 🎉", vec![]),
            ("Don't stop, C++ now_1", vec!["don", "t", "stop", "c", "now", "1"]),
            ("東京都庁", vec!["東京", "京都", "都庁", "庁"]),
            ("iPhone手机 15", vec!["iphone", "手机", "机", "15"]),
            ("犬", vec!["犬"]),
            ("한국어 책", vec!["한국", "국어", "어", "책"]),
            ("हिन्दी भाषा", vec!["हिन्दी", "भाषा"]),
        ] {
            assert_eq!(texts(text), words, "{text}");
        }
    }

    #[test]
    fn words_know_their_places() {
        let text = "“Ré” 東京!";
        let found: Vec<&str> = cut(text).iter().map(|word| &text[word.start..word.end]).collect();
        assert_eq!(found, ["Ré", "東京", "京"]);
        assert_eq!(&text[cut(text)[1].start..cut(text)[1].first_end], "東");
    }

    #[test]
    fn a_word_without_an_end_is_cut_off() {
        let words = texts(&"é".repeat(100_000));
        assert_eq!(words, ["e".repeat(LONGEST)]);
        assert_eq!(texts(&"\u{301}".repeat(1_000)), Vec::<String>::new());
    }
}
