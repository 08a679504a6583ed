//! Watches the lengths that WebSocket frames claim, before anybody reads them.
//!
//! The codec behind the socket waits for a frame's whole payload before it compares its size with the limit, so a frame
//! that claims four gigabytes would be gathered in memory as it comes. Here the claim itself ends the connection.

use actix_web::{FromRequest, HttpRequest, dev, error::PayloadError, web};
use bytes::Bytes;
use futures::Stream;
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

/// The most bytes a frame may claim now: few while nobody is known, more afterwards.
pub(super) type Limit = Arc<AtomicUsize>;

/// The longest frame header: two bytes, eight of length, four of mask (RFC 6455 §5.2).
const MAX_HEADER: usize = 14;

/// A payload that ends with an error at the first frame that claims too much.
pub(super) async fn guarded(request: &HttpRequest, body: web::Payload, limit: Limit) -> Result<web::Payload, actix_web::Error> {
    let guard = Guard {
        inner: body.into_inner(),
        limit,
        header: Vec::with_capacity(MAX_HEADER),
        left: 0,
        is_over: false,
    };
    let payload: Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>> = Box::pin(guard);
    let mut boxed = dev::Payload::Stream { payload };
    web::Payload::from_request(request, &mut boxed).await
}

struct Guard {
    inner: dev::Payload,
    limit: Limit,
    header: Vec<u8>,
    /// Payload bytes of the present frame that have not come yet.
    left: u64,
    is_over: bool,
}

impl Guard {
    /// Walks through bytes. `false` when a frame claims too much.
    fn walk(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            if self.left > 0 {
                let here = self.left.min(bytes.len() as u64);
                self.left -= here;
                bytes = &bytes[here as usize..];
                continue;
            }
            self.header.push(bytes[0]);
            bytes = &bytes[1..];
            let Some(claimed) = claimed(&self.header) else { continue };
            if claimed > self.limit.load(Ordering::Relaxed) as u64 {
                return false;
            }
            self.left = claimed;
            self.header.clear();
        }
        true
    }
}

/// The payload length of a whole header; `None` while it is not whole.
fn claimed(header: &[u8]) -> Option<u64> {
    let second = *header.get(1)?;
    let extra = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    if header.len() < 2 + extra + mask {
        return None;
    }
    let long = header[2..2 + extra]
        .iter()
        .fold(0_u64, |length, byte| length << 8 | u64::from(*byte));
    Some(if extra == 0 { u64::from(second & 0x7f) } else { long })
}

impl Stream for Guard {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        match Pin::new(&mut self.inner).poll_next(cx) {
            Poll::Ready(Some(Ok(bytes))) if !self.walk(&bytes) => {
                self.is_over = true;
                Poll::Ready(Some(Err(PayloadError::Overflow)))
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], chunk: usize) -> bool {
        let limit = Arc::new(AtomicUsize::new(1_000));
        let mut guard = Guard {
            inner: dev::Payload::None,
            limit,
            header: Vec::new(),
            left: 0,
            is_over: false,
        };
        bytes.chunks(chunk).all(|some| guard.walk(some))
    }

    #[test]
    fn lengths_are_read_however_the_bytes_come() {
        let mut fine = vec![0x81, 0x82, 1, 2, 3, 4, b'h', b'i', 0x82, 0xfe, 3, 0xe8, 1, 2, 3, 4];
        fine.extend([0; 1_000]);
        fine.extend([0x89, 0x80, 1, 2, 3, 4]);
        let mut huge = fine.clone();
        huge.extend([0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4]);
        for chunk in [1, 2, 3, 7, 100, 5_000] {
            assert!(check(&fine, chunk));
            assert!(!check(&huge, chunk));
            assert!(!check(&[0x82, 0xfe, 3, 0xe9, 1, 2, 3, 4], chunk));
        }
    }
}
