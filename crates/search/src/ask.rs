//! What somebody types, read as a question: all of these words, none of those.
//!
//! `plain words` all have to be there, `"in a row"` as they stand, `word*` begins a word, `-word` must not be there. The last
//! word begins one too while it is being typed: until something stands behind it. There is nothing that is refused but
//! length: what is no word is left out.

use crate::{
    error::Error,
    words::{Run, Word, cut},
};
use kernel::error::Field;

/// The longest question, in characters.
pub const MAX_CHARS: usize = 500;
/// The most words of a question, each of a phrase counted.
pub const MAX_WORDS: usize = 32;
/// Characters of which a beginning of a word needs as many: fewer would begin half of all words.
const LEAST_PREFIX: usize = 2;

/// Words in a row; mostly one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    /// The words, folded.
    pub words: Vec<String>,
    /// Whether the last only has to begin so.
    pub is_prefix: bool,
}

/// A question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    pub(crate) all: Vec<Term>,
    pub(crate) none: Vec<Term>,
}

/// A piece between spaces, or between quotation marks.
#[derive(Debug, Default)]
struct Piece {
    text: String,
    is_excluded: bool,
    is_quoted: bool,
    is_starred: bool,
    /// Whether something stands behind it, be it a space.
    is_over: bool,
}

impl Ask {
    /// Reads a question.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is too long.
    pub fn read(text: &str) -> Result<Self, Error> {
        let too_long = |code, detail: String| Err(Error::Invalid(vec![Field::new("/q", code, detail)]));
        if text.chars().nth(MAX_CHARS).is_some() {
            return too_long("too_long", format!("takes at most {MAX_CHARS} characters"));
        }
        let mut ask = Self::default();
        for piece in pieces(text) {
            let side = if piece.is_excluded { &mut ask.none } else { &mut ask.all };
            if let Some(term) = term(&piece)
                && !side.contains(&term)
            {
                side.push(term);
            }
        }
        let words: usize = ask.all.iter().chain(&ask.none).map(|term| term.words.len()).sum();
        if words > MAX_WORDS {
            return too_long("too_many_words", format!("takes at most {MAX_WORDS} words"));
        }
        Ok(ask)
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

fn pieces(text: &str) -> Vec<Piece> {
    let (mut pieces, mut open) = (Vec::new(), Piece::default());
    let mut close = |open: &mut Piece, is_over: bool| {
        let piece = Piece {
            is_over,
            ..std::mem::take(open)
        };
        if !piece.text.is_empty() {
            pieces.push(piece);
        }
    };
    for c in text.chars() {
        match c {
            '"' | '“' | '”' | '„' | '«' | '»' => {
                let (begins, is_excluded) = (!open.is_quoted, open.is_excluded && open.text.is_empty());
                close(&mut open, true);
                open.is_quoted = begins;
                open.is_excluded = begins && is_excluded;
            }
            c if open.is_quoted => open.text.push(c),
            c if c.is_whitespace() => close(&mut open, true),
            '-' if open.text.is_empty() && !open.is_excluded => open.is_excluded = true,
            c => {
                open.is_starred = c == '*';
                open.text.push(c);
            }
        }
    }
    close(&mut open, false);
    pieces
}

fn term(piece: &Piece) -> Option<Term> {
    let words = cut(&piece.text);
    let last = words.last()?.clone();
    let begins = piece.is_starred || !(piece.is_over || piece.is_quoted || piece.is_excluded);
    let row: Vec<String> = asked(words).into_iter().map(|word| word.text).collect();
    let is_prefix = match last.run {
        // What is asked of a run may stand in the middle of a longer one.
        Run::Last | Run::Pair => row.last() == Some(&last.text),
        Run::No => begins && last.text.chars().count() >= LEAST_PREFIX,
    };
    Some(Term { words: row, is_prefix })
}

/// The words as they are looked for: without the single character behind the pairs of the run at the end, which only says
/// where a run ends.
fn asked(mut words: Vec<Word>) -> Vec<Word> {
    let ends_in_pairs = words.len() > 1 && words[words.len() - 1].run == Run::Last && words[words.len() - 2].run == Run::Pair;
    if ends_in_pairs {
        words.pop();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let ask = Ask::read(text).expect("a question");
        let term = |sign: &str, term: &Term| format!("{sign}{}{}", term.words.join("+"), if term.is_prefix { "*" } else { "" });
        let all = ask.all.iter().map(|one| term("", one));
        all.chain(ask.none.iter().map(|one| term("-", one))).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn questions_are_read_as_they_are_meant() {
        for (text, meant) in [
            ("plain words", "plain words*"),
            ("plain words ", "plain words"),
            ("one ONE öne ", "one"),
            ("\"in a row\" x", "in+a+row x"),
            ("\"not over", "not+over"),
            ("begin* of", "begin* of*"),
            ("beg* in ", "beg* in"),
            ("beg*in ", "beg+in"),
            ("a* b ", "a b"),
            ("this -that", "this -that"),
            ("this -\"that thing\" ", "this -that+thing"),
            ("this - that --those ", "this that -those"),
            ("-only", "-only"),
            ("foo-bar ", "foo+bar"),
            ("don't", "don+t"),
            ("東京都", "東京+京都"),
            ("東", "東*"),
            ("\"手机 15\"", "手机+机+15"),
            ("‘résu", "resu*"),
            ("", ""),
            (" \" \"\" - * -- -* ()':&|!<->{}^~ ", ""),
            ("title:x OR NEAR(y, 2) ", "title+x or near+y 2"),
        ] {
            assert_eq!(shown(text), meant, "{text}");
        }
    }

    #[test]
    fn a_question_is_as_long_as_it_may_be() {
        assert!(Ask::read(&"é".repeat(MAX_CHARS)).is_ok());
        assert!(matches!(Ask::read(&"a".repeat(MAX_CHARS + 1)), Err(Error::Invalid(_))));
        let words = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
        assert!(Ask::read(&words(MAX_WORDS)).is_ok());
        assert!(matches!(Ask::read(&words(MAX_WORDS + 1)), Err(Error::Invalid(_))));
    }
}
