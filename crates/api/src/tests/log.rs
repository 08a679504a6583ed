//! What a request leaves in the log: enough to find it, and nothing that was secret in it.

use super::{ask, bare, get, post};
use serde_json::Value;
use std::{
    io::Write,
    sync::{Arc, Mutex, Once},
};
use tracing_subscriber::fmt::MakeWriter;

/// The log, kept.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nobody panics here").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Kept {
    /// Hears what this thread logs, until the guard goes. That all threads log somewhere keeps what others do at the same time
    /// from switching places in the code off for this one.
    fn hears(&self) -> tracing::subscriber::DefaultGuard {
        static SOMEWHERE: Once = Once::new();
        SOMEWHERE.call_once(|| {
            let nowhere = tracing_subscriber::fmt()
                .with_writer(std::io::sink)
                .with_max_level(tracing::Level::TRACE);
            drop(tracing::subscriber::set_global_default(nowhere.finish()));
        });
        tracing::subscriber::set_default(tracing_subscriber::fmt().json().with_writer(self.clone()).finish())
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("nobody panics here")).into_owned()
    }

    /// The lines of ours with this message.
    fn lines(&self, message: &str) -> Vec<Value> {
        let lines: Vec<Value> = self.text().lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        lines.into_iter().filter(|line| line["fields"]["message"] == message).collect()
    }
}

#[actix_web::test]
async fn a_request_is_one_line_that_names_its_route_and_none_of_its_secrets() {
    let kept = Kept::default();
    let _guard = kept.hears();
    let app = bare().await;
    let id = "0b9c6f0e-6f0e-4b7e-8a51-1f7a3f6f2f11";
    let request = get(&format!("/api/v1/workspaces/{id}?token=canary-query")).insert_header(("x-request-id", "find-me"));
    ask(&app, request.insert_header(("authorization", "Bearer canary-bearer"))).await;
    ask(
        &app,
        post("/api/v1/auth/login", "{\"email\": \"a\", \"password\": [\"canary-password\"]}"),
    )
    .await;
    ask(&app, get("/nothing/canary-path")).await;

    let lines = kept.lines("request");
    assert_eq!(lines.len(), 3, "{}", kept.text());
    let first = &lines[0]["fields"];
    assert_eq!(first["route"], "/api/v1/workspaces/{workspace_id}/");
    assert_eq!(
        (&first["request_id"], &first["method"], &first["status"]),
        (&"find-me".into(), &"GET".into(), &401.into())
    );
    assert!(first["duration_ms"].is_u64());
    assert!(!kept.text().contains("canary"), "{}", kept.text());
}

#[actix_web::test]
async fn a_fault_is_told_once_under_the_id_of_its_request() {
    let kept = Kept::default();
    let _guard = kept.hears();
    let app = bare().await;
    ask(&app, get("/fault").insert_header(("x-request-id", "it-failed"))).await;
    ask(&app, get("/boom").insert_header(("x-request-id", "it-broke"))).await;

    for (message, id) in [("internal error", "it-failed"), ("a handler panicked", "it-broke")] {
        let lines = kept.lines(message);
        assert_eq!(lines.len(), 1, "{message}: {}", kept.text());
        assert_eq!(lines[0]["span"]["request_id"], id);
    }
    let faults: Vec<Value> = kept.lines("request").iter().map(|line| line["fields"]["status"].clone()).collect();
    assert_eq!(faults, [500, 500]);
}
