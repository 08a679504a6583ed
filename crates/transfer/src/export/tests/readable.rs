//! A PDF is text that can be read, searched and copied, not a picture of it.

use super::{around, every_block};
use crate::export::pdf;
use documents::view::{self, Block};
use serde_json::{Value, json};
use testing::read_pdf;
use typeset::{Places, typeset};

fn sheets(title: &str, blocks: &[Block]) -> Vec<Vec<String>> {
    let set = typeset(pdf::sheet(title, None, blocks, &around()), &Places::default()).expect("typeset");
    read_pdf(set.pdf)
}

fn blocks(of: Value) -> Vec<Block> {
    serde_json::from_value(of).expect("blocks")
}

/// Without what a line's end may do to it.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[test]
fn what_stands_on_a_page_stands_in_its_pdf() {
    let page = every_block();
    let sheets = sheets(&page.title, &page.blocks);
    let all = squeezed(&sheets.concat().concat());
    let mut asked = 0;
    for (_, block) in view::walk(&page.blocks) {
        let is_shown = ["paragraph", "heading", "quote", "bulleted_list_item", "todo", "code"].contains(&block.kind.as_str());
        // Of other scripts below; hard spaces and signs without a glyph are told elsewhere.
        let is_plain = block.text.chars().all(|c| c.is_ascii() && c != '\t');
        for words in block.text.lines().filter(|_| is_shown && is_plain) {
            // As far as the first line goes: columns put other text beside the next one.
            let words: String = words.split_whitespace().take(3).collect();
            assert!(all.contains(&squeezed(&words)), "{words} is not in {sheets:#?}");
            asked += 1;
        }
    }
    assert!(asked > 20, "{asked}");
    for words in ["Ada Lovelace", "1815", "The first program", "Alan Turing"] {
        assert!(all.contains(&squeezed(words)), "{words}");
    }
    let count = sheets.len();
    for (number, lines) in sheets.iter().enumerate() {
        let foot = lines.last().expect("a footer");
        assert!(foot.ends_with(&format!("{} / {count}", number + 1)), "{foot}");
    }
}

#[test]
fn cells_stand_in_their_rows_and_code_in_its_lines() {
    let row = |cells: [&str; 2]| json!({ "id": cells[0], "type": "table_row", "props": { "cells": cells } });
    let sheets = sheets(
        "A title",
        &blocks(json!([
            { "id": "h", "type": "heading", "text": "Chapter one", "props": { "level": 1 } },
            { "id": "t", "type": "table", "props": { "has_header_row": true }, "children": [row(["Name", "Born"]), row(["Ada Lovelace", "1815"])] },
            { "id": "c", "type": "code", "text": "fn main() {\n    println!(\"1 < 2 && ok\");\n}", "props": { "language": "rust" } },
            { "id": "f", "type": "paragraph", "text": "an office, fluffy and fine" },
        ])),
    );
    let [lines] = sheets.as_slice() else { panic!("{sheets:#?}") };
    for line in [
        "A title",
        "Chapter one",
        "Name\tBorn",
        "Ada Lovelace\t1815",
        "fn main() {",
        "println!(\"1 < 2 && ok\");",
        "an office, fluffy and fine",
    ] {
        assert!(lines.iter().any(|found| found.trim() == line), "{line} is not in {lines:#?}");
    }
}

#[test]
fn scripts_of_the_built_in_fonts_are_characters() {
    let words = ["Ünïcödé façade Łódź", "Ελληνικά κείμενο", "Русский текст, Їжак", "∑ ∫ √ ≤ ℝ ∀"];
    let all = words.map(|words| json!({ "id": words, "type": "paragraph", "text": words }));
    let hebrew = json!({ "id": "h", "type": "paragraph", "text": "שלום עולם" });
    let sheets = sheets("T", &blocks(json!(all.into_iter().chain([hebrew]).collect::<Vec<_>>())));
    let lines = sheets.concat();
    for words in words {
        assert!(
            lines.iter().any(|line| squeezed(line) == squeezed(words)),
            "{words} is not in {lines:#?}"
        );
    }
    // From the left it is read from its end.
    let backwards: String = "שלום עולם".chars().rev().collect();
    assert!(lines.iter().any(|line| squeezed(line) == squeezed(&backwards)), "{lines:#?}");
    assert!(!lines.concat().contains(char::REPLACEMENT_CHARACTER), "{lines:#?}");
}
