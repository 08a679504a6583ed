//! What somebody hopes that a browser, or a disk, will take for something else.

use super::{adds, content, fetches};
use crate::support::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_could_run_is_shown() {
    let app = TestApp::new().await;
    let (owner, _, page, _) = app.page("with files").await;
    let polyglot = [b"%PDF-1.7\n<script>alert(1)</script>\n".as_slice(), b"PK\x03\x04"].concat();
    for (name, bytes, kind) in [
        (
            "photo.png",
            b"<!DOCTYPE html><script>alert(1)</script>".to_vec(),
            "application/octet-stream",
        ),
        (
            "drawing.svg",
            b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>".to_vec(),
            "application/octet-stream",
        ),
        (
            "feed.xml",
            b"<?xml version=\"1.0\"?><?xml-stylesheet href=\"x\"?><a/>".to_vec(),
            "application/octet-stream",
        ),
        ("script.js", b"alert(1)".to_vec(), "text/plain; charset=utf-8"),
        ("both.pdf", polyglot, "application/pdf"),
        ("42.zip", b"PK\x03\x04\x14\0\0\0\x08\0".to_vec(), "application/zip"),
        ("program.png", b"MZ\x90\0\x03\0\0\0".to_vec(), "application/octet-stream"),
        (
            "late.html",
            [vec![b' '; 9000], b"<script>alert(1)</script>".to_vec()].concat(),
            "text/plain; charset=utf-8",
        ),
    ] {
        let id = adds(&app, &owner, &page, name, bytes.clone()).await.expect(201).id();
        let got = fetches(&app, &owner, &content(&id), &[]).await;
        assert!(got.bytes == bytes, "{name}");
        assert_eq!(got.header("content-type"), kind, "{name}");
        assert!(got.header("content-disposition").starts_with("attachment;"), "{name}");
        assert_eq!(got.header("x-content-type-options"), "nosniff", "{name}");
        assert!(got.header("content-security-policy").contains("sandbox"), "{name}");
    }
    // A picture with a script in it is a picture, and nothing else.
    let gif = b"GIF89a/*\0\0\0*/=1;<script>alert(1)</script>".to_vec();
    let id = adds(&app, &owner, &page, "x.html", gif).await.expect(201).id();
    let got = fetches(&app, &owner, &content(&id), &[]).await;
    assert_eq!(
        (got.header("content-type"), got.header("x-content-type-options")),
        ("image/gif", "nosniff")
    );
    assert!(got.header("content-security-policy").contains("sandbox"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_for_people_and_never_for_a_disk() {
    let app = TestApp::new().await;
    let (owner, _, page, _) = app.page("with files").await;
    let long = format!("{}.png", "n".repeat(300));
    for (name, kept) in [
        ("../../../../tmp/x", "x"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("a\0.png", "a.png"),
        ("CON", "_CON"),
        ("invoice\u{202e}gnp.exe", "invoicegnp.exe"),
        ("x\r\nSet-Cookie: a=b", "xSet-Cookie_ a=b"),
        ("", "file"),
        (long.as_str(), &format!("{}.png", "n".repeat(251))),
    ] {
        let made = adds(&app, &owner, &page, name, "x").await.expect(201);
        assert_eq!(made.body["name"], kept, "{name:?}");
        let got = fetches(&app, &owner, &content(&made.id()), &[]).await;
        assert_eq!(got.status, 200);
        assert!(got.headers.get("set-cookie").is_none());
    }
    let outside = std::fs::read_dir(app.data_dir()).expect("the data directory").flatten();
    let names: Vec<_> = outside.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert!(!names.iter().any(|name| name.contains("boot") || name == "x"), "{names:?}");
    app.stop().await;
}
