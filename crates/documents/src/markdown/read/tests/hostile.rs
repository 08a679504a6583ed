//! Texts that are meant to hurt, and large ones.

use super::*;

/// What repeats to something that a parser may take ages for, nest without end, or blow up.
const PATTERNS: &[&str] = &[
    ">",
    "> - ",
    "- ",
    "1. > ",
    "*a **a ",
    "[",
    "![",
    "[a](",
    "](",
    "`",
    "``a` ",
    "<",
    "<a ",
    "<!--",
    "<!-- x -->\n",
    "&",
    "&#",
    "$$",
    "$a",
    "~~a",
    "_a_",
    "**a*",
    "a\n",
    "a\n\n",
    "> a\n\n",
    "- a\n",
    "|a",
    "|a|b\n",
    "<u>",
    "<u></b>",
    "<details>",
    "<details>\n\n",
    "</details>\n\n",
    "<!-- column_list -->\n\n",
    "<!-- synced_block -->\n\n",
    "<!-- column -->\n\n",
    "[a]: /b\n",
    "[a]\n\n",
    "http://a.b ",
    "www.a",
    "a@b.c ",
    "\\",
    "\0",
    "\r",
    "\t",
    "    a\n",
    "# a\n",
    "![a](/b)",
    "[![a](/b)](/c)",
    "<img src=\"/a\">",
    "```\n",
    "a\n-\n",
    "\u{feff}",
    "{{",
    "[^a]",
    "<b>![a](/b)",
];

/// Whether it is read or refused, it is in time, and what is read can be written.
fn survives(text: &str) {
    let begun = std::time::Instant::now();
    if let Ok(read) = read(text) {
        let depth = walk(&read.blocks).map(|(depth, _)| depth).max().unwrap_or_default();
        assert!(depth <= crate::markdown::MAX_NESTING + 3, "{depth} levels of {:?}…", text.get(..16));
    }
    assert!(begun.elapsed().as_secs() < 30, "{:?}… takes too long", text.get(..8));
}

#[test]
fn no_pattern_hurts() {
    for pattern in PATTERNS {
        survives(&pattern.repeat(100_000 / pattern.len()));
        survives(&format!("| a |\n|-|\n{}", pattern.repeat(10_000 / pattern.len())));
    }
}

#[test]
fn tables_and_lists_of_any_width_and_depth_are_read() {
    survives(&format!(
        "{}\n{}\n{}",
        "|a".repeat(20_000),
        "|-".repeat(20_000),
        "|b".repeat(20_000)
    ));
    let steps: String = (0..400).map(|depth| format!("{}- a\n", "  ".repeat(depth))).collect();
    survives(&steps);
    let quotes: String = (0..200).map(|depth| format!("{} a\n", ">".repeat(depth))).collect();
    survives(&quotes);
}

#[test]
fn what_is_too_much_is_refused_and_not_cut() {
    assert_eq!(read(&"a".repeat(MAX_BYTES + 1)), Err(Unreadable::TooLong));
    assert_eq!(read(&"a\n\n".repeat(MAX_BLOCKS + 1)), Err(Unreadable::TooManyBlocks));
    assert_eq!(read("a\n\n<!-- cut: the page is too long for Markdown -->\n"), Err(Unreadable::Cut));
    assert!(read(&"a\n\n".repeat(MAX_BLOCKS)).is_ok());
}

#[test]
fn a_text_that_is_too_long_for_a_block_becomes_several() {
    let long = "wörd ".repeat(200_000);
    let read = read(&long).expect("it is read");
    assert!(read.blocks.iter().all(|block| block.text.len() <= 256 << 10));
    let whole: String = read.blocks.iter().map(|block| block.text.replace(' ', "")).collect();
    assert_eq!(whole, long.replace(' ', ""));
    assert_eq!(read.notes.first().map(|note| note.loss), Some(Loss::Length));
}

/// Seconds for five megabytes of prose, in a release build: `cargo test -p documents --release five_megabytes -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn five_megabytes() {
    let prose = "# Heading\n\nSome *text* with [a link](https://a.b/c) and `code`.\n\n- an item\n  - another\n\n| a | b |\n|---|---|\n| 1 | **2** |\n\n";
    for (name, text) in [("prose", prose.repeat(8_000)), ("lines", "some words in a line\n".repeat(250_000))] {
        let begun = std::time::Instant::now();
        let blocks = read(&text).map(|read| read.blocks.len());
        println!("{name}: {} bytes, {blocks:?} blocks, {:?}", text.len(), begun.elapsed());
    }
    for pattern in PATTERNS {
        let text = pattern.repeat((5 << 20) / pattern.len());
        let begun = std::time::Instant::now();
        let blocks = read(&text).map(|read| read.blocks.len());
        println!("{pattern:?}: {blocks:?}, {:?}", begun.elapsed());
    }
}
