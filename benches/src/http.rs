//! As much of an HTTP client as setting up a run needs: one JSON body there, one back, on a connection of its own.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Posts a body, and insists on an answer of 2xx.
pub fn post(to: SocketAddr, path: &str, token: Option<&str>, body: &Value) -> Result<Value> {
    let body = body.to_string();
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         {authorization}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = exchange(to, &request).with_context(|| format!("POST {path} got no answer"))?;
    let (status, body) = read(&answer).with_context(|| format!("POST {path} got an answer that is no HTTP"))?;
    if !(200..300).contains(&status) {
        bail!("POST {path} was answered with {status}: {}", String::from_utf8_lossy(&body));
    }
    serde_json::from_slice(&body).with_context(|| format!("POST {path} was not answered with JSON"))
}

fn exchange(to: SocketAddr, request: &str) -> Result<Vec<u8>> {
    let mut socket = TcpStream::connect_timeout(&to, PATIENCE)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer)?;
    Ok(answer)
}

/// Status and body of a whole answer.
fn read(answer: &[u8]) -> Option<(u16, Vec<u8>)> {
    let end = memchr::memmem::find(answer, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let body = &answer[end + 4..];
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    let is_chunked = fields.any(|(name, value)| name.eq_ignore_ascii_case("transfer-encoding") && value.contains("chunked"));
    Some((status, if is_chunked { joined(body)? } else { body.to_vec() }))
}

fn joined(mut chunks: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = memchr::memmem::find(chunks, b"\r\n")?;
        let size = std::str::from_utf8(&chunks[..line]).ok()?.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(chunks.get(line + 2..line + 2 + size)?);
        chunks = chunks.get(line + 2 + size + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_reads_the_same_in_one_piece_and_in_chunks() {
        let whole = b"HTTP/1.1 201 Created\r\ncontent-length: 7\r\n\r\n{\"a\":1}";
        let chunked = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n4;x=y\r\n\":1}\r\n0\r\n\r\n";
        assert_eq!(read(whole), Some((201, b"{\"a\":1}".to_vec())));
        assert_eq!(read(chunked), read(whole));
        assert_eq!(read(b"HTTP/1.1 201 Created\r\n"), None);
    }
}
