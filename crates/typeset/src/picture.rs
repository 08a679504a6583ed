//! Pictures that are safe to hand to the engine: of a kind we know, not too large, and whole.

use image::{ImageFormat, ImageReader, Limits};
use std::io::Cursor;

/// The most pixels of a picture.
const MAX_PIXELS: u64 = 40_000_000;
/// The most memory that decoding one may take.
const MAX_ALLOC: u64 = 200 << 20;

/// A picture that can be set.
pub(crate) struct Checked {
    /// Its extension, by what it is.
    pub extension: &'static str,
    /// Its size in pixels.
    pub size: (u32, u32),
}

/// Looks at a picture; none when it cannot be set. The engine would give up the whole page for it.
pub(crate) fn check(bytes: &[u8]) -> Option<Checked> {
    let extension = match image::guess_format(bytes).ok()? {
        ImageFormat::Png => "png",
        ImageFormat::Jpeg => "jpg",
        ImageFormat::Gif => "gif",
        ImageFormat::WebP => "webp",
        _ => return None,
    };
    let reader = || ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok();
    let size = reader()?.into_dimensions().ok()?;
    if u64::from(size.0) * u64::from(size.1) > MAX_PIXELS || size.0 == 0 || size.1 == 0 {
        return None;
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_ALLOC);
    let mut reader = reader()?;
    reader.limits(limits);
    reader.decode().ok()?;
    Some(Checked { extension, size })
}
