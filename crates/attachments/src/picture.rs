//! Small pictures of large ones: decoded under limits, turned as the camera was held, and written anew, so that nothing but
//! pixels is left of them. Of one that moves the first frame is taken.

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, ImageResult, Limits, codecs::jpeg::JpegEncoder, metadata::Orientation};
use std::io::Cursor;

/// The longest side that is decoded.
const MAX_SIDE: u32 = 16_384;
/// The most pixels that are decoded: a few bytes can promise very many.
const MAX_PIXELS: u64 = 40_000_000;
/// What decoding may allocate.
const MAX_ALLOC: u64 = 256 << 20;
/// Of 100; what is lost at 80 is hard to see.
const JPEG_QUALITY: u8 = 80;

/// How large a small picture is: its longer side in pixels, or less when the picture itself is smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// 256, for lists.
    Small,
    /// 1024, for pages.
    Large,
}

impl Edge {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Small, Self::Large];

    /// The longer side.
    pub fn pixels(self) -> u32 {
        match self {
            Self::Small => 256,
            Self::Large => 1024,
        }
    }
}

/// What was made of a picture.
pub struct Pictures {
    /// Pixels of the picture itself, as it is to be seen.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// What the small ones are.
    pub media_type: &'static str,
    /// They.
    pub small: Vec<(Edge, Vec<u8>)>,
}

/// Makes small pictures. None of what is no picture, is broken, or has more pixels than are decoded.
pub fn shrink(bytes: &[u8]) -> Option<Pictures> {
    let image = decode(bytes).inspect_err(|error| tracing::debug!(%error, "no thumbnail")).ok()??;
    let media_type = if image.color().has_alpha() { "image/png" } else { "image/jpeg" };
    let small = Edge::ALL
        .into_iter()
        .map(|edge| Ok((edge, written(&fitted(&image, edge), media_type)?)));
    let small: ImageResult<Vec<_>> = small.collect();
    Some(Pictures {
        width: image.width(),
        height: image.height(),
        media_type,
        small: small
            .inspect_err(|error| tracing::warn!(%error, "a thumbnail cannot be written"))
            .ok()?,
    })
}

fn decode(bytes: &[u8]) -> ImageResult<Option<DynamicImage>> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    let is_known = matches!(
        reader.format(),
        Some(ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP | ImageFormat::Gif)
    );
    if !is_known {
        return Ok(None);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_ALLOC);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS || width == 0 || height == 0 {
        return Ok(None);
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    Ok(Some(image))
}

fn fitted(image: &DynamicImage, edge: Edge) -> DynamicImage {
    let pixels = edge.pixels();
    if image.width().max(image.height()) <= pixels {
        return image.clone();
    }
    image.thumbnail(pixels, pixels)
}

fn written(image: &DynamicImage, media_type: &str) -> ImageResult<Vec<u8>> {
    let mut out = Cursor::new(Vec::new());
    if media_type == "image/png" {
        DynamicImage::ImageRgba8(image.to_rgba8()).write_to(&mut out, ImageFormat::Png)?;
    } else {
        JpegEncoder::new_with_quality(&mut out, JPEG_QUALITY).encode_image(&image.to_rgb8())?;
    }
    Ok(out.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, RgbImage, Rgba, RgbaImage};

    fn png(image: &DynamicImage) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        image.write_to(&mut out, ImageFormat::Png).expect("written");
        out.into_inner()
    }

    fn size(bytes: &[u8]) -> (u32, u32) {
        let image = image::load_from_memory(bytes).expect("a picture");
        (image.width(), image.height())
    }

    #[test]
    fn small_pictures_keep_the_shape_and_never_grow() {
        let made = shrink(&png(&RgbImage::from_pixel(2000, 500, Rgb([9, 9, 9])).into())).expect("pictures");
        assert_eq!((made.width, made.height, made.media_type), (2000, 500, "image/jpeg"));
        let sizes: Vec<_> = made.small.iter().map(|(_, bytes)| size(bytes)).collect();
        assert_eq!(sizes, [(256, 64), (1024, 256)]);
        let made = shrink(&png(&RgbImage::new(100, 30).into())).expect("pictures");
        assert!(made.small.iter().all(|(_, bytes)| size(bytes) == (100, 30)));
    }

    #[test]
    fn what_is_transparent_stays_so() {
        let made = shrink(&png(&RgbaImage::from_pixel(300, 300, Rgba([1, 2, 3, 0])).into())).expect("pictures");
        assert_eq!(made.media_type, "image/png");
        let small = image::load_from_memory(&made.small[0].1).expect("a picture").to_rgba8();
        assert_eq!(small.get_pixel(5, 5)[3], 0);
    }

    /// A JPEG whose Exif data say that the camera was held upright (orientation 6: turn right), and where it was.
    fn upright() -> Vec<u8> {
        let mut jpeg = Vec::new();
        JpegEncoder::new(&mut jpeg).encode_image(&RgbImage::new(40, 20)).expect("written");
        // TIFF, little endian: one entry, tag 0x0112 of type SHORT.
        let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
        exif.extend_from_slice(b"secret place");
        let length = u16::try_from(exif.len() + 2).expect("short").to_be_bytes();
        let segment = [&[0xff, 0xe1], &length[..], &exif].concat();
        [&jpeg[..2], &segment, &jpeg[2..]].concat()
    }

    #[test]
    fn photos_stand_upright_and_tell_nothing() {
        let photo = upright();
        let made = shrink(&photo).expect("pictures");
        assert_eq!((made.width, made.height), (20, 40));
        let tells = |bytes: &[u8]| bytes.windows(12).any(|window| window == b"secret place");
        assert!(tells(&photo) && made.small.iter().all(|(_, bytes)| !tells(bytes) && size(bytes) == (20, 40)));
    }

    /// A PNG that promises so many pixels and has none of them.
    fn promising(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = png(&RgbImage::new(1, 1).into());
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        let mut crc = !0_u32;
        for byte in &bytes[12..29] {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
            }
        }
        bytes[29..33].copy_from_slice(&(!crc).to_be_bytes());
        bytes
    }

    #[test]
    fn what_promises_too_much_or_is_none_is_left_alone() {
        assert!(shrink(&promising(1, 1)).is_some(), "the checksum is right");
        for (width, height) in [(50_000, 50_000), (16_000, 16_000), (16_385, 1), (u32::MAX, u32::MAX)] {
            assert!(shrink(&promising(width, height)).is_none(), "{width} × {height}");
        }
        assert!(shrink(b"<svg/>").is_none() && shrink(b"").is_none());
        let whole = png(&RgbImage::new(50, 50).into());
        assert!(shrink(&whole[..whole.len() / 2]).is_none());
    }
}
