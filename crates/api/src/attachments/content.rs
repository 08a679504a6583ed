//! A file's bytes, given out: only while the door is open, never as something that a browser would run, in parts when asked
//! (RFC 9110, section 14), and no faster than they are taken.

use super::signed::Seen;
use crate::{etag::Tag, extract::Query, problem::ApiError, state::State};
use ::attachments::{
    attachment::find,
    content::{self, Which},
    kind::{self, Disposition},
    picture::Edge,
};
use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    body::SizedStream,
    get,
    http::header::{self, ByteRangeSpec, Header, HeaderValue},
    web::Data,
};
use entity::attachment;
use kernel::error::Field;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use std::ops::Range;
use utoipa::IntoParams;

/// What an extended parameter takes as it is (RFC 8187, section 3.2.1).
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Which bytes are wanted, and what for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// 256 or 1024: a picture of at most so many pixels, in place of the file.
    #[param(example = 256)]
    thumbnail: Option<u32>,
    /// `1` to save the file, also when it could be shown.
    download: Option<String>,
    /// From `url/`: in place of a header, which an image in a page cannot send.
    #[serde(rename = "token")]
    _token: Option<String>,
}

impl Wanted {
    fn which(&self) -> Result<Which, ApiError> {
        let edge = |pixels: u32| Edge::ALL.into_iter().find(|edge| edge.pixels() == pixels);
        match self.thumbnail.map(edge) {
            None => Ok(Which::Original),
            Some(Some(edge)) => Ok(Which::Thumbnail(edge)),
            Some(None) => Err(ApiError::invalid(vec![Field::new("/thumbnail", "invalid", "is 256 or 1024")])),
        }
    }

    fn is_download(&self) -> bool {
        self.download.as_deref().is_some_and(|word| !matches!(word, "0" | "false"))
    }
}

/// Read the bytes of a file, or of a thumbnail of it.
///
/// Pictures, sound and film are sent as what they are, everything else to be saved. `Range` gives one part; of several the
/// whole is sent.
#[utoipa::path(tag = "attachments", operation_id = "attachments.content", params(("attachment_id" = uuid::Uuid, Path), Wanted), responses((status = 200, description = "All of it", content_type = "application/octet-stream", body = inline(crate::bytes::Bytes), headers(("ETag" = String, description = "Its SHA-256"))), (status = 206, description = "The part that `Range` names", content_type = "application/octet-stream", body = inline(crate::bytes::Bytes)), (status = 416, description = "There is no such part", body = crate::problem::Problem, content_type = "application/problem+json")))]
#[get("/attachments/{attachment_id}/content/")]
pub(super) async fn read(
    state: Data<State>,
    Seen(access, id): Seen,
    wanted: Query<Wanted>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let row = find(&state.db, &access, id).await?;
    let given = Given {
        which: wanted.0.which()?,
        is_download: wanted.0.is_download(),
        row: &row,
    };
    given.answer(&state, &request).await
}

/// What is given out.
struct Given<'a> {
    which: Which,
    is_download: bool,
    row: &'a attachment::Model,
}

impl Given<'_> {
    async fn answer(&self, state: &State, request: &HttpRequest) -> Result<HttpResponse, ApiError> {
        let (tag, size) = (self.tag(), content::size(&state.files, self.row, self.which).await?);
        if tag.is_known_to(request) {
            return Ok(self.dressed(HttpResponse::NotModified(), &tag).finish());
        }
        let range = match part_of(request, &tag, size) {
            Part::Whole => None,
            Part::Of(range) => Some(range),
            Part::None => {
                let unsatisfied = (header::CONTENT_RANGE, format!("bytes */{size}"));
                return Ok(HttpResponse::RangeNotSatisfiable().insert_header(unsatisfied).finish());
            }
        };
        // The store has nothing to say about no bytes.
        let opened = content::open(&state.files, self.row, self.which, range.clone()).await?;
        let answer = match &range {
            None => HttpResponse::Ok(),
            Some(range) => {
                let mut answer = HttpResponse::PartialContent();
                let place = format!("bytes {}-{}/{size}", range.start, range.end - 1);
                answer.insert_header((header::CONTENT_RANGE, place));
                answer
            }
        };
        let length = opened.range.end - opened.range.start;
        Ok(self.dressed(answer, &tag).body(SizedStream::new(length, opened.bytes)))
    }

    fn tag(&self) -> Tag {
        let mut parts = vec![self.row.sha256.clone().unwrap_or_default()];
        if let Which::Thumbnail(edge) = self.which {
            parts.push(edge.pixels().to_string());
        }
        Tag::of(&parts)
    }

    /// The headers of every answer with bytes, or in place of them.
    fn dressed(&self, mut answer: HttpResponseBuilder, tag: &Tag) -> HttpResponseBuilder {
        let media_type = match self.which {
            Which::Original => self.row.media_type.as_str(),
            Which::Thumbnail(_) => self.row.thumbnail.as_deref().unwrap_or(kind::UNKNOWN),
        };
        let manner = kind::manner(media_type);
        let is_shown = manner.disposition == Disposition::Inline && !self.is_download;
        answer
            .content_type(manner.media_type)
            .insert_header(tag.header())
            .insert_header((header::ACCEPT_RANGES, "bytes"))
            // Asked again at every use: who may see it may have changed.
            .insert_header((header::CACHE_CONTROL, "private, no-cache"))
            .insert_header((header::CONTENT_DISPOSITION, disposition(is_shown, &self.row.name)))
            .insert_header((
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; frame-ancestors 'none'; sandbox",
            ))
            .insert_header(("Cross-Origin-Resource-Policy", "same-site"))
            // Parts are parts of these bytes, not of compressed ones.
            .insert_header((header::CONTENT_ENCODING, "identity"));
        answer
    }
}

/// That a file is kept under a name.
pub(crate) fn kept_as(name: &str) -> HeaderValue {
    disposition(false, name)
}

/// `attachment; filename="…"; filename*=UTF-8''…` (RFC 6266): a name for programs that know no other letters, and the name.
fn disposition(is_shown: bool, name: &str) -> HeaderValue {
    let plain: String = name
        .chars()
        .map(|c| {
            if c.is_ascii() && !c.is_ascii_control() && !matches!(c, '"' | '\\' | '%') {
                c
            } else {
                '_'
            }
        })
        .collect();
    let full = utf8_percent_encode(name, PLAIN);
    let kind = if is_shown { "inline" } else { "attachment" };
    HeaderValue::try_from(format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{full}"))
        .unwrap_or(HeaderValue::from_static("attachment"))
}

/// What of a file is wanted.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Whole,
    Of(Range<u64>),
    None,
}

/// Reads `Range`. One that cannot be understood, is for another version (`If-Range`), or asks for several parts counts as
/// none.
fn part_of(request: &HttpRequest, tag: &Tag, size: u64) -> Part {
    if let Some(version) = request.headers().get(header::IF_RANGE)
        && version.as_bytes() != tag.header().1.as_bytes()
    {
        return Part::Whole;
    }
    if !request.headers().contains_key(header::RANGE) {
        return Part::Whole;
    }
    match header::Range::parse(request) {
        Ok(header::Range::Bytes(parts)) => match parts.as_slice() {
            [one] => satisfied(one, size),
            _ => Part::Whole,
        },
        Ok(header::Range::Unregistered(..)) | Err(_) => Part::Whole,
    }
}

fn satisfied(part: &ByteRangeSpec, size: u64) -> Part {
    match part.to_satisfiable_range(size) {
        Some((from, to)) => Part::Of(from..to + 1),
        None => Part::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn check(headers: &[(&str, &str)], part: &Part) {
        let mut request = TestRequest::get();
        for header in headers {
            request = request.insert_header(*header);
        }
        assert_eq!(
            part_of(&request.to_http_request(), &Tag::of(&["abc".to_owned()]), 100),
            *part,
            "{headers:?}"
        );
    }

    #[test]
    fn one_part_is_given_and_nothing_stranger() {
        check(&[], &Part::Whole);
        check(&[("range", "bytes=0-0")], &Part::Of(0..1));
        check(&[("range", "bytes=10-19")], &Part::Of(10..20));
        check(&[("range", "bytes=90-")], &Part::Of(90..100));
        check(&[("range", "bytes=90-1000000")], &Part::Of(90..100));
        check(&[("range", "bytes=-10")], &Part::Of(90..100));
        check(&[("range", "bytes=-1000")], &Part::Of(0..100));
        check(&[("range", "bytes=100-")], &Part::None);
        check(&[("range", "bytes=-0")], &Part::None);
        check(&[("range", "bytes=0-1,5-6")], &Part::Whole);
        check(&[("range", "bytes=5-1")], &Part::Whole);
        check(&[("range", "bytes=a-b")], &Part::Whole);
        check(&[("range", "lines=1-2")], &Part::Whole);
        check(&[("range", "bytes=0-99999999999999999999999")], &Part::Whole);
    }

    #[test]
    fn a_part_of_another_version_is_not_given() {
        check(&[("range", "bytes=0-0"), ("if-range", "\"abc\"")], &Part::Of(0..1));
        check(&[("range", "bytes=0-0"), ("if-range", "\"abd\"")], &Part::Whole);
        check(&[("range", "bytes=0-0"), ("if-range", "W/\"abc\"")], &Part::Whole);
        check(
            &[("range", "bytes=0-0"), ("if-range", "Sat, 28 Nov 2026 00:00:00 GMT")],
            &Part::Whole,
        );
    }

    #[test]
    fn names_cannot_leave_their_header() {
        let said = |name: &str| disposition(false, name).to_str().expect("a text").to_owned();
        assert_eq!(said("photo.png"), "attachment; filename=\"photo.png\"; filename*=UTF-8''photo.png");
        assert_eq!(
            said("Grüße \"x\".pdf"),
            "attachment; filename=\"Gr__e _x_.pdf\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%22x%22.pdf"
        );
        assert_eq!(said("a\r\nb;c"), "attachment; filename=\"a__b;c\"; filename*=UTF-8''a%0D%0Ab%3Bc");
        assert!(disposition(true, "x").to_str().expect("a text").starts_with("inline"));
    }
}
