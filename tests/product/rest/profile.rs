//! Profiles and pictures: what people say about themselves, and who may see it.

use crate::support::{TestApp, User};
use image::{DynamicImage, ImageFormat};
use serde_json::json;
use std::io::Cursor;

const ME: &str = "/api/v1/users/me/";
const PICTURE: &str = "/api/v1/users/me/avatar/";

/// A picture, red on its left and blue on its right.
fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let color = |x: u32| if x < width / 2 { [255, 0, 0] } else { [0, 0, 255] };
    let image = image::RgbImage::from_fn(width, height, |x, _| image::Rgb(color(x)));
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(image).write_to(&mut bytes, format).expect("written");
    bytes.into_inner()
}

async fn sends(app: &TestApp, who: &User, kind: &str, bytes: Vec<u8>) -> (u16, serde_json::Value) {
    let request = app.http.put(app.url(PICTURE)).bearer_auth(&who.token).header("content-type", kind);
    let answer = request.body(bytes).send().await.expect("the product answers");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

/// Gives somebody a picture.
pub(super) async fn set_picture(app: &TestApp, who: &User) {
    let (status, said) = sends(app, who, "image/png", picture(4, 4, ImageFormat::Png)).await;
    assert_eq!(status, 200, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_changed_and_every_bad_field_is_named() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let before = ada.get(ME).await.expect(200);
    assert_eq!((&before.body["time_zone"], &before.body["erased_at"]), (&json!(null), &json!(null)));
    let wish = json!({ "display_name": "  Ada King ", "time_zone": "Europe/Berlin" });
    let after = ada.patch(ME, &wish).await.expect(200);
    assert_eq!(after.body["display_name"], "Ada King");
    assert_eq!(after.body["time_zone"], "Europe/Berlin");
    assert_ne!(after.headers["etag"], before.headers["etag"]);
    let kept = ada.patch(ME, &json!({ "display_name": "Ada" })).await.expect(200);
    assert_eq!(kept.body["time_zone"], "Europe/Berlin", "what is left out stays");
    let none = ada.patch(ME, &json!({ "time_zone": null })).await.expect(200);
    assert_eq!(none.body["time_zone"], json!(null));
    let bad = ada
        .patch(ME, &json!({ "display_name": "a\nb", "time_zone": "../../etc/passwd" }))
        .await
        .problem(422, "invalid");
    let pointers = [&bad.body["errors"][0]["pointer"], &bad.body["errors"][1]["pointer"]];
    assert_eq!(pointers, [&json!("/display_name"), &json!("/time_zone")]);
    let more =
        json!({ "email": "root@example.com", "deleted_at": null, "email_verified_at": "2026-01-01T00:00:00Z", "id": uuid::Uuid::nil() });
    let same = ada.patch(ME, &more).await;
    assert!(same.status == 200 || same.status == 422, "{}", same.text);
    assert_eq!(ada.get(ME).await.expect(200).body["email"], json!(ada.email));
    let stale = app
        .http
        .patch(app.url(ME))
        .bearer_auth(&ada.token)
        .header("if-match", &before.headers["etag"]);
    let stale = stale.json(&json!({ "display_name": "Old" })).send().await.expect("an answer");
    assert_eq!(stale.status().as_u16(), 412);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_who_share_a_workspace_know_of_each_other() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("hello").await;
    let (member, stranger) = (app.user("member").await, app.user("stranger").await);
    owner.adds(&member, &workspace, "member").await;
    let of = |user: &User| format!("/api/v1/users/{}/", user.id);
    let seen = member.get(&of(&owner)).await.expect(200);
    assert_eq!((&seen.body["display_name"], &seen.body["email"]), (&json!("owner"), &json!(null)));
    assert_eq!(owner.get(&of(&member)).await.expect(200).body["email"], json!(member.email));
    assert_eq!(member.get(&of(&member)).await.expect(200).body["email"], json!(member.email));
    let there = stranger.get(&of(&owner)).await.problem(404, "not_found");
    let nowhere = stranger
        .get(&format!("/api/v1/users/{}/", uuid::Uuid::nil()))
        .await
        .problem(404, "not_found");
    assert_eq!(there.body["detail"], nowhere.body["detail"]);
    owner.delete(&format!("/api/v1/workspaces/{workspace}/")).await.expect(204);
    member.get(&of(&owner)).await.problem(404, "not_found");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_cut_shrunk_and_shown_to_who_may_know_the_person() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("hello").await;
    let (member, stranger) = (app.user("member").await, app.user("stranger").await);
    owner.adds(&member, &workspace, "guest").await;
    let path = format!("/api/v1/users/{}/avatar/", owner.id);
    member.get(&path).await.problem(404, "not_found");
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Gif] {
        let (status, said) = sends(&app, &owner, "image/png", picture(600, 300, format)).await;
        assert_eq!(status, 200, "{format:?}: {said}");
    }
    let shown = app.http.get(app.url(&path)).bearer_auth(&member.token).send().await.expect("shown");
    assert_eq!(shown.headers()["content-type"], "image/png");
    assert_eq!(shown.headers()["x-content-type-options"], "nosniff");
    assert!(
        shown.headers()["content-security-policy"]
            .to_str()
            .expect("text")
            .contains("sandbox")
    );
    let etag = shown.headers()["etag"].clone();
    let bytes = shown.bytes().await.expect("bytes");
    let kept = image::load_from_memory_with_format(&bytes, ImageFormat::Png)
        .expect("a PNG")
        .to_rgb8();
    assert_eq!(kept.dimensions(), (256, 256));
    assert!(
        kept.get_pixel(5, 128)[0] > 200 && kept.get_pixel(250, 128)[2] > 200,
        "the middle of it"
    );
    let again = app
        .http
        .get(app.url(&path))
        .bearer_auth(&member.token)
        .header("if-none-match", etag);
    assert_eq!(again.send().await.expect("an answer").status().as_u16(), 304);
    stranger.get(&path).await.problem(404, "not_found");
    assert!(owner.get(ME).await.expect(200).body["avatar"].is_string());
    owner.delete(PICTURE).await.expect(204);
    owner.delete(PICTURE).await.expect(204);
    owner.get(&path).await.problem(404, "not_found");
    app.stop().await;
}

/// A PNG whose header promises any size, rightly checksummed.
fn promising(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = picture(4, 4, ImageFormat::Png);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let mut crc = flate2::Crc::new();
    crc.update(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_picture_or_a_bomb_is_refused() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec();
    let mut cut = picture(400, 400, ImageFormat::Png);
    cut.truncate(cut.len() / 2);
    let hostile = [
        ("no image", b"hello".to_vec()),
        ("nothing", Vec::new()),
        ("svg", svg),
        ("cut off", cut),
        ("very wide", promising(2_000_000_000, 1)),
        ("very many pixels", promising(8_000, 8_000)),
        ("no pixels", promising(0, 5)),
    ];
    for (what, bytes) in hostile {
        let (status, said) = sends(&app, &ada, "image/png", bytes).await;
        assert_eq!((status, &said["code"]), (422, &json!("invalid")), "{what}: {said}");
    }
    let (status, said) = sends(&app, &ada, "text/html", picture(4, 4, ImageFormat::Png)).await;
    assert_eq!((status, &said["code"]), (415, &json!("unsupported_media_type")));
    let (status, said) = sends(&app, &ada, "image/png", vec![0; (5 << 20) + 1]).await;
    assert_eq!((status, &said["code"]), (413, &json!("too_large")));
    assert_eq!(ada.get(ME).await.expect(200).body["avatar"], json!(null));
    app.stop().await;
}
