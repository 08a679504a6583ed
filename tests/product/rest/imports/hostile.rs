//! Imports that mean harm, come broken, or come from whoever may not.

use super::{import, item, reasons, send, zip};
use crate::support::{TestApp, User};
use serde_json::json;

async fn pages(who: &User, workspace: &str) -> usize {
    let listed = who
        .get(&format!("/api/v1/documents/?workspace_id={workspace}&limit=200"))
        .await
        .expect(200);
    listed.body["data"].as_array().expect("pages").len()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_leads_out_inflates_or_is_broken_is_refused_and_told() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("before").await;
    let files: &[(&str, &[u8])] = &[
        ("../../etc/passwd.md", b"evil"),
        ("/abs.md", b"evil"),
        ("w\\in.md", b"evil"),
        ("ok.md", b"# Good\n\n![huge](huge.png)\n\n![not](not.png)\n"),
        (
            "huge.png",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xc3\x50\0\0\xc3\x50\x08\x02\0\0\0\0\0\0\0",
        ),
        ("__MACOSX/._ok.md", b"x"),
        ("deep.html", &"<div>".repeat(50_000).into_bytes()),
    ];
    let report = import(&app, &owner, (&workspace, ""), zip(files)).await;
    for path in ["../../etc/passwd.md", "/abs.md", "w\\in.md"] {
        assert_eq!(
            (item(&report, path)["status"].as_str(), reasons(&report, path)),
            (Some("skipped"), vec!["unsafe_path".to_owned()])
        );
    }
    assert_eq!(reasons(&report, "__MACOSX/._ok.md"), ["system_file"]);
    assert_eq!(reasons(&report, "deep.html"), ["too_complex"]);
    assert_eq!(reasons(&report, "ok.md"), ["file_missing"]);
    assert_eq!(pages(&owner, &workspace).await, 2);

    let bomb = zip(&[("bomb.md", &vec![b'a'; 20 << 20]), ("small.md", b"small")]);
    let report = import(&app, &owner, (&workspace, ""), bomb).await;
    assert_eq!(reasons(&report, "bomb.md"), ["bomb"]);
    assert_eq!(item(&report, "small.md")["status"], "imported");

    let whole = zip(&[("a.md", b"hello hello hello"), ("b.md", b"b")]);
    let cut = whole[..whole.len() - 30].to_vec();
    let report = import(&app, &owner, (&workspace, "file_name=cut.zip"), cut).await;
    assert_eq!(reasons(&report, "cut.zip"), ["damaged"]);
    let mut wrong = whole;
    wrong[30 + "a.md".len()] ^= 0x55;
    let report = import(&app, &owner, (&workspace, ""), wrong).await;
    assert_eq!(
        (reasons(&report, "a.md"), item(&report, "b.md")["status"].clone()),
        (vec!["damaged".to_owned()], json!("imported"))
    );
    let report = import(&app, &owner, (&workspace, "format=notion&file_name=x"), b"no zip".to_vec()).await;
    assert_eq!(reasons(&report, "x"), ["wrong_format"]);
    assert_eq!(pages(&owner, &workspace).await, 4);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_imports_nothing_and_a_bad_wish_is_named() {
    let app = TestApp::with(&[("imports.bytes", "100000")]).await;
    let (owner, workspace, ..) = app.page("before").await;
    let (_, _, elsewhere, _) = app.page("another tenant's").await;
    let (guest, stranger) = (app.user("guest").await, app.user("stranger").await);
    owner.adds(&guest, &workspace, "guest").await;
    let text = || b"# Page".to_vec();
    send(&app, &guest, (&workspace, ""), text()).await.problem(403, "forbidden");
    send(&app, &stranger, (&workspace, ""), text()).await.problem(404, "not_found");
    send(&app, &owner, (&workspace, &format!("parent_id={elsewhere}")), text())
        .await
        .problem(422, "invalid");
    send(&app, &owner, (&workspace, "format=docx"), text())
        .await
        .problem(422, "invalid");
    send(&app, &owner, (&workspace, ""), vec![b'a'; 200_000])
        .await
        .problem(413, "file_too_large");
    assert_eq!(pages(&owner, &workspace).await, 1);
    let left = std::fs::read_dir(app.data_dir().join("files/imports")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "nothing is left of an upload that was refused");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_ends_an_import_and_the_report_says_where() {
    let app = TestApp::with(&[("quotas.documents", "3")]).await;
    let (owner, workspace, ..) = app.page("before").await;
    let files: Vec<(String, Vec<u8>)> = (0..4).map(|i| (format!("{i}.md"), b"text".to_vec())).collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let report = import(&app, &owner, (&workspace, ""), zip(&files)).await;
    assert_eq!(
        (&report["counts"]["imported"], &report["counts"]["skipped"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(reasons(&report, "3.md"), ["quota_exceeded"]);
    app.stop().await;
}
