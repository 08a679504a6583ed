//! The worker killed while it exports, exports that are cancelled, and what is left of them in the store.

use super::lines::Lines;
use crate::support::Worker;
use backends::db;
use jobs::{Job, kinds::PurgeExports};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::{Value, json};
use std::{
    fs::File,
    io::{Cursor, Read},
    path::PathBuf,
    time::{Duration, Instant, SystemTime},
};

/// How long anything may take here: typesetting is slow where nothing is optimised.
const PATIENCE: Duration = Duration::from_secs(180);
/// Pages besides the one that is there.
const PAGES: usize = 5;

/// A server that typesets at its leisure, with some pages.
async fn lines() -> Lines {
    // A lease that holds on a machine where typesetting takes all there is.
    let lines = Lines::set(&[("SHEAF__EXPORT__TYPESET_SECS", "120"), ("SHEAF__WORKER__LEASE_SECS", "4")]).await;
    for number in 0..PAGES {
        let blocks = json!([{ "type": "paragraph", "text": format!("text {number}") }]);
        lines.owner.document(&lines.workspace, &format!("Page {number}"), blocks).await;
    }
    lines
}

/// Asks for an export of the workspace (`workspaces/…`) or of the page. Gives the path of the job.
async fn asks(lines: &Lines, of: &str, format: &str) -> String {
    let asked = lines
        .owner
        .post(&format!("/api/v1/{of}/exports/"), &json!({ "format": format }))
        .await;
    format!("/api/v1/jobs/{}/", asked.expect(202).id())
}

/// Waits until the job fits.
async fn until(lines: &Lines, job: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let started = Instant::now();
    loop {
        let body = lines.owner.get(job).await.expect(200).body;
        if fits(&body) {
            return body;
        }
        assert!(started.elapsed() < PATIENCE, "{body}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn over(lines: &Lines, job: &str) -> Value {
    until(lines, job, |body| {
        ["done", "dead", "cancelled"].contains(&body["state"].as_str().expect("a state"))
    })
    .await
}

fn folder(lines: &Lines) -> PathBuf {
    lines.server.data_dir().join("files/exports")
}

/// What lies in the store, finished or not.
fn stored(lines: &Lines) -> Vec<String> {
    let entries = std::fs::read_dir(folder(lines)).into_iter().flatten();
    entries
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect()
}

/// The id of a job, which is that of its export.
fn id(job: &str) -> &str {
    job.trim_end_matches('/').rsplit('/').next().expect("an id")
}

async fn fetch(lines: &Lines, job: &str) -> reqwest::Response {
    let url = format!("http://{}/api/v1/exports/{}/file/", lines.server.address(), id(job));
    let request = reqwest::Client::new().get(url).bearer_auth(&lines.owner.token);
    request.send().await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_while_it_exports_leaves_one_whole_file() {
    let lines = lines().await;
    let job = asks(&lines, &format!("workspaces/{}", lines.workspace), "pdf").await;
    let first = Worker::start(&lines.server, "killed", &["--queues", "transfers"]).await;
    // A page is typeset, and the next one is being.
    until(&lines, &job, |body| body["progress"].as_u64() > Some(0)).await;
    first.kill9();
    assert_eq!(fetch(&lines, &job).await.status(), 404);
    let _last = Worker::start(&lines.server, "last", &["--queues", "transfers"]).await;
    let done = over(&lines, &job).await;
    assert_eq!(done["state"], "done", "{done}");
    assert!(done["attempts"].as_i64() > Some(1), "{done}");
    assert_eq!(stored(&lines).len(), 1, "{:?}", stored(&lines));
    let answer = fetch(&lines, &job).await;
    assert_eq!(answer.status(), 200);
    let mut zip = zip::ZipArchive::new(Cursor::new(answer.bytes().await.expect("bytes"))).expect("a zip");
    let (mut sheets, mut manifest) = (0, Value::Null);
    for at in 0..zip.len() {
        let (mut file, mut bytes) = (zip.by_index(at).expect("a file"), Vec::new());
        file.read_to_end(&mut bytes).expect("whole");
        match file.name().expect("a name").as_ref() {
            "sheaf.json" => manifest = serde_json::from_slice(&bytes).expect("JSON"),
            name if name.ends_with(".pdf") => {
                assert!(bytes.starts_with(b"%PDF-"), "{name}");
                sheets += 1;
            }
            _ => {}
        }
    }
    assert_eq!((manifest["pages"].as_array().map(Vec::len), sheets), (Some(PAGES + 1), PAGES + 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_export_leaves_no_file() {
    let lines = lines().await;
    let (all, one) = (format!("workspaces/{}", lines.workspace), format!("documents/{}", lines.document));
    let _worker = Worker::start(&lines.server, "worker", &["--queues", "transfers"]).await;
    // In the middle of a bundle, and while the only page is typeset.
    for (of, least) in [(all, 1), (one, 0)] {
        let job = asks(&lines, &of, "pdf").await;
        until(&lines, &job, |body| {
            body["state"] == "running" && body["progress"].as_u64() >= Some(least)
        })
        .await;
        lines.owner.post(&format!("{job}cancel/"), &Value::Null).await;
        let over = over(&lines, &job).await;
        assert_eq!(over["state"], "cancelled", "{over}");
        assert_eq!(stored(&lines), Vec::<String>::new());
        assert_eq!(fetch(&lines, &job).await.status(), 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_whose_time_is_over_is_gone_and_so_is_what_nobody_knows() {
    let lines = Lines::set(&[]).await;
    let _worker = Worker::start(&lines.server, "worker", &["--queues", "transfers,upkeep"]).await;
    let (late, good) = (
        asks(&lines, &format!("documents/{}", lines.document), "json").await,
        asks(&lines, &format!("documents/{}", lines.document), "html").await,
    );
    for job in [&late, &good] {
        assert_eq!(over(&lines, job).await["state"], "done");
        assert_eq!(fetch(&lines, job).await.status(), 200);
    }
    // What a killed worker left two days ago, and what another one writes just now.
    let (old, new) = ("01980000-0000-7000-8000-0000000000f1", "01980000-0000-7000-8000-0000000000f2");
    let two_days_ago = SystemTime::now() - Duration::from_secs(2 * 86_400);
    for (name, at) in [(old, two_days_ago), (new, SystemTime::now())] {
        let file = File::create(folder(&lines).join(name)).expect("made");
        file.set_modified(at).expect("aged");
    }
    let end = "UPDATE exports SET expires_at = created_at WHERE format = 'json'";
    lines.db.execute_unprepared(end).await.expect("changed");
    assert_eq!(fetch(&lines, &late).await.status(), 404);
    assert_eq!(stored(&lines).len(), 4, "it is not removed yet");

    let purge = async |tx: &DatabaseTransaction| queue::add(tx, PurgeExports {}.job()?).await;
    let purge = db::write(&lines.db, purge).await.expect("enqueued").expect("one");
    let started = Instant::now();
    while !lines
        .jobs()
        .await
        .iter()
        .any(|job| job.id == purge && job.state == entity::job::State::Done)
    {
        assert!(started.elapsed() < PATIENCE, "it is not purged");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (mut left, mut kept) = (stored(&lines), vec![id(&good).to_owned(), new.to_owned()]);
    left.sort();
    kept.sort();
    assert_eq!(left, kept);
    assert_eq!(
        (
            fetch(&lines, &late).await.status().as_u16(),
            fetch(&lines, &good).await.status().as_u16()
        ),
        (404, 200)
    );
}
