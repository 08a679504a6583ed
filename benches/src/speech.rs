//! What a client says and understands in each protocol. Every delivered frame comes through here, so nothing is parsed
//! that need not be.

use crate::{
    args::Protocol,
    frame,
    marker::{self, Marker},
    setup::Page,
    sync,
    tally::{Sheet, Tally},
    tip::{Edit, Pen},
};
use automerge::ChangeHash;
use serde::Deserialize;
use std::{borrow::Cow, collections::VecDeque, fmt};

/// A client's protocol, and what it has to remember for it.
pub enum Speech {
    /// Text frames.
    Json,
    /// automerge-repo.
    Repo(Repo),
    /// Automerge changes.
    Raw,
}

/// An automerge-repo client.
#[derive(Default)]
pub struct Repo {
    us: String,
    document: String,
    /// What every sync frame to the server begins with, once the server has said its name.
    prefix: Vec<u8>,
}

/// The part of a client that writes.
pub struct Writer {
    /// Its number on the page.
    pub number: u32,
    /// How many edits it has made.
    pub made: u32,
    /// Sent and not acknowledged, where acknowledgements do not name what they are for.
    waiting: VecDeque<Waiting>,
    pen: Pen,
}

struct Waiting {
    sent: u64,
    hash: ChangeHash,
}

impl Writer {
    /// A writer who has written nothing.
    pub fn new(number: u32) -> Self {
        Self {
            number,
            made: 0,
            waiting: VecDeque::new(),
            pen: Pen::default(),
        }
    }
}

/// A message from the server.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    /// Text or binary.
    pub kind: u8,
    /// All of it.
    pub bytes: &'a [u8],
    /// Whether an edit was found in it.
    pub has_marker: bool,
}

/// What surrounds a client: what it may change when it hears or says something.
pub struct Around<'a> {
    /// The counts.
    pub tally: &'a mut Tally,
    /// The page.
    pub sheet: &'a mut Sheet,
    /// The present.
    pub now: u64,
    /// Whether this client feeds the page's tip.
    pub is_ear: bool,
}

/// Why a client cannot go on.
pub struct Gone(pub String);

impl<E: fmt::Display> From<E> for Gone {
    fn from(error: E) -> Self {
        Self(format!("{error:#}"))
    }
}

/// A message that is not an edit.
#[derive(Deserialize)]
struct Control<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    code: Cow<'a, str>,
}

impl Speech {
    /// For a client of a page, under a name of its own.
    pub fn of(protocol: Protocol, page: &Page, name: &str) -> Self {
        match protocol {
            Protocol::Json => Self::Json,
            Protocol::Raw => Self::Raw,
            Protocol::AutomergeRepo => Self::Repo(Repo {
                us: format!("load-{name}"),
                document: page.automerge_id.clone(),
                prefix: Vec::new(),
            }),
        }
    }

    /// What it offers at the upgrade. Stock clients offer nothing.
    pub fn subprotocol(&self) -> Option<&'static str> {
        matches!(self, Self::Raw).then_some("collab.automerge.v1")
    }

    /// The first thing it says. A raw client only listens.
    pub fn greet(&self, out: &mut Vec<u8>) -> Result<(), Gone> {
        match self {
            Self::Json => frame::write(out, frame::TEXT, br#"{"type":"hello"}"#),
            Self::Repo(repo) => frame::write(out, frame::BINARY, &sync::join(&repo.us)?),
            Self::Raw => {}
        }
        Ok(())
    }

    /// Hears a message before it has the page; says whether it has it now.
    pub fn join(&mut self, message: Message<'_>, out: &mut Vec<u8>, around: &mut Around<'_>) -> Result<bool, Gone> {
        match self {
            Self::Json => {
                let control: Control<'_> = serde_json::from_slice(message.bytes)?;
                if control.kind == "error" {
                    return Err(Gone(format!("error {} at the hello", control.code)));
                }
                Ok(matches!(&*control.kind, "snapshot" | "resync"))
            }
            Self::Repo(repo) => repo.join(message.bytes, out, around),
            Self::Raw if message.kind == frame::BINARY => {
                feed(around, message.bytes)?;
                Ok(true)
            }
            Self::Raw => Ok(false),
        }
    }

    /// Hears a message when it has the page.
    pub fn hear(&self, message: Message<'_>, out: &mut Vec<u8>, who: (Option<&mut Writer>, &mut Around<'_>)) -> Result<(), Gone> {
        let (writer, around) = who;
        match self {
            Self::Json if message.has_marker => Ok(()),
            Self::Json => hear_control(message.bytes, writer, around),
            Self::Repo(repo) => repo.hear(message.bytes, out, (writer, around)),
            Self::Raw if message.kind == frame::BINARY => feed(around, message.bytes),
            Self::Raw => hear_raw_control(message.bytes, writer, around),
        }
    }

    /// Says an edit.
    pub fn edit(&self, writer: &mut Writer, text: (&Marker, usize), out: &mut Vec<u8>, sheet: &mut Sheet) -> Result<(), Gone> {
        let (marker, keep) = text;
        let block = writer.number as usize % sheet.page.blocks.len();
        if matches!(self, Self::Json) {
            frame::write(out, frame::TEXT, json_edit(marker, (block, keep), sheet).as_bytes());
            return Ok(());
        }
        let tip = sheet.tip.as_ref().ok_or(Gone("nothing is known of the page".to_owned()))?;
        let edit = Edit {
            block,
            text: &marker.text(),
            keep: keep.div_ceil(sheet.sharing),
        };
        let made = tip.write(&mut writer.pen, &edit)?;
        writer.waiting.push_back(Waiting {
            sent: marker.sent,
            hash: made.hash,
        });
        let bytes = match self {
            Self::Repo(repo) => sync::with_data(&repo.prefix, &sync::edit(made)),
            _ => made.change,
        };
        frame::write(out, frame::BINARY, &bytes);
        Ok(())
    }
}

/// An edit in JSON. When the block has grown enough, its older half is deleted in the same message: at a place that is
/// within the block whatever else is on its way.
fn json_edit(marker: &Marker, place: (usize, usize), sheet: &mut Sheet) -> String {
    let (block, keep) = place;
    let Marker { writer, number, sent } = marker;
    let (id, fill) = (&sheet.page.blocks[block], &mut sheet.fill[block]);
    let left = fill.inserted.saturating_sub(fill.deleted);
    let delete = cut(left, keep).map(|(pos, len)| {
        fill.deleted += keep;
        format!(r#",{{"op":"delete","block":"{id}","pos":{pos},"len":{len}}}"#)
    });
    let text = marker.text();
    let delete = delete.unwrap_or_default();
    format!(r#"{{"type":"op","id":"{writer}-{number}-{sent}","ops":[{{"op":"insert","block":"{id}","pos":0,"text":"{text}"}}{delete}]}}"#)
}

/// What to delete of a block with so many markers: position and length, in characters.
fn cut(markers: usize, keep: usize) -> Option<(usize, usize)> {
    let kept = keep * marker::LEN;
    (keep > 0 && markers >= 2 * keep).then_some((kept, kept))
}

/// The moment that stands in an edit's id.
fn sent_in(id: &str) -> Option<u64> {
    id.rsplit_once('-')?.1.parse().ok()
}

fn hear_control(bytes: &[u8], writer: Option<&mut Writer>, around: &mut Around<'_>) -> Result<(), Gone> {
    let control: Control<'_> = serde_json::from_slice(bytes)?;
    let sent = control.id.as_deref().and_then(sent_in);
    match (&*control.kind, sent, writer) {
        ("ack", Some(sent), Some(writer)) => {
            let block = writer.number as usize % around.sheet.fill.len();
            around.sheet.fill[block].inserted += 1;
            around.tally.ack(sent, around.now);
        }
        ("error", sent, _) => {
            around.tally.error(format!("error {}", control.code));
            if let Some(sent) = sent {
                around.tally.refuse(sent, around.sheet.others());
            }
        }
        ("going_away", ..) => around.tally.error("going_away"),
        _ => {}
    }
    Ok(())
}

fn hear_raw_control(bytes: &[u8], writer: Option<&mut Writer>, around: &mut Around<'_>) -> Result<(), Gone> {
    let control: Control<'_> = serde_json::from_slice(bytes)?;
    match &*control.kind {
        // One for each frame, in order.
        "ack" => {
            if let Some(writer) = writer {
                acknowledged(writer, 1, around)?;
            }
        }
        "error" => refused(&control.code, writer, around),
        _ => {}
    }
    Ok(())
}

/// The first so many of the waiting edits are committed.
fn acknowledged(writer: &mut Writer, count: usize, around: &mut Around<'_>) -> Result<(), Gone> {
    let Writer { waiting, pen, .. } = writer;
    for done in waiting.drain(..count.min(waiting.len())) {
        around.tally.ack(done.sent, around.now);
        // Its own changes need not come back to it.
        if let Some(change) = pen.own(&done.hash) {
            feed(around, change)?;
        }
    }
    Ok(())
}

/// The oldest waiting edit was refused.
fn refused(code: &str, writer: Option<&mut Writer>, around: &mut Around<'_>) {
    around.tally.error(format!("error {code}"));
    if let Some(lost) = writer.and_then(|writer| writer.waiting.pop_front()) {
        around.tally.refuse(lost.sent, around.sheet.others());
    }
}

/// What the server has told moves the page's tip, if this client is the one to listen for that.
fn feed(around: &mut Around<'_>, chunks: &[u8]) -> Result<(), Gone> {
    let Sheet { page, tip, .. } = &mut *around.sheet;
    match tip {
        Some(tip) if around.is_ear => Ok(tip.feed(chunks, &page.blocks)?),
        _ => Ok(()),
    }
}

impl Repo {
    fn join(&mut self, bytes: &[u8], out: &mut Vec<u8>, around: &mut Around<'_>) -> Result<bool, Gone> {
        let message = sync::read(bytes).ok_or(Gone("a frame that is no CBOR map".to_owned()))?;
        match message.kind {
            "peer" => {
                let ask = sync::prefix("request", &self.us, message.sender, &self.document)?;
                self.prefix = sync::prefix("sync", &self.us, message.sender, &self.document)?;
                frame::write(out, frame::BINARY, &sync::with_data(&ask, &sync::first_message()?));
                Ok(false)
            }
            "sync" => {
                let heads = self.answer(message.data, out, around)?;
                Ok(!heads.is_empty())
            }
            "doc-unavailable" => Err(Gone("doc-unavailable".to_owned())),
            "error" => Err(Gone(format!("error {:?} at the join", message.message))),
            _ => Ok(false),
        }
    }

    /// Says that it has what it was sent, as a stock client does after each message. Gives the heads.
    fn answer<'a>(&self, data: &'a [u8], out: &mut Vec<u8>, around: &mut Around<'_>) -> Result<&'a [u8], Gone> {
        let heads = sync::heads(data).ok_or(Gone("a sync message without heads".to_owned()))?;
        if around.is_ear && around.sheet.tip.is_some() {
            feed(around, &sync::changes(data)?)?;
        }
        frame::write(out, frame::BINARY, &sync::with_data(&self.prefix, &sync::acknowledgement(heads)));
        Ok(heads)
    }

    fn hear(&self, bytes: &[u8], out: &mut Vec<u8>, who: (Option<&mut Writer>, &mut Around<'_>)) -> Result<(), Gone> {
        let (writer, around) = who;
        let message = sync::read(bytes).ok_or(Gone("a frame that is no CBOR map".to_owned()))?;
        match message.kind {
            "sync" => {
                let heads = self.answer(message.data, out, around)?;
                if let Some(writer) = writer {
                    // What is among the server's heads is committed, and so is what the writer sent before.
                    let known = writer.waiting.iter().rposition(|waiting| sync::has_head(heads, &waiting.hash));
                    acknowledged(writer, known.map_or(0, |last| last + 1), around)?;
                }
            }
            "error" => refused(message.message, writer, around),
            "doc-unavailable" => return Err(Gone("doc-unavailable".to_owned())),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
