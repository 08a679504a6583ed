//! Words, as common as words are, and questions about them.

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// Different words.
const VOCABULARY: usize = 30_000;
/// What is asked.
pub const KINDS: [&str; 8] = [
    "commonest",
    "common",
    "middling",
    "rare",
    "two words",
    "prefix",
    "phrase",
    "chinese",
];

/// A source of texts and questions, the same in every run.
pub struct Corpus {
    rng: StdRng,
    words: Vec<String>,
    /// How often a word and those before it come up, of 1.
    sums: Vec<f64>,
    /// Two neighbours of texts that were made.
    pairs: Vec<String>,
}

impl Corpus {
    pub fn new() -> Self {
        let mut rng = StdRng::seed_from_u64(1);
        let words = (0..VOCABULARY)
            .map(|n| {
                let length = rng.random_range(3..10);
                let word: String = (0..length).map(|_| char::from(rng.random_range(b'a'..=b'z'))).collect();
                format!("{word}{}", if n % 7 == 0 { "é" } else { "" })
            })
            .collect();
        let shares: Vec<f64> = (0..VOCABULARY).map(|n| 1.0 / (n as f64 + 5.0)).collect();
        let all: f64 = shares.iter().sum();
        let sums = shares
            .iter()
            .scan(0.0, |sum, share| {
                *sum += share / all;
                Some(*sum)
            })
            .collect();
        Self {
            rng,
            words,
            sums,
            pairs: Vec::new(),
        }
    }

    /// A text of so many words.
    pub fn text(&mut self, words: usize) -> String {
        let mut text = Vec::with_capacity(words);
        for _ in 0..words {
            let at = self.rng.random_range(0.0..1.0);
            let place = self.sums.partition_point(|sum| *sum < at).min(VOCABULARY - 1);
            text.push(self.words[place].as_str());
        }
        if text.len() > 2 && self.pairs.len() < 1_000 {
            self.pairs.push(format!("{} {}", text[0], text[1]));
        }
        text.join(" ")
    }

    /// Chinese characters, of which some are common too.
    pub fn chinese(&mut self, characters: usize) -> String {
        let mut character = || {
            let share: f64 = self.rng.random_range(0.0..1.0);
            char::from_u32(0x4E00 + (share * share * 3_000.0) as u32).unwrap_or('一')
        };
        (0..characters).map(|_| character()).collect()
    }

    fn word(&mut self, from: usize, to: usize) -> String {
        let at = self.rng.random_range(from..to);
        self.words[at].clone()
    }

    /// A question of a kind.
    pub fn question(&mut self, kind: &str) -> String {
        match kind {
            "commonest" => self.word(0, 3) + " ",
            "common" => self.word(20, 100) + " ",
            "middling" => self.word(500, 1_000) + " ",
            "rare" => self.word(20_000, VOCABULARY) + " ",
            "two words" => format!("{} {} ", self.word(0, 50), self.word(0, 500)),
            "prefix" => self.word(0, VOCABULARY).chars().take(2).collect(),
            "phrase" => {
                let at = self.rng.random_range(0..self.pairs.len());
                format!("\"{}\"", self.pairs[at])
            }
            _ => self.chinese(2),
        }
    }
}
