//! How an archive is written: a CBOR array of columns, deflated, behind a checksum. Columns compress well where rows do not, since a run of
//! keystrokes has one actor, one user, one door and a small step of time.
//!
//! `[version, hashes, actors, actor of each, step of the actor's sequence of each, users, user of each, doors, door of
//! each, step of time of each, message id of each]`. The numbers of the rows are not written: they are dense.

use super::Authored;
use crate::error::Error;
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use kernel::id::UserId;
use minicbor::{Decoder, Encoder, data::Type};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    convert::Infallible,
    io::{Read, Write},
};
use uuid::Uuid;

/// The most changes that one archive holds.
pub const MAX_CHANGES: usize = 5_000;
/// The most bytes that one archive inflates to.
const MAX_INFLATED: u64 = 16 << 20;
const CHECKSUM: usize = 4;
const VERSION: u8 = 1;
const COLUMNS: u64 = 11;

type Written = Result<(), minicbor::encode::Error<Infallible>>;

/// Values that repeat, each written once.
struct Table<T> {
    values: Vec<T>,
    index: HashMap<T, u64>,
}

impl<T: Clone + Eq + std::hash::Hash> Table<T> {
    /// The table of a column, and the column as places in it.
    fn of(column: impl Iterator<Item = T>) -> (Self, Vec<u64>) {
        let mut table = Self {
            values: Vec::new(),
            index: HashMap::new(),
        };
        let places = column.map(|value| table.place(value)).collect();
        (table, places)
    }

    fn place(&mut self, value: T) -> u64 {
        let next = self.values.len() as u64;
        *self.index.entry(value).or_insert_with_key(|value| {
            self.values.push(value.clone());
            next
        })
    }
}

/// Writes an archive of changes that follow one another.
///
/// # Errors
/// [`Error::TooLarge`] when they are too many for one archive, or would not be read back.
pub fn encode(changes: &[Authored]) -> Result<Vec<u8>, Error> {
    if changes.len() > MAX_CHANGES {
        return Err(Error::TooLarge(format!("an archive holds at most {MAX_CHANGES} changes")));
    }
    let failed = |e: &dyn std::fmt::Display| Error::Corrupt(format!("an archive cannot be written: {e}"));
    let mut columns = Encoder::new(Vec::new());
    write_columns(&mut columns, changes).map_err(|e| failed(&e))?;
    let columns = columns.into_writer();
    if columns.len() as u64 > MAX_INFLATED {
        return Err(Error::TooLarge(format!("an archive inflates to at most {MAX_INFLATED} bytes")));
    }
    sealed(&columns).map_err(|e| failed(&e))
}

/// The columns deflated, behind the first bytes of their SHA-256.
fn sealed(columns: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut out = DeflateEncoder::new(Vec::new(), Compression::default());
    out.write_all(columns)?;
    let deflated = out.finish()?;
    Ok([&Sha256::digest(&deflated)[..CHECKSUM], &deflated].concat())
}

fn write_columns(to: &mut Encoder<Vec<u8>>, changes: &[Authored]) -> Written {
    let hashes: Vec<u8> = changes.iter().flat_map(|change| change.hash).collect();
    to.array(COLUMNS)?.u8(VERSION)?.bytes(&hashes)?;
    let (actors, actor_of) = Table::of(changes.iter().map(|change| change.actor.as_slice()));
    to.array(actors.values.len() as u64)?;
    actors.values.iter().try_for_each(|actor| to.bytes(actor).map(drop))?;
    write_places(to, &actor_of)?;
    write_steps(to, &actor_steps(changes, &actor_of))?;
    let (users, user_of) = Table::of(changes.iter().map(|change| change.user));
    to.array(users.values.len() as u64)?;
    for user in users.values {
        match user {
            Some(user) => to.bytes(user.0.as_bytes())?,
            None => to.null()?,
        };
    }
    write_places(to, &user_of)?;
    let (doors, door_of) = Table::of(changes.iter().map(|change| change.source.as_str()));
    to.array(doors.values.len() as u64)?;
    doors.values.iter().try_for_each(|door| to.str(door).map(drop))?;
    write_places(to, &door_of)?;
    let mut before = 0;
    let steps = changes
        .iter()
        .map(|change| change.at_ms.wrapping_sub(std::mem::replace(&mut before, change.at_ms)));
    write_steps(to, &steps.collect::<Vec<_>>())?;
    to.array(changes.len() as u64)?;
    for change in changes {
        match &change.message_id {
            Some(id) => to.str(id)?,
            None => to.null()?,
        };
    }
    Ok(())
}

/// How far each change's sequence is from the last one of the same actor: 1, nearly always.
fn actor_steps(changes: &[Authored], actor_of: &[u64]) -> Vec<i64> {
    let mut last: HashMap<u64, u64> = HashMap::new();
    let step = |(change, actor): (&Authored, &u64)| {
        let before = last.insert(*actor, change.actor_seq).unwrap_or(0);
        change.actor_seq.wrapping_sub(before).cast_signed()
    };
    changes.iter().zip(actor_of).map(step).collect()
}

fn write_places(to: &mut Encoder<Vec<u8>>, places: &[u64]) -> Written {
    to.array(places.len() as u64)?;
    places.iter().try_for_each(|place| to.u64(*place).map(drop))
}

fn write_steps(to: &mut Encoder<Vec<u8>>, steps: &[i64]) -> Written {
    to.array(steps.len() as u64)?;
    steps.iter().try_for_each(|step| to.i64(*step).map(drop))
}

/// Reads an archive of `count` changes, the first of which has the number `from_seq`.
///
/// # Errors
/// [`Error::Corrupt`] when it is not one; it never takes more memory than a whole archive may.
pub fn decode(bytes: &[u8], from_seq: i64, count: usize) -> Result<Vec<Authored>, Error> {
    let corrupt = |why: &dyn std::fmt::Display| Error::Corrupt(format!("the archive from {from_seq} does not read: {why}"));
    if count > MAX_CHANGES {
        return Err(corrupt(&"it claims too many changes"));
    }
    let (checksum, deflated) = bytes.split_at_checked(CHECKSUM).ok_or_else(|| corrupt(&"it is too short"))?;
    if Sha256::digest(deflated)[..CHECKSUM] != *checksum {
        return Err(corrupt(&"its checksum is wrong"));
    }
    let mut columns = Vec::new();
    DeflateDecoder::new(deflated)
        .take(MAX_INFLATED + 1)
        .read_to_end(&mut columns)
        .map_err(|e| corrupt(&e))?;
    if columns.len() as u64 > MAX_INFLATED {
        return Err(corrupt(&"it inflates to too much"));
    }
    let mut from = Columns {
        decoder: Decoder::new(&columns),
        count,
    };
    from.read(from_seq).map_err(|e| corrupt(&e))
}

type Parsed<T> = Result<T, minicbor::decode::Error>;

fn malformed(why: &'static str) -> minicbor::decode::Error {
    minicbor::decode::Error::message(why)
}

/// A reader of columns that all have the same length.
struct Columns<'b> {
    decoder: Decoder<'b>,
    count: usize,
}

impl<'b> Columns<'b> {
    fn read(&mut self, from_seq: i64) -> Parsed<Vec<Authored>> {
        let is_ours = self.decoder.array()? == Some(COLUMNS) && self.decoder.u8()? == VERSION;
        let hashes = self.decoder.bytes()?;
        if !is_ours || hashes.len() != self.count * 32 {
            return Err(malformed("it has another shape"));
        }
        let actors = self.table(|decoder| decoder.bytes().map(<[u8]>::to_vec))?;
        let actor_of = self.places(actors.len())?;
        let actor_seqs = self.actor_seqs(&actor_of)?;
        let users = self.table(user)?;
        let user_of = self.places(users.len())?;
        let doors = self.table(|decoder| decoder.str().map(str::to_owned))?;
        let door_of = self.places(doors.len())?;
        let mut at_ms = 0_i64;
        let steps = self.column(Decoder::i64)?;
        let mut ids = self.column(message_id)?.into_iter();
        if self.decoder.position() != self.decoder.input().len() {
            return Err(malformed("something follows"));
        }
        let mut out = Vec::with_capacity(self.count);
        for (i, (hash, step)) in hashes.as_chunks::<32>().0.iter().zip(steps).enumerate() {
            at_ms = at_ms.wrapping_add(step);
            out.push(Authored {
                seq: from_seq.saturating_add(i as i64),
                hash: *hash,
                actor: actors[actor_of[i]].clone(),
                actor_seq: actor_seqs[i],
                user: users[user_of[i]],
                source: doors[door_of[i]].clone(),
                at_ms,
                message_id: ids.next().flatten(),
            });
        }
        Ok(out)
    }

    /// Values that repeat: at most one for each change.
    fn table<T>(&mut self, mut one: impl FnMut(&mut Decoder<'b>) -> Parsed<T>) -> Parsed<Vec<T>> {
        let length = self.decoder.array()?.and_then(|length| usize::try_from(length).ok());
        let Some(length) = length.filter(|length| *length <= self.count) else {
            return Err(malformed("a table is too long"));
        };
        (0..length).map(|_| one(&mut self.decoder)).collect()
    }

    /// Values one for each change.
    fn column<T>(&mut self, one: impl FnMut(&mut Decoder<'b>) -> Parsed<T>) -> Parsed<Vec<T>> {
        let values = self.table(one)?;
        if values.len() == self.count {
            Ok(values)
        } else {
            Err(malformed("a column is too short"))
        }
    }

    fn places(&mut self, table: usize) -> Parsed<Vec<usize>> {
        self.column(|decoder| {
            let place = usize::try_from(decoder.u64()?).unwrap_or(usize::MAX);
            if place < table {
                Ok(place)
            } else {
                Err(malformed("a place is outside its table"))
            }
        })
    }

    fn actor_seqs(&mut self, actor_of: &[usize]) -> Parsed<Vec<u64>> {
        let mut last: HashMap<usize, u64> = HashMap::new();
        let steps = self.column(Decoder::i64)?;
        let seq = |(actor, step): (&usize, i64)| {
            let seq = last.entry(*actor).or_default();
            *seq = seq.wrapping_add(step.cast_unsigned());
            *seq
        };
        Ok(actor_of.iter().zip(steps).map(seq).collect())
    }
}

fn user(decoder: &mut Decoder<'_>) -> Parsed<Option<UserId>> {
    if decoder.datatype()? == Type::Null {
        return decoder.null().map(|()| None);
    }
    let id = Uuid::from_slice(decoder.bytes()?).map_err(|_| malformed("a user has another shape"))?;
    Ok(Some(UserId(id)))
}

fn message_id(decoder: &mut Decoder<'_>) -> Parsed<Option<String>> {
    if decoder.datatype()? == Type::Null {
        decoder.null().map(|()| None)
    } else {
        decoder.str().map(|id| Some(id.to_owned()))
    }
}

#[cfg(test)]
mod tests;
