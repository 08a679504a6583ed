//! What is said is what the server reads, and what it says is understood.

use super::*;
use crate::marker;
use serde_json::Value;

fn sheet() -> Sheet {
    let blocks = vec!["b0".to_owned(), "b1".to_owned()];
    let page = Page {
        id: "page".to_owned(),
        automerge_id: "short".to_owned(),
        blocks,
    };
    Sheet::new(page, 2, None)
}

/// What the one frame carries that was written; the mask is zero.
fn payload(out: &[u8]) -> &[u8] {
    let header = if out[1] & 0x7f == 126 { 8 } else { 6 };
    &out[header..]
}

fn said(out: &[u8]) -> Value {
    serde_json::from_slice(payload(out)).expect("JSON")
}

fn hear(text: &str, writer: Option<&mut Writer>, tally: &mut Tally, sheet: &mut Sheet) -> Result<(), Gone> {
    let message = Message {
        kind: frame::TEXT,
        bytes: text.as_bytes(),
        has_marker: false,
    };
    let mut around = Around {
        tally,
        sheet,
        now: 50,
        is_ear: false,
    };
    Speech::Json.hear(message, &mut Vec::new(), (writer, &mut around))
}

#[test]
fn a_json_edit_is_json_and_deletes_whole_markers_once_the_block_is_full() {
    let (mut sheet, mut writer) = (sheet(), Writer::new(1));
    let marker = Marker {
        writer: 1,
        number: 7,
        sent: 42,
    };
    let mut out = Vec::new();
    Speech::Json
        .edit(&mut writer, (&marker, 2), &mut out, &mut sheet)
        .ok()
        .expect("said");
    let edit = said(&out);
    assert_eq!((&edit["type"], &edit["id"]), (&"op".into(), &"1-7-42".into()));
    assert_eq!(edit["ops"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&edit["ops"][0]["block"], &edit["ops"][0]["text"]),
        (&"b1".into(), &marker.text().into())
    );

    sheet.fill[1].inserted = 4;
    out.clear();
    Speech::Json
        .edit(&mut writer, (&marker, 2), &mut out, &mut sheet)
        .ok()
        .expect("said");
    let delete = &said(&out)["ops"][1];
    assert_eq!(
        (delete["op"].as_str(), delete["pos"].as_u64(), delete["len"].as_u64()),
        (Some("delete"), Some(52), Some(52))
    );
    assert_eq!(sheet.fill[1].deleted, 2);
    assert_eq!(marker::LEN, 26);
}

#[test]
fn acknowledgements_and_refusals_find_their_edit() {
    let (mut sheet, mut writer, mut tally) = (
        sheet(),
        Writer::new(1),
        Tally {
            since: Some(0),
            ..Tally::default()
        },
    );
    for sent in [42, 43] {
        tally.edit(sent, sent, 9);
    }
    sheet.readers = 10;
    hear(
        r#"{"type":"ack","id":"1-7-42","server_seq":3}"#,
        Some(&mut writer),
        &mut tally,
        &mut sheet,
    )
    .ok()
    .expect("heard");
    hear(
        r#"{"type":"error","id":"1-8-43","code":"rate_limited","message":"\"no\""}"#,
        Some(&mut writer),
        &mut tally,
        &mut sheet,
    )
    .ok()
    .expect("heard");
    hear(r#"{"type":"presence","peers":[]}"#, None, &mut tally, &mut sheet)
        .ok()
        .expect("heard");
    assert_eq!((tally.acked, tally.refused, tally.expected, sheet.fill[1].inserted), (1, 1, 9, 1));
    assert_eq!(tally.errors.keys().collect::<Vec<_>>(), ["error rate_limited"]);
    assert!(hear("no JSON", None, &mut tally, &mut sheet).is_err());
}

#[test]
fn a_json_client_has_the_page_with_the_snapshot_and_not_before() {
    let (mut sheet, mut tally) = (sheet(), Tally::default());
    let mut join = |text: &str| {
        let message = Message {
            kind: frame::TEXT,
            bytes: text.as_bytes(),
            has_marker: false,
        };
        let mut around = Around {
            tally: &mut tally,
            sheet: &mut sheet,
            now: 0,
            is_ear: false,
        };
        Speech::Json.join(message, &mut Vec::new(), &mut around).map_err(|gone| gone.0)
    };
    assert_eq!(join(r#"{"type":"hello_ack","session_id":"x"}"#), Ok(false));
    assert_eq!(join(r#"{"type":"snapshot","doc":{"type":"x"}}"#), Ok(true));
    assert_eq!(
        join(r#"{"type":"error","code":"not_found"}"#),
        Err("error not_found at the hello".to_owned())
    );
}

#[test]
fn a_stock_client_asks_for_the_page_and_confirms_what_it_gets() {
    let (mut sheet, mut tally) = (sheet(), Tally::default());
    let mut speech = Speech::of(Protocol::AutomergeRepo, &sheet.page, "1");
    let mut around = Around {
        tally: &mut tally,
        sheet: &mut sheet,
        now: 0,
        is_ear: false,
    };
    let mut out = Vec::new();
    let binary = |bytes| Message {
        kind: frame::BINARY,
        bytes,
        has_marker: false,
    };
    // A frame of kind `peer` has a sender like any other; the data is not looked at.
    let peer = sync::with_data(&sync::prefix("peer", "server", "load-1", "short").expect("encodes"), b"x");
    assert_eq!(speech.join(binary(&peer), &mut out, &mut around).map_err(|gone| gone.0), Ok(false));
    let request = sync::read(payload(&out)).expect("a map");
    assert_eq!((request.kind, request.sender), ("request", "load-1"));

    out.clear();
    let message = sync::acknowledgement(&[7; 32]);
    let told = sync::with_data(&sync::prefix("sync", "server", "load-1", "short").expect("encodes"), &message);
    assert_eq!(speech.join(binary(&told), &mut out, &mut around).map_err(|gone| gone.0), Ok(true));
    let answer = sync::read(payload(&out)).expect("a map");
    assert_eq!((answer.kind, answer.data), ("sync", &message[..]));
}
