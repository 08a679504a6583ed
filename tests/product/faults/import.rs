//! The worker killed while it imports, and an import that is cancelled.

use super::lines::Lines;
use crate::{
    rest::imports::zip,
    support::{User, Worker},
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

/// How long anything may take here.
const PATIENCE: Duration = Duration::from_secs(120);

/// Sends an archive of so many pages. Gives the path of the job.
async fn send(lines: &Lines, count: usize) -> String {
    let files: Vec<(String, Vec<u8>)> = (0..count)
        .map(|i| (format!("all/{i:04}.md"), format!("# Page {i}\n\nText\n").into_bytes()))
        .collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let url = format!("http://{}/api/v1/workspaces/{}/imports/", lines.server.address(), lines.workspace);
    let request = reqwest::Client::new().post(url).bearer_auth(&lines.owner.token).body(zip(&files));
    let answer: Value = request.send().await.expect("an answer").json().await.expect("JSON");
    format!("/api/v1/jobs/{}/", answer["id"].as_str().unwrap_or_else(|| panic!("{answer}")))
}

/// The titles of all pages of the workspace.
async fn titles(who: &User, workspace: &str) -> Vec<String> {
    let (mut titles, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/documents/?workspace_id={workspace}&limit=200{cursor}");
        let body = who.get(&path).await.expect(200).body;
        let pages = body["data"].as_array().expect("pages");
        titles.extend(pages.iter().map(|page| page["title"].as_str().expect("a title").to_owned()));
        match body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return titles,
        }
    }
}

async fn more_than(lines: &Lines, count: usize) -> usize {
    let started = Instant::now();
    loop {
        let now = titles(&lines.owner, &lines.workspace).await.len();
        if now > count {
            return now;
        }
        assert!(started.elapsed() < PATIENCE, "no page is made");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn over(lines: &Lines, job: &str) -> Value {
    let started = Instant::now();
    loop {
        let body = lines.owner.get(job).await.expect(200).body;
        if ["done", "dead", "cancelled"].contains(&body["state"].as_str().expect("a state")) {
            return body;
        }
        assert!(started.elapsed() < PATIENCE, "{body}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_while_it_imports_makes_every_page_once() {
    let lines = Lines::set(&[]).await;
    let job = send(&lines, 150).await;
    let mut pages = titles(&lines.owner, &lines.workspace).await.len();
    for round in 0..3 {
        let worker = Worker::start(&lines.server, &format!("killed-{round}"), &["--queues", "transfers"]).await;
        pages = more_than(&lines, pages).await;
        worker.kill9();
    }
    let _last = Worker::start(&lines.server, "last", &["--queues", "transfers"]).await;
    let done = over(&lines, &job).await;
    assert_eq!(done["state"], "done", "{done}");
    assert!(done["attempts"].as_i64() > Some(1), "{done}");
    let titles = titles(&lines.owner, &lines.workspace).await;
    let made: BTreeSet<&String> = titles.iter().filter(|title| title.starts_with("Page ")).collect();
    assert_eq!(
        (titles.len(), made.len()),
        (152, 150),
        "each once, beside their folder and the page that was there"
    );
    let report = lines.owner.get(&format!("{job}result/")).await.expect(200).body;
    assert_eq!(
        (&report["counts"]["imported"], &report["counts"]["skipped"]),
        (&151.into(), &0.into())
    );
    let left = std::fs::read_dir(lines.server.data_dir().join("files/imports")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "what was sent is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_import_keeps_what_is_there_and_says_what_is_not() {
    let lines = Lines::set(&[]).await;
    let job = send(&lines, 400).await;
    let before = titles(&lines.owner, &lines.workspace).await.len();
    let _worker = Worker::start(&lines.server, "worker", &["--queues", "transfers"]).await;
    more_than(&lines, before + 2).await;
    lines.owner.post(&format!("{job}cancel/"), &Value::Null).await;
    assert_eq!(over(&lines, &job).await["state"], "cancelled");
    let report = lines.owner.get(&format!("{job}result/")).await.expect(200).body;
    let pages = titles(&lines.owner, &lines.workspace).await.len() - before;
    let count = |name: &str| {
        report["counts"][name]
            .as_u64()
            .and_then(|count| usize::try_from(count).ok())
            .expect("a count")
    };
    assert_eq!(
        (count("imported"), count("imported") + count("skipped")),
        (pages, 401),
        "{:#}",
        report["counts"]
    );
    assert!(count("skipped") > 0);
    let last = report["items"].as_array().and_then(|items| items.last()).expect("an item");
    assert_eq!(last["reasons"][0]["code"], "cancelled");
}
