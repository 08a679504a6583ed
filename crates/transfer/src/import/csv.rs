//! Tables of values, as tables. A cell is text, whatever it begins with: nothing is computed.

use super::{
    archive::Refusal,
    draft::{Draft, block, text_block},
    grid,
    report::{Notes, Reason},
};
use ::csv::{ReaderBuilder, StringRecord};
use documents::{op::NewBlock, view::Mark};
use kernel::id::DocumentId;

/// The most cells of a file.
const MAX_CELLS: usize = 500_000;
/// Lines that are looked at to find out what stands between cells.
const SAMPLE_LINES: usize = 50;
const SAMPLE_BYTES: usize = 64 << 10;

/// The page that a row, by its first cell, has of its own.
pub type Rows<'a> = &'a dyn Fn(&str) -> Option<DocumentId>;

/// Reads a file.
///
/// # Errors
/// When it has too many cells.
pub fn read(text: &str, pages: Rows<'_>) -> Result<Draft, Refusal> {
    let mut notes = Notes::default();
    let (mut rows, mut cells): (Vec<Vec<NewBlock>>, usize) = (Vec::new(), 0);
    for record in reader(text, delimiter(text)).into_records() {
        let Ok(record) = record else {
            notes.add(Reason::ValueRemoved, "a row that cannot be read");
            continue;
        };
        cells += record.len();
        if cells > MAX_CELLS {
            return Err(Refusal::new(Reason::TooComplex, format!("a table has {MAX_CELLS} cells at most")));
        }
        rows.push(row(&record, (!rows.is_empty()).then_some(pages)));
    }
    let shape = grid::Shape {
        has_header_row: rows.len() > 1,
        has_header_column: false,
    };
    Ok(Draft {
        blocks: grid::tables(rows, shape, &mut notes),
        notes,
        ..Draft::default()
    })
}

fn row(record: &StringRecord, pages: Option<Rows<'_>>) -> Vec<NewBlock> {
    let mut cells: Vec<NewBlock> = record.iter().map(|cell| text_block("paragraph", cell.trim(), Vec::new())).collect();
    let page = cells.first().and_then(|first| pages?(&first.text));
    if let (Some(page), Some(first)) = (page, cells.first_mut()) {
        first.marks.push(Mark {
            name: "link".to_owned(),
            value: format!("/documents/{page}").into(),
            start: 0,
            end: first.text.encode_utf16().count(),
        });
    }
    if cells.iter().all(|cell| cell.text.is_empty()) {
        return vec![block("paragraph")];
    }
    cells
}

fn reader(text: &str, delimiter: u8) -> ::csv::Reader<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes())
}

/// What stands between cells: that which gives most rows the same number of them, and more of them.
pub fn delimiter(text: &str) -> u8 {
    scored(text).map_or(b',', |(delimiter, _)| delimiter)
}

/// Whether a text looks like a table: two rows and two columns at least, and all rows alike.
pub fn is_table(text: &str) -> bool {
    scored(text).is_some_and(|(_, share)| share == 100)
}

fn scored(text: &str) -> Option<(u8, usize)> {
    let most = (0..=text.len().min(SAMPLE_BYTES)).rev().find(|at| text.is_char_boundary(*at))?;
    let sample = &text[..most];
    let score = |delimiter: u8| {
        let records = reader(sample, delimiter).into_records().take(SAMPLE_LINES);
        let widths: Vec<usize> = records.filter_map(Result::ok).map(|record| record.len()).collect();
        let first = *widths.first()?;
        let alike = widths.iter().filter(|width| **width == first).count() * 100 / widths.len();
        (first > 1 && widths.len() > 1).then_some((alike, first, delimiter))
    };
    let best = [b',', b';', b'\t', b'|']
        .into_iter()
        .filter_map(score)
        .max_by_key(|(alike, width, _)| (*alike, *width))?;
    Some((best.2, best.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn cells(text: &str) -> serde_json::Value {
        let draft = read(text, &|_| None).expect("reads");
        draft
            .blocks
            .iter()
            .flat_map(|table| &table.children)
            .map(|row| row.props["cells"].clone())
            .collect()
    }

    #[test]
    fn cells_are_found_whatever_stands_between_them() {
        let expected = json!([["a", "b"], ["1,5", "x\ny"]]);
        assert_eq!(cells("a;b\n1,5;\"x\ny\"\n"), expected);
        assert_eq!(cells("a\tb\n1,5\t\"x\ny\"\n"), expected);
        assert_eq!(cells("a,b\n\"1,5\",\"x\ny\""), expected);
        assert_eq!(
            cells("=1+1,@SUM(A1)\n-2,\"say \"\"hi\"\"\""),
            json!([["=1+1", "@SUM(A1)"], ["-2", "say \"hi\""]])
        );
        assert_eq!(cells("a,b\n1"), json!([["a", "b"], ["1", ""]]));
    }

    #[test]
    fn a_wide_table_goes_on_beside_itself_and_a_long_cell_is_a_block() {
        let wide: Vec<String> = (0..70).map(|i| format!("c{i}")).collect();
        let draft = read(&format!("{0}\n{0}\n", wide.join(",")), &|_| None).expect("reads");
        let widths: Vec<_> = draft.blocks.iter().map(|table| table.props["column_count"].clone()).collect();
        assert_eq!(widths, [json!(64), json!(6)]);
        assert!(draft.notes.has(Reason::TableSplit));
        let long = "x".repeat(9_000);
        let draft = read(&format!("a,b\n{long},c\n"), &|_| None).expect("reads");
        let row = &draft.blocks[0].children[1];
        assert_eq!((row.children[0].text.len(), row.children[1].text.as_str()), (9_000, "c"));
        assert!(draft.notes.is_empty());
    }

    #[test]
    fn a_row_leads_to_its_page() {
        let page = DocumentId::new();
        let draft = read("Name,Done\nBuy gears,Yes\n", &|name| (name == "Buy gears").then_some(page)).expect("reads");
        let cell = &draft.blocks[0].children[1].children[0];
        assert_eq!(
            (cell.text.as_str(), cell.marks[0].value.as_str()),
            ("Buy gears", Some(format!("/documents/{page}").as_str()))
        );
    }

    #[test]
    fn a_table_is_told_from_prose() {
        assert!(is_table("a;b\n1;2\n"));
        assert!(!is_table("# Notes\n\nWell, this is text.\nIt has, here and there, commas.\n"));
    }

    proptest! {
        #[test]
        fn any_text_is_some_table(text in "[a-z\",;\n\t|=+ ]{0,400}") {
            let draft = read(&text, &|_| None).expect("reads");
            let fitted = crate::import::fit::fit(draft.blocks.clone(), &mut Notes::default());
            prop_assert_eq!(fitted, draft.blocks);
        }
    }
}
