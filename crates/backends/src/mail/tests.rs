//! Letters to a real mail server and into a directory.

mod late;

use super::*;
use serde_json::Value;
use std::{os::unix::fs::PermissionsExt, path::Path, time::Duration};
use testing::MailCatcher;

const FROM: &str = "Sheaf <post@sheaf.example>";
const SOON: Duration = Duration::from_secs(10);

fn letter(number: u128) -> Letter {
    Letter {
        id: Uuid::from_u128(number),
        to: "ada@example.com".to_owned(),
        to_name: "Ada".to_owned(),
        subject: "Hello".to_owned(),
        text: "Good morning, Ada.\n".to_owned(),
        html: "<p>Good morning, <b>Ada</b>.</p>".to_owned(),
    }
}

fn smtp(url: &str) -> Mailer {
    Mailer::smtp(&SecretString::from(url), FROM).unwrap()
}

/// Sends one letter to a server and gives it as it arrived.
async fn sent(letter: &Letter) -> Value {
    let server = MailCatcher::start(&[]).await;
    smtp(&server.url()).send(letter).await.unwrap();
    server.wait_for(1, SOON).await.remove(0)
}

/// Puts one letter into a directory and gives the lines of its header, unfolded.
async fn headers(letter: &Letter) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    Mailer::directory(dir.path().to_owned(), FROM).unwrap().send(letter).await.unwrap();
    let (head, _) = read(dir.path(), letter);
    head.replace("\r\n ", " ").split("\r\n").map(str::to_owned).collect()
}

fn read(dir: &Path, letter: &Letter) -> (String, String) {
    let eml = std::fs::read_to_string(dir.join(format!("{}.eml", letter.id))).unwrap();
    let (head, body) = eml.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

fn names(headers: &[String]) -> Vec<&str> {
    let mut names: Vec<_> = headers.iter().map(|line| line.split(':').next().unwrap()).collect();
    names.sort_unstable();
    names
}

/// The headers of every letter; there are no others.
const NAMES: [&str; 8] = [
    "Auto-Submitted",
    "Content-Type",
    "Date",
    "From",
    "MIME-Version",
    "Message-ID",
    "Subject",
    "To",
];

#[tokio::test]
async fn a_mail_server_gets_both_forms_and_all_headers() {
    let mail = sent(&letter(7)).await;
    assert_eq!(mail["messageId"], "<00000000-0000-0000-0000-000000000007@sheaf.example>");
    assert_eq!(mail["from"], "post@sheaf.example");
    assert_eq!(mail["to"], serde_json::json!(["ada@example.com"]));
    assert_eq!(mail["subject"], "Hello");
    assert_eq!(mail["text"], "Good morning, Ada.\n");
    assert_eq!(mail["html"], "<p>Good morning, <b>Ada</b>.</p>");
    let headers = &mail["headers"];
    assert_eq!(headers["from"], "Sheaf <post@sheaf.example>");
    assert_eq!(headers["to"], "Ada <ada@example.com>");
    assert_eq!(headers["auto-submitted"], "auto-generated");
    assert!(
        headers["content-type"].as_str().unwrap().starts_with("multipart/alternative"),
        "{headers}"
    );
    assert!(headers["date"].is_string(), "{headers}");
}

#[tokio::test]
async fn all_of_unicode_arrives() {
    let odd = Letter {
        to_name: "Zoë 🌿, \"the\" Gärtner <x>".to_owned(),
        subject: "Grüße 🌻 日本語".to_owned(),
        text: "ägypten 🌍\n.\nafter a dot\n".to_owned(),
        html: "<p>日本語 🌍</p>".to_owned(),
        ..letter(1)
    };
    let mail = sent(&odd).await;
    assert_eq!(mail["subject"], "Grüße 🌻 日本語");
    assert_eq!(mail["text"], "ägypten 🌍\n.\nafter a dot\n");
    assert_eq!(mail["html"], "<p>日本語 🌍</p>");
    assert_eq!(mail["to"], serde_json::json!(["ada@example.com"]));
    let to = mail["headers"]["to"].as_str().unwrap();
    assert!(to.is_ascii() && to.ends_with("<ada@example.com>"), "{to}");
}

#[tokio::test]
async fn a_server_that_fails_is_tried_again_with_the_same_message_id() {
    let server = MailCatcher::start(&["--fail-first", "2"]).await;
    let mailer = smtp(&server.url());
    for _ in 0..2 {
        let error = mailer.send(&letter(3)).await.unwrap_err();
        assert!(matches!(&error, MailError::Unavailable(why) if why.contains("451")), "{error:?}");
        assert!(!error.is_permanent());
    }
    mailer.send(&letter(3)).await.unwrap();
    let mails = server.wait_for(1, SOON).await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0]["messageId"], "<00000000-0000-0000-0000-000000000003@sheaf.example>");
}

#[tokio::test]
async fn a_refused_recipient_is_not_tried_again() {
    let server = MailCatcher::start(&["--refuse"]).await;
    let error = smtp(&server.url()).send(&letter(1)).await.unwrap_err();
    assert!(matches!(&error, MailError::Refused(why) if why.contains("550")), "{error:?}");
    assert!(error.is_permanent());
    assert_eq!(server.mails().await.len(), 0);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again() {
    let mailer = smtp(&format!("smtp://127.0.0.1:{}", testing::free_port()));
    let error = mailer.send(&letter(1)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable, "{error:?}");
    assert!(!error.is_permanent());
}

#[tokio::test]
async fn name_and_password_are_used_and_a_wrong_one_loses_no_letter() {
    let server = MailCatcher::start(&["--login", "ada:s3cret"]).await;
    let error = smtp(&server.url_as("ada", "wrong")).send(&letter(1)).await.unwrap_err();
    assert!(matches!(&error, MailError::Unavailable(why) if why.contains("535")), "{error:?}");
    assert!(!error.to_string().contains("wrong@"), "{error}");
    smtp(&server.url_as("ada", "s3cret")).send(&letter(1)).await.unwrap();
    assert_eq!(server.wait_for(1, SOON).await.len(), 1);
}

#[tokio::test]
async fn a_server_without_tls_gets_nothing_when_tls_is_required() {
    let server = MailCatcher::start(&[]).await;
    let error = smtp(&format!("{}?tls=required", server.url())).send(&letter(1)).await.unwrap_err();
    assert!(!error.is_permanent(), "{error:?}");
    assert_eq!(server.mails().await.len(), 0);
}

#[tokio::test]
async fn connections_are_used_again() {
    let server = MailCatcher::start(&[]).await;
    let mailer = smtp(&server.url());
    for number in 0..5 {
        mailer.send(&letter(number)).await.unwrap();
    }
    let ids: Vec<_> = server
        .wait_for(5, SOON)
        .await
        .iter()
        .map(|mail| mail["messageId"].clone())
        .collect();
    let expected: Vec<_> = (0..5)
        .map(|number| format!("<{}@sheaf.example>", Uuid::from_u128(number)))
        .collect();
    assert_eq!(ids, expected);
}

#[tokio::test]
async fn a_directory_holds_one_private_file_for_each_letter() {
    let above = tempfile::tempdir().unwrap();
    let dir = above.path().join("data/outbox");
    let mailer = Mailer::directory(dir.clone(), FROM).unwrap();
    let again = letter(1);
    let sendings = (0..8).map(|_| mailer.send(&again));
    for sent in futures::future::join_all(sendings).await {
        sent.unwrap();
    }
    let first = std::fs::read(dir.join(format!("{}.eml", again.id))).unwrap();
    mailer.send(&again).await.unwrap();
    mailer.send(&letter(2)).await.unwrap();

    let mut files: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files, [1, 2].map(|number| dir.join(format!("{}.eml", Uuid::from_u128(number)))));
    assert_eq!(std::fs::read(&files[0]).unwrap(), first, "it was written once");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    assert!(files.iter().all(|file| mode(file) == 0o600));
}

#[tokio::test]
async fn a_crash_in_the_middle_of_a_file_does_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(format!("{}.new", letter(1).id)), "half a let").unwrap();
    let mailer = Mailer::directory(dir.path().to_owned(), FROM).unwrap();
    mailer.send(&letter(1)).await.unwrap();
    let (_, body) = read(dir.path(), &letter(1));
    assert!(body.contains("Good morning, Ada.") && body.contains("<b>Ada</b>"), "{body}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_is_tried_again() {
    let above = tempfile::tempdir().unwrap();
    let dir = above.path().join("outbox");
    let mailer = Mailer::directory(dir.clone(), FROM).unwrap();
    std::fs::remove_dir(&dir).unwrap();
    std::fs::write(&dir, "a file in its place").unwrap();
    assert!(!mailer.send(&letter(1)).await.unwrap_err().is_permanent());
    std::fs::remove_file(&dir).unwrap();
    mailer.send(&letter(1)).await.unwrap();
    assert!(read(&dir, &letter(1)).0.contains("Subject: Hello"));
}

#[tokio::test]
async fn an_address_that_is_none_is_never_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let mailer = Mailer::directory(dir.path().to_owned(), FROM).unwrap();
    for to in [
        "a@b.c\r\nBcc: x@y.z",
        "a@b.c\nBcc: x@y.z",
        "a@b.c\r",
        "a@b.c\0",
        "\"a\r\nBcc: x\"@y.z",
        "a@b.c>, <x@y.z",
        "a@b.c, x@y.z",
        "a@b.c\u{2028}",
        "a b@c.d",
        "@b.c",
        "ada",
        "",
    ] {
        let bad = Letter {
            to: to.to_owned(),
            ..letter(1)
        };
        let error = mailer.send(&bad).await.unwrap_err();
        assert!(matches!(error, MailError::Invalid(_)) && error.is_permanent(), "{to:?}: {error:?}");
        assert_eq!(error.kind(), Kind::Invalid);
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn names_and_subjects_cannot_make_headers() {
    for evil in [
        "x\r\nBcc: x@y.z",
        "x\nBcc: x@y.z",
        "x\rBcc: x@y.z",
        "ü\r\n\r\n<p>body</p>",
        "x\u{0}\u{b}\u{c}\u{85}\u{2028}Bcc: x@y.z",
        "\"\r\nBcc: x@y.z\r\nX: \"",
        "x\\",
        "\" <x@y.z>, \"",
        "🌻\r\nBcc: x@y.z",
    ] {
        let bad = Letter {
            to_name: evil.to_owned(),
            subject: evil.to_owned(),
            ..letter(1)
        };
        let headers = headers(&bad).await;
        assert_eq!(names(&headers), NAMES, "{evil:?}: {headers:#?}");
        let control = headers.iter().find(|line| line.chars().any(char::is_control));
        assert_eq!(control, None, "{evil:?}");
        let mail = sent(&bad).await;
        assert_eq!(mail["to"], serde_json::json!(["ada@example.com"]), "{evil:?}");
        assert_eq!(mail["headers"].get("bcc"), None, "{evil:?}");
        assert_eq!(mail["text"], "Good morning, Ada.\n", "{evil:?}");
    }
}

#[tokio::test]
async fn line_breaks_in_names_and_subjects_become_spaces() {
    let odd = Letter {
        to_name: "Ada\r\nLovelace\n".to_owned(),
        subject: "one\r\ntwo\tthree".to_owned(),
        ..letter(1)
    };
    let mail = sent(&odd).await;
    assert_eq!(mail["subject"], "one  two three");
    assert_eq!(mail["headers"]["to"], "\"Ada  Lovelace\" <ada@example.com>");
}

#[tokio::test]
async fn encoded_words_stay_what_they_look_like() {
    let word = "=?utf-8?q?=0D=0ABcc:_x@y.z?=";
    let odd = Letter {
        to_name: word.to_owned(),
        subject: format!("{word} ü {word}"),
        ..letter(1)
    };
    let mail = sent(&odd).await;
    let shown = word.replace("=?", "= ?");
    assert_eq!(mail["subject"], format!("{shown} ü {shown}"));
    let to = mail["headers"]["to"].as_str().unwrap();
    assert!(to.starts_with("=?utf-8?b?") && to.ends_with("<ada@example.com>"), "{to}");
}

#[tokio::test]
async fn long_names_and_subjects_are_cut() {
    for char in ["x", "ü", "🌻"] {
        let long = Letter {
            to_name: char.repeat(5000),
            subject: char.repeat(201),
            ..letter(1)
        };
        let mail = sent(&long).await;
        assert_eq!(mail["subject"], format!("{}…", char.repeat(199)));
        let dir = tempfile::tempdir().unwrap();
        Mailer::directory(dir.path().to_owned(), FROM).unwrap().send(&long).await.unwrap();
        let (head, _) = read(dir.path(), &long);
        assert!(head.split("\r\n").all(|line| line.len() <= 998), "{head}");
    }
    let whole = Letter {
        subject: "x".repeat(200),
        ..letter(1)
    };
    assert_eq!(sent(&whole).await["subject"], "x".repeat(200));
}

#[tokio::test]
async fn a_letter_without_a_name_has_the_bare_address() {
    let bare = Letter {
        to_name: " \r\n".to_owned(),
        ..letter(1)
    };
    assert!(headers(&bare).await.contains(&"To: ada@example.com".to_owned()));
}

#[tokio::test]
async fn a_sender_has_an_address_and_may_have_a_name() {
    for (from, header) in [
        ("post@sheaf.example", "From: post@sheaf.example"),
        ("<post@sheaf.example>", "From: post@sheaf.example"),
        ("Our Sheaf <post@sheaf.example>", "From: \"Our Sheaf\" <post@sheaf.example>"),
        ("\"Our Sheaf\" <post@sheaf.example>", "From: \"Our Sheaf\" <post@sheaf.example>"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        Mailer::directory(dir.path().to_owned(), from)
            .unwrap()
            .send(&letter(1))
            .await
            .unwrap();
        let (head, _) = read(dir.path(), &letter(1));
        assert!(head.contains(header), "{from}: {head}");
    }
    for from in ["", "Sheaf", "Sheaf <>", "a@b.c\r\nBcc: x@y.z", "Sheaf <a@b.c\r\nBcc: x@y.z>"] {
        let dir = tempfile::tempdir().unwrap();
        let refused = Mailer::directory(dir.path().to_owned(), from).err();
        assert!(matches!(refused, Some(MailError::Invalid(_))), "{from:?}: {refused:?}");
    }
}

#[test]
fn a_url_that_is_none_is_refused_and_not_repeated() {
    for url in [
        "",
        "mail.example",
        "http://mail.example",
        "smtp://ada:s3cret@mail.example:x",
        "smtp://ada:s3cret@mail.example?tls=perhaps",
    ] {
        let refused = Mailer::smtp(&SecretString::from(url), FROM).err().unwrap();
        assert!(matches!(refused, MailError::Invalid(_)), "{url}: {refused:?}");
        assert!(!refused.to_string().contains("s3cret"), "{refused}");
    }
}
