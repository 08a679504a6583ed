//! WebSocket frames (RFC 6455), as far as a client needs them that wants to be cheap: parsed in place, written with a
//! masking key of zeros, which is a valid one and costs nothing. Masking protects proxies, and there is none here.

/// The kinds of frame.
pub const CONTINUATION: u8 = 0;
/// See [`CONTINUATION`].
pub const TEXT: u8 = 1;
/// See [`CONTINUATION`].
pub const BINARY: u8 = 2;
/// See [`CONTINUATION`].
pub const CLOSE: u8 = 8;
/// See [`CONTINUATION`].
pub const PING: u8 = 9;
/// See [`CONTINUATION`].
pub const PONG: u8 = 10;

/// A frame larger than this is a fault of the server, or of this parser.
const MAX_LEN: u64 = 256 << 20;
/// An answer to the upgrade larger than this is none.
const MAX_HEAD: usize = 16 << 10;
/// The example of RFC 6455, section 1.3: nobody caches what goes through here.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A frame from the server.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Whether it ends a message.
    pub is_last: bool,
    /// Its opcode.
    pub kind: u8,
    /// What it carries.
    pub payload: &'a [u8],
    /// Its whole length, header included.
    pub len: usize,
}

/// Reads the frame that the bytes begin with; `None` while it is not complete.
pub fn read(bytes: &[u8]) -> Result<Option<Frame<'_>>, &'static str> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    if first & 0x70 != 0 {
        return Err("a frame with an extension nobody agreed on");
    }
    if second & 0x80 != 0 {
        return Err("a masked frame from a server");
    }
    let (len, header) = match second & 0x7f {
        126 => match rest.first_chunk::<2>() {
            Some(len) => (u64::from(u16::from_be_bytes(*len)), 4),
            None => return Ok(None),
        },
        127 => match rest.first_chunk::<8>() {
            Some(len) => (u64::from_be_bytes(*len), 10),
            None => return Ok(None),
        },
        len => (u64::from(len), 2),
    };
    if len > MAX_LEN {
        return Err("a frame too large");
    }
    let end = header + len as usize;
    let frame = |payload| Frame {
        is_last: first & 0x80 != 0,
        kind: first & 0x0f,
        payload,
        len: end,
    };
    Ok(bytes.get(header..end).map(frame))
}

/// Appends a frame with its header.
pub fn write(out: &mut Vec<u8>, kind: u8, payload: &[u8]) {
    const MASKED: u8 = 0x80;
    out.push(0x80 | kind);
    match payload.len() {
        len @ 0..126 => out.push(MASKED | len as u8),
        len @ 126..=0xffff => {
            out.push(MASKED | 126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            out.push(MASKED | 127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
}

/// The request for an upgrade.
pub fn upgrade(host: &str, path: &str, subprotocol: Option<&str>) -> String {
    let protocol = subprotocol
        .map(|name| format!("Sec-WebSocket-Protocol: {name}\r\n"))
        .unwrap_or_default();
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{protocol}\r\n"
    )
}

/// Reads the answer to the upgrade; gives its length, `None` while it is not complete.
pub fn upgraded(bytes: &[u8]) -> Result<Option<usize>, String> {
    let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n") else {
        return if bytes.len() > MAX_HEAD {
            Err("no answer to the upgrade".to_owned())
        } else {
            Ok(None)
        };
    };
    let head = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = head.lines();
    let status = lines.next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("101") {
        return Err(format!("the upgrade was answered with {status:?}"));
    }
    let accept = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-accept"));
    if accept.is_none_or(|(_, value)| value.trim() != ACCEPT) {
        return Err("the upgrade was answered with a wrong key".to_owned());
    }
    Ok(Some(end + 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame as a server sends it: without the mask.
    fn from_server(kind: u8, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out, kind, payload);
        let header = out.len() - payload.len();
        out.drain(header - 4..header);
        out[1] &= 0x7f;
        out
    }

    #[test]
    fn a_frame_of_any_length_reads_as_it_was_written_and_never_from_a_part() {
        for len in [0, 1, 125, 126, 127, 65_535, 65_536, 100_000] {
            let payload = vec![7; len];
            let bytes = from_server(BINARY, &payload);
            let frame = read(&bytes).expect("sound").expect("complete");
            assert_eq!(
                frame,
                Frame {
                    is_last: true,
                    kind: BINARY,
                    payload: &payload,
                    len: bytes.len()
                }
            );
            for part in [0, 1, 2, 3, 9, bytes.len() - 1] {
                assert_eq!(read(&bytes[..part.min(bytes.len() - 1)]), Ok(None));
            }
        }
    }

    #[test]
    fn what_a_server_may_not_send_is_an_error() {
        assert!(read(&[0x82, 0x80, 0, 0, 0, 0]).is_err());
        assert!(read(&[0xc2, 0x00]).is_err());
        assert!(read(&[0x82, 127, 0xff, 0, 0, 0, 0, 0, 0, 0]).is_err());
    }

    #[test]
    fn the_upgrade_is_checked() {
        let fine = format!("HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: {ACCEPT}\r\n\r\n");
        assert_eq!(upgraded(fine.as_bytes()), Ok(Some(fine.len())));
        assert_eq!(upgraded(&fine.as_bytes()[..fine.len() - 1]), Ok(None));
        assert!(upgraded(b"HTTP/1.1 401 Unauthorized\r\n\r\n").is_err());
        assert!(upgraded(b"HTTP/1.1 101 Fine\r\n\r\n").is_err());
        assert!(upgrade("h", "/p", Some("x")).contains("Sec-WebSocket-Protocol: x\r\n"));
    }
}
