//! An export as Notion makes it: names with ids, parts inside of parts, databases as tables and as pages, callouts,
//! toggles, formulas, pictures beside the pages.

use super::{PNG, import, item, page, reasons, zip};
use crate::support::TestApp;
use serde_json::{Value, json};

const HOME: &str = "1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d";
const NOTES: &str = "2a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d";
const TASKS: &str = "3a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d";
const GEARS: &str = "4a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d";
const OIL: &str = "5a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d";

fn home() -> String {
    format!(
        "# Engine room 🚂\n\nWelcome to the **engine room**. See [Meeting notes](Engine%20room/Meeting%20notes%20{NOTES}.md) inline.\n\n\
        [Meeting notes](Engine%20room/Meeting%20notes%20{NOTES}.md)\n\n[Tasks](Engine%20room/Tasks%20{TASKS}.csv)\n\n\
        <aside>\n💡 Mind the *gap*\n\n</aside>\n\n- [x]  Buy brass\n- [ ]  Polish it\n\n- Toggle me\n    \n    Hidden text\n    \n\n\
        $$\nE = mc^2\n$$\n\n```jsx\nconst a = 1;\n```\n\n![A pixel](Engine%20room/pixel.png)\n\n[drawing.pdf](Engine%20room/drawing.pdf)\n\n\
        | Part | Count |\n| --- | --- |\n| Gear | 12 |\n\n[https://example.com/engine](https://example.com/engine)\n"
    )
}

/// The export as one archive with two parts inside.
fn export() -> Vec<u8> {
    let (home, notes) = (format!("Engine room {HOME}.md"), format!("Engine room/Meeting notes {NOTES}.md"));
    let (all, some) = (
        format!("Engine room/Tasks {TASKS}_all.csv"),
        format!("Engine room/Tasks {TASKS}.csv"),
    );
    let (gears, oil) = (
        format!("Engine room/Tasks/Buy gears {GEARS}.md"),
        format!("Engine room/Tasks/Oil {OIL}.md"),
    );
    let meeting = format!(
        "# Meeting notes\n\nBack to [Engine room](../Engine%20room%20{HOME}.md) and [the gears](https://www.notion.so/Buy-gears-{GEARS})\n"
    );
    let csv = "\u{feff}Name,Status,Due\nBuy gears,Done,\"October 1, 2026\"\nOil,Not started,\n";
    let row = "# Buy gears\n\nStatus: Done\nDue: October 1, 2026\n\nTwelve of them.\n";
    let first = zip(&[
        (&home, self::home().as_bytes()),
        (&notes, meeting.as_bytes()),
        ("Engine room/pixel.png", PNG),
    ]);
    let second = zip(&[
        (&all, csv.as_bytes()),
        (&some, csv.as_bytes()),
        (&gears, row.as_bytes()),
        (&oil, b"# Oil\n\nStatus: Not started\n"),
        ("Engine room/drawing.pdf", b"%PDF-1.4 not much"),
    ]);
    zip(&[("Export-9f-Part-1.zip", &first), ("Export-9f-Part-2.zip", &second)])
}

fn find<'b>(page: &'b Value, kind: &str) -> &'b Value {
    let blocks = page["blocks"].as_array().expect("blocks");
    blocks
        .iter()
        .find(|block| block["type"] == kind)
        .unwrap_or_else(|| panic!("no {kind} in {page:#}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_notion_is_the_same_pages_again() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("before").await;
    let report = import(&app, &owner, (&workspace, "file_name=Export.zip"), export()).await;
    assert_eq!(report["format"], "notion", "{report:#}");
    let path = |name: &str, id: &str| format!("{name} {id}.md");
    let home = page(&owner, &report, &path("Engine room", HOME)).await;
    let notes = page(&owner, &report, &path("Engine room/Meeting notes", NOTES)).await;
    let tasks = page(&owner, &report, &format!("Engine room/Tasks {TASKS}_all.csv")).await;
    let gears = page(&owner, &report, &path("Engine room/Tasks/Buy gears", GEARS)).await;
    assert_eq!((&home["title"], &home["parent_id"]), (&json!("Engine room 🚂"), &Value::Null));
    assert_eq!(
        (&notes["parent_id"], &tasks["parent_id"], &gears["parent_id"]),
        (&home["id"], &home["id"], &tasks["id"])
    );
    assert_eq!(tasks["title"], "Tasks");

    let link = format!("/documents/{}", notes["id"].as_str().expect("an id"));
    let inline = home["blocks"][0]["marks"]
        .as_array()
        .expect("marks")
        .iter()
        .any(|mark| mark["value"] == json!(link));
    assert!(inline, "{:#}", home["blocks"][0]);
    let below: Vec<&Value> = home["blocks"]
        .as_array()
        .expect("blocks")
        .iter()
        .filter(|block| block["type"] == "child_page")
        .collect();
    assert_eq!(below.len(), 2);
    assert_eq!(
        (&below[0]["props"]["document_id"], &below[1]["props"]["document_id"]),
        (&notes["id"], &tasks["id"])
    );
    let callout = find(&home, "callout");
    assert_eq!(
        (&callout["text"], &callout["props"]["icon"]),
        (&json!("Mind the gap"), &json!("💡"))
    );
    assert_eq!(find(&home, "todo")["props"]["checked"], true);
    assert_eq!(find(&home, "equation")["text"], "E = mc^2");
    assert_eq!(find(&home, "code")["text"], "const a = 1;");
    assert_eq!(find(&home, "file")["props"]["name"], "drawing.pdf");
    assert!(find(&home, "image")["props"]["attachment_id"].is_string());

    let rows = &find(&tasks, "table")["children"];
    assert_eq!(
        rows[1]["children"][0]["marks"][0]["value"],
        format!("/documents/{}", gears["id"].as_str().expect("an id"))
    );
    assert_eq!(
        find(&gears, "table")["children"][1]["props"]["cells"],
        json!(["Due", "October 1, 2026"])
    );
    assert_eq!(gears["blocks"][1]["text"], "Twelve of them.");
    let back: Vec<&Value> = notes["blocks"][0]["marks"]
        .as_array()
        .expect("marks")
        .iter()
        .map(|mark| &mark["value"])
        .collect();
    assert_eq!(
        back,
        [
            &json!(format!("/documents/{}", home["id"].as_str().expect("an id"))),
            &json!(format!("/documents/{}", gears["id"].as_str().expect("an id")))
        ]
    );
    assert_eq!(reasons(&report, &format!("Engine room/Tasks {TASKS}.csv")), ["superseded"]);
    assert_eq!(item(&report, &path("Engine room", HOME))["status"], "imported", "{report:#}");
    assert_eq!(report["counts"]["pages"], 5);
    app.stop().await;
}
