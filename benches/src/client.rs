//! One connection: a raw non-blocking socket, frames parsed where the bytes were read, one write for all answers.

use crate::{
    frame,
    marker::{self, Marker, Seen},
    speech::{Around, Gone, Message, Speech, Writer},
};
use mio::net::TcpStream;
use std::{
    io::{ErrorKind, Read, Write},
    net::SocketAddr,
};

/// A server that lets so many bytes of ours wait does not read.
const MAX_UNSENT: usize = 64 << 20;

/// How far a client has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The connection is not there yet.
    Connecting,
    /// The upgrade was asked for.
    Upgrading,
    /// The page was asked for.
    Joining,
    /// It has the page.
    Live,
}

/// What a client is for.
pub struct Plan {
    /// The server.
    pub to: SocketAddr,
    /// The path, with the token.
    pub path: String,
    /// Which of the pages it opens.
    pub sheet: usize,
    /// What it speaks.
    pub speech: Speech,
    /// Its number, when it writes.
    pub writer: Option<u32>,
    /// Whether it feeds the page's tip.
    pub is_ear: bool,
    /// How many write on its page; a visitor does not count and needs none.
    pub writers: u32,
}

/// A connection.
pub struct Client {
    /// The socket.
    pub socket: TcpStream,
    /// How far it has come.
    pub phase: Phase,
    /// When it began to connect.
    pub began: u64,
    /// What it is for.
    pub plan: Plan,
    writer: Option<Box<Writer>>,
    seen: Vec<Seen>,
    /// Bytes of a frame that is not complete.
    inbox: Vec<u8>,
    /// Frames of a message that is not complete.
    pieces: Option<(u8, Vec<u8>)>,
    outbox: Vec<u8>,
}

/// What the poll says about a socket.
#[derive(Clone, Copy)]
pub struct Ready {
    /// It takes bytes.
    pub to_write: bool,
    /// It has bytes.
    pub to_read: bool,
    /// The server will send no more.
    pub ended: bool,
}

impl Client {
    /// Begins to connect.
    pub fn open(plan: Plan, now: u64) -> std::io::Result<Self> {
        let socket = TcpStream::connect(plan.to)?;
        let writer = plan.writer.map(|number| Box::new(Writer::new(number)));
        let seen = vec![Seen::default(); plan.writers as usize];
        let (inbox, outbox) = (Vec::new(), Vec::new());
        Ok(Self {
            socket,
            phase: Phase::Connecting,
            began: now,
            plan,
            writer,
            seen,
            inbox,
            pieces: None,
            outbox,
        })
    }

    /// Something can be done on the socket.
    pub fn on_ready(&mut self, ready: Ready, buffer: &mut [u8], around: &mut Around<'_>) -> Result<(), Gone> {
        if self.phase == Phase::Connecting && !self.connected()? {
            return Ok(());
        }
        if ready.to_write {
            self.flush()?;
        }
        if ready.to_read || ready.ended {
            self.read(ready.ended, buffer, around)?;
        }
        Ok(())
    }

    fn connected(&mut self) -> Result<bool, Gone> {
        if let Some(error) = self.socket.take_error()? {
            return Err(error.into());
        }
        match self.socket.peer_addr() {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotConnected => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        self.socket.set_nodelay(true)?;
        self.phase = Phase::Upgrading;
        let request = frame::upgrade(&self.plan.to.to_string(), &self.plan.path, self.plan.speech.subprotocol());
        self.outbox.extend_from_slice(request.as_bytes());
        self.flush()?;
        Ok(true)
    }

    /// Reads until nothing is left. A read that does not fill the buffer has emptied the socket, so one is enough.
    fn read(&mut self, to_end: bool, buffer: &mut [u8], around: &mut Around<'_>) -> Result<(), Gone> {
        loop {
            match self.socket.read(buffer) {
                Ok(0) => return Err(Gone("the server hung up".to_owned())),
                Ok(len) => {
                    self.take(&buffer[..len], around)?;
                    if len < buffer.len() && !to_end {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.flush()
    }

    fn take(&mut self, bytes: &[u8], around: &mut Around<'_>) -> Result<(), Gone> {
        if self.inbox.is_empty() {
            let used = self.parse(bytes, around)?;
            self.inbox.extend_from_slice(&bytes[used..]);
            return Ok(());
        }
        let mut inbox = std::mem::take(&mut self.inbox);
        inbox.extend_from_slice(bytes);
        let used = self.parse(&inbox, around)?;
        inbox.drain(..used);
        self.inbox = inbox;
        Ok(())
    }

    /// Takes all that is complete; says how many bytes that was.
    fn parse(&mut self, bytes: &[u8], around: &mut Around<'_>) -> Result<usize, Gone> {
        let mut used = 0;
        if self.phase == Phase::Upgrading {
            let Some(head) = frame::upgraded(bytes)? else { return Ok(0) };
            used = head;
            self.phase = Phase::Joining;
            self.plan.speech.greet(&mut self.outbox)?;
        }
        while let Some(frame) = frame::read(&bytes[used..])? {
            used += frame.len;
            self.on_frame(frame, around)?;
        }
        Ok(used)
    }

    fn on_frame(&mut self, frame: frame::Frame<'_>, around: &mut Around<'_>) -> Result<(), Gone> {
        match (frame.kind, self.pieces.take()) {
            (frame::CLOSE, _) => Err(closed(frame.payload)),
            (frame::PING | frame::PONG, pieces) => {
                self.pieces = pieces;
                if frame.kind == frame::PING {
                    frame::write(&mut self.outbox, frame::PONG, frame.payload);
                }
                Ok(())
            }
            (frame::CONTINUATION, Some((kind, mut pieces))) => {
                pieces.extend_from_slice(frame.payload);
                if !frame.is_last {
                    self.pieces = Some((kind, pieces));
                    return Ok(());
                }
                self.on_message(kind, &pieces, around)
            }
            (kind @ (frame::TEXT | frame::BINARY), None) if frame.is_last => self.on_message(kind, frame.payload, around),
            (kind @ (frame::TEXT | frame::BINARY), None) => {
                self.pieces = Some((kind, frame.payload.to_vec()));
                Ok(())
            }
            _ => Err(Gone("a frame out of order".to_owned())),
        }
    }

    fn on_message(&mut self, kind: u8, bytes: &[u8], around: &mut Around<'_>) -> Result<(), Gone> {
        if self.phase != Phase::Live {
            let message = Message {
                kind,
                bytes,
                has_marker: false,
            };
            if self.plan.speech.join(message, &mut self.outbox, around)? {
                self.phase = Phase::Live;
            }
            return Ok(());
        }
        let own = self.plan.writer;
        let mut has_marker = false;
        marker::find(bytes, |marker| {
            has_marker = true;
            if Some(marker.writer) != own
                && let Some(seen) = self.seen.get_mut(marker.writer as usize)
            {
                around.tally.arrival(marker, seen, around.now);
            }
        });
        let message = Message { kind, bytes, has_marker };
        self.plan
            .speech
            .hear(message, &mut self.outbox, (self.writer.as_deref_mut(), around))
    }

    /// Sends the writer's next edit. Edits before the first measured one are sent alike.
    pub fn write(&mut self, due: u64, keep: usize, around: &mut Around<'_>) -> Result<(), Gone> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let marker = Marker {
            writer: writer.number,
            number: writer.made,
            sent: around.now,
        };
        writer.made += 1;
        self.plan.speech.edit(writer, (&marker, keep), &mut self.outbox, around.sheet)?;
        around.tally.edit(around.now, due, around.sheet.others());
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Gone> {
        let mut sent = 0;
        while sent < self.outbox.len() && self.phase != Phase::Connecting {
            match self.socket.write(&self.outbox[sent..]) {
                Ok(len) => sent += len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.outbox.drain(..sent);
        if self.outbox.len() > MAX_UNSENT {
            Err(Gone("the server does not read".to_owned()))
        } else {
            Ok(())
        }
    }

    /// Says goodbye as far as the socket takes it.
    pub fn leave(mut self) {
        frame::write(&mut self.outbox, frame::CLOSE, &1000_u16.to_be_bytes());
        drop(self.flush());
    }
}

fn closed(payload: &[u8]) -> Gone {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return Gone("closed without a code".to_owned());
    };
    Gone(format!(
        "closed with {} {}",
        u16::from_be_bytes(*code),
        String::from_utf8_lossy(reason)
    ))
}
