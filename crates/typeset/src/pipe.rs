//! Typesetting in a process of its own: how a page goes in and a PDF comes out.
//!
//! In: the length of the JSON as four bytes, the JSON of an [`Order`], then the bytes of the pictures one after another.
//! Out: the length of the JSON as four bytes, the JSON of a [`Report`], then the PDF. A failure is a sentence on standard
//! error and an exit code.

use crate::{Error, Places, Report, Sheet, Typeset, typeset};
use serde::{Deserialize, Serialize};
use std::{
    io::{self, Read, Write},
    path::PathBuf,
};

/// The longest order that is read, in bytes.
const MAX_ORDER: usize = 256 << 20;

/// What goes in, before the pictures.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    sheet: Sheet,
    images: Vec<usize>,
    fonts_dir: Option<PathBuf>,
    system_fonts: bool,
}

/// A page as the bytes that go into the process.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn order(mut sheet: Sheet, places: &Places) -> io::Result<Vec<u8>> {
    let images = std::mem::take(&mut sheet.images);
    let order = Order {
        sheet,
        images: images.iter().map(Vec::len).collect(),
        fonts_dir: places.dir.clone(),
        system_fonts: places.system,
    };
    let mut bytes = framed(&order)?;
    bytes.extend(images.into_iter().flatten());
    Ok(bytes)
}

/// What the process does: reads an order, typesets it, writes the answer.
///
/// # Errors
/// As [`typeset`], and what goes wrong on the way in and out.
pub fn serve(input: impl Read, mut output: impl Write) -> Result<(), Error> {
    let mut bytes = Vec::new();
    input.take(MAX_ORDER as u64).read_to_end(&mut bytes)?;
    let (order, mut rest): (Order, &[u8]) = unframed(&bytes)?;
    let mut sheet = order.sheet;
    for len in order.images {
        let (image, after) = rest
            .split_at_checked(len)
            .ok_or(io::ErrorKind::UnexpectedEof)
            .map_err(io::Error::from)?;
        sheet.images.push(image.to_owned());
        rest = after;
    }
    drop(bytes);
    let places = Places {
        dir: order.fonts_dir,
        system: order.system_fonts,
    };
    let set = typeset(sheet, &places)?;
    output.write_all(&framed(&set.report)?)?;
    output.write_all(&set.pdf)?;
    output.flush()?;
    Ok(())
}

/// Reads what the process wrote.
///
/// # Errors
/// When it is not whole.
pub fn answer(bytes: &[u8]) -> io::Result<Typeset> {
    let (report, pdf): (Report, &[u8]) = unframed(bytes)?;
    Ok(Typeset {
        pdf: pdf.to_owned(),
        report,
    })
}

fn framed(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let json = serde_json::to_vec(value).map_err(io::Error::other)?;
    let length = u32::try_from(json.len()).map_err(io::Error::other)?;
    Ok([&length.to_be_bytes()[..], &json].concat())
}

fn unframed<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> io::Result<(T, &[u8])> {
    let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(cut)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(io::Error::other)?;
    let (json, rest) = rest.split_at_checked(length).ok_or_else(cut)?;
    Ok((serde_json::from_slice(json).map_err(io::Error::other)?, rest))
}
