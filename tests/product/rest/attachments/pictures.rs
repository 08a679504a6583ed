//! Thumbnails: made soon after a picture has come, of pixels alone.

use super::{adds, content, fetches, png};
use crate::support::{TestApp, User};
use serde_json::Value;
use std::time::Duration;

/// The file, once it has thumbnails.
async fn with_thumbnails(who: &User, id: &str) -> Value {
    for _ in 0..2_000 {
        let row = who.get(&format!("/api/v1/attachments/{id}/")).await.expect(200).body;
        if row["has_thumbnails"] == true {
            return row;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no thumbnail is made");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_gets_thumbnails() {
    let app = TestApp::new().await;
    let (owner, _, page, _) = app.page("with a picture").await;
    let id = adds(&app, &owner, &page, "wide.png", png(2000, 1000)).await.expect(201).id();
    let row = with_thumbnails(&owner, &id).await;
    assert_eq!((&row["width"], &row["height"]), (&2000.into(), &1000.into()));
    let mut tags = Vec::new();
    for (edge, size) in [(256, (256, 128)), (1024, (1024, 512))] {
        let got = fetches(&app, &owner, &format!("{}?thumbnail={edge}", content(&id)), &[]).await;
        assert_eq!((got.status, got.header("content-type")), (200, "image/jpeg"));
        assert_eq!(got.header("content-disposition").split(';').next(), Some("inline"));
        let image = image::load_from_memory(&got.bytes).expect("a picture");
        assert_eq!((image.width(), image.height()), size);
        tags.push(got.header("etag").to_owned());
    }
    assert_ne!(tags[0], tags[1]);
    let known = fetches(
        &app,
        &owner,
        &format!("{}?thumbnail=256", content(&id)),
        &[("if-none-match", &tags[0])],
    )
    .await;
    assert_eq!(known.status, 304);
    app.stop().await;
}

/// A picture that moves: red, then blue.
fn moving() -> Vec<u8> {
    let mut out = Vec::new();
    let mut gif = image::codecs::gif::GifEncoder::new(&mut out);
    for colour in [[255, 0, 0, 255], [0, 0, 255, 255]] {
        let frame = image::RgbaImage::from_pixel(300, 300, image::Rgba(colour));
        gif.encode_frame(image::Frame::new(frame)).expect("written");
    }
    drop(gif);
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_picture_that_moves_the_first_frame_is_shown() {
    let app = TestApp::new().await;
    let (owner, _, page, _) = app.page("with a picture").await;
    let id = adds(&app, &owner, &page, "moving.gif", moving()).await.expect(201).id();
    with_thumbnails(&owner, &id).await;
    let got = fetches(&app, &owner, &format!("{}?thumbnail=256", content(&id)), &[]).await;
    let small = image::load_from_memory(&got.bytes).expect("a picture").to_rgb8();
    let middle = small.get_pixel(128, 128);
    assert!(middle[0] > 200 && middle[2] < 50, "{middle:?}");
    assert_eq!(fetches(&app, &owner, &content(&id), &[]).await.bytes, moving());
    app.stop().await;
}

/// A PNG that promises 50 000 × 50 000 pixels and has none of them.
fn bomb() -> Vec<u8> {
    let mut bytes = png(1, 1);
    for at in [16, 20] {
        bytes[at..at + 4].copy_from_slice(&50_000_u32.to_be_bytes());
    }
    let mut crc = flate2::Crc::new();
    crc.update(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn what_promises_too_many_pixels_stays_a_file_without_thumbnails() {
    let app = TestApp::new().await;
    let (owner, _, page, _) = app.page("with a picture").await;
    let bad = adds(&app, &owner, &page, "bomb.png", bomb()).await.expect(201).id();
    let good = adds(&app, &owner, &page, "good.png", png(10, 10)).await.expect(201).id();
    // Jobs of one queue are taken in their order: when the second is done the first has been looked at.
    with_thumbnails(&owner, &good).await;
    owner
        .get(&format!("{}?thumbnail=256", content(&bad)))
        .await
        .problem(404, "no_thumbnail");
    assert_eq!(fetches(&app, &owner, &content(&bad), &[]).await.bytes, bomb());
    app.stop().await;
}
