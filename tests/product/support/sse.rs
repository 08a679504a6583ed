//! A reader of a live stream: Server-Sent Events as a browser understands them (WHATWG HTML, section 9.2).

use serde_json::Value;
use std::time::{Duration, Instant};

/// How long a test waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The last id that was said up to here; empty before the first.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// Its data, which is JSON in every event of the product.
    pub data: Value,
}

impl Message {
    /// The id as a number.
    pub fn seq(&self) -> i64 {
        self.id.parse().unwrap_or_else(|_| panic!("{self:?} has no number"))
    }
}

/// An open stream.
pub struct Sse {
    response: reqwest::Response,
    bytes: Vec<u8>,
    /// What is said since the last empty line.
    kind: String,
    data: Vec<String>,
    last_id: String,
    /// The last id that came; it counts once its event is whole.
    said_id: String,
}

/// Where a stream begins.
#[derive(Clone, Copy, Debug)]
pub enum From {
    /// Now.
    Now,
    /// After this number, said in the header.
    Header(i64),
    /// After this number, said in the query.
    Query(i64),
}

/// Asks for a stream, and gives the answer as it is.
pub async fn ask(address: &str, token: &str, workspace: &str, from: From) -> reqwest::Response {
    let mut url = format!("http://{address}/api/v1/workspaces/{workspace}/events/");
    if let From::Query(seq) = from {
        url = format!("{url}?last_event_id={seq}");
    }
    // A client of its own: a stream is a connection of its own.
    let mut request = reqwest::Client::new().get(url).header("accept-encoding", "gzip, br");
    if let From::Header(seq) = from {
        request = request.header("last-event-id", seq.to_string());
    }
    if !token.is_empty() {
        request = request.bearer_auth(token);
    }
    // A node that was killed and comes back may take a connection before it can answer.
    for _ in 0..50 {
        match request.try_clone().expect("no body").send().await {
            Err(error) if error.is_connect() => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
            answer => return answer.expect("the product answers"),
        }
    }
    panic!("the product does not answer at {address}")
}

impl Sse {
    /// Opens a stream, and waits until it has begun.
    pub async fn open(address: &str, token: &str, workspace: &str, from: From) -> Self {
        let response = ask(address, token, workspace, from).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        if status != 200 {
            panic!("{status}: {}", response.text().await.unwrap_or_default());
        }
        assert_eq!(headers["content-type"], "text/event-stream");
        Self {
            response,
            bytes: Vec::new(),
            kind: String::new(),
            data: Vec::new(),
            last_id: String::new(),
            said_id: String::new(),
        }
    }

    /// The answer's head.
    pub fn headers(&self) -> &reqwest::header::HeaderMap {
        self.response.headers()
    }

    /// The next event; none when the stream has ended. Panics when neither comes in time.
    pub async fn next(&mut self, within: Duration) -> Option<Message> {
        let next = tokio::time::timeout(within, self.read()).await;
        next.unwrap_or_else(|_| panic!("nothing came within {within:?} after {}", self.last_id))
    }

    /// The next event, which has to come.
    pub async fn event(&mut self) -> Message {
        self.next(PATIENCE).await.expect("the stream goes on")
    }

    /// The next facts of the log; what is not in it is passed over.
    pub async fn facts(&mut self, count: usize) -> Vec<Message> {
        let mut facts = Vec::new();
        while facts.len() < count {
            let message = self.event().await;
            assert_ne!(message.kind, "stream.closed", "after {}: {}", self.last_id, message.data);
            if message.kind != "job.progressed" {
                facts.push(message);
            }
        }
        facts
    }

    /// The facts until there are so many or the connection is broken.
    pub async fn facts_while_it_lasts(&mut self, count: usize) -> Vec<Message> {
        let mut facts = Vec::new();
        while facts.len() < count {
            match self.next(PATIENCE).await {
                Some(message) => facts.push(message),
                None => break,
            }
        }
        facts
    }

    /// Every fact up to the first of this type, with it.
    pub async fn until(&mut self, kind: &str) -> Vec<Message> {
        let mut seen = Vec::new();
        while seen.last().is_none_or(|last: &Message| last.kind != kind) {
            seen.push(self.event().await);
        }
        seen
    }

    /// The reason that the stream ends with, and that it does end; both before the deadline.
    pub async fn closed(&mut self, until: Instant) -> String {
        loop {
            let message = self.next(until.saturating_duration_since(Instant::now())).await;
            let message = message.expect("a stream says why it ends");
            if message.kind == "stream.closed" {
                let rest = self.next(PATIENCE).await;
                assert_eq!(rest, None, "nothing comes after the last word");
                return message.data["reason"].as_str().expect("a reason").to_owned();
            }
        }
    }

    /// Breaks the connection. Gives the number to go on after.
    pub fn close(self) -> i64 {
        self.last_id.parse().expect("a number")
    }

    async fn read(&mut self) -> Option<Message> {
        loop {
            while let Some(line) = self.line() {
                if let Some(message) = self.take(&line) {
                    return Some(message);
                }
            }
            // A broken connection is the end of a stream too.
            let bytes = self.response.chunk().await.ok().flatten()?;
            self.bytes.extend_from_slice(&bytes);
        }
    }

    /// The next whole line. One that ends with CR may have its LF still to come, so it waits for another byte.
    fn line(&mut self) -> Option<String> {
        let at = self.bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
        let is_cr = self.bytes[at] == b'\r';
        if is_cr && at + 1 == self.bytes.len() {
            return None;
        }
        let width = if is_cr && self.bytes[at + 1] == b'\n' { 2 } else { 1 };
        let line: Vec<u8> = self.bytes.drain(..at + width).take(at).collect();
        Some(String::from_utf8(line).expect("a stream is UTF-8"))
    }

    /// Takes a line in. Gives the event that it ends, if it ends one.
    fn take(&mut self, line: &str) -> Option<Message> {
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.kind),
            "data" => self.data.push(value.to_owned()),
            "id" if !value.contains('\0') => value.clone_into(&mut self.said_id),
            // A comment, the time to wait, or what nobody knows.
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<Message> {
        let (kind, data) = (std::mem::take(&mut self.kind), std::mem::take(&mut self.data).join("\n"));
        self.said_id.clone_into(&mut self.last_id);
        if data.is_empty() {
            return None;
        }
        Some(Message {
            id: self.last_id.clone(),
            kind,
            data: serde_json::from_str(&data).unwrap_or_else(|_| panic!("{data} is no JSON")),
        })
    }
}
