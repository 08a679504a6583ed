//! Pictures of people. What is uploaded is decoded under limits and written anew, so that nothing but pixels is kept: no
//! place where a photo was taken, no second file behind the first.

use crate::{Accounts, Error, profile};
use backends::db;
use entity::avatar;
use events::Change;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, imageops::FilterType};
use kernel::{clock, error::Field, id::*};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, QuerySelect, sea_query::OnConflict};
use sha2::{Digest, Sha256};
use std::{io::Cursor, sync::LazyLock};
use tokio::sync::Semaphore;

/// The most bytes that are taken.
pub const MAX_BYTES: usize = 5 << 20;
/// Width and height of what is kept.
pub const SIDE: u32 = 256;
/// The longest side that is decoded.
const MAX_SIDE: u32 = 8_192;
/// The most pixels that are decoded: a few bytes can promise very many.
const MAX_PIXELS: u64 = 40_000_000;
/// What decoding may allocate.
const MAX_ALLOC: u64 = 256 << 20;

/// Pictures that are decoded at the same time; the others wait.
static DECODING: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(2));

fn refused(code: &'static str, detail: impl Into<String>) -> Error {
    Error::Invalid(vec![Field::new("", code, detail)])
}

/// Decodes a picture, cuts its middle square out and writes it as a small PNG.
fn portrait(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let reader = || ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let broken = |_| refused("not_an_image", "cannot be decoded as an image");
    let mut reader = reader().map_err(|e| Error::Internal(e.to_string()))?;
    let is_known = matches!(
        reader.format(),
        Some(ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP | ImageFormat::Gif)
    );
    if !is_known {
        return Err(refused("not_an_image", "is no PNG, JPEG, WebP or GIF"));
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_ALLOC);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS || width == 0 || height == 0 {
        return Err(refused("too_many_pixels", format!("has more than {MAX_PIXELS} pixels")));
    }
    let orientation = decoder.orientation().map_err(broken)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(broken)?;
    image.apply_orientation(orientation);
    let side = image.width().min(image.height());
    let (left, top) = ((image.width() - side) / 2, (image.height() - side) / 2);
    let small = image.crop_imm(left, top, side, side).resize_exact(SIDE, SIDE, FilterType::Triangle);
    let mut written = Cursor::new(Vec::new());
    let small = DynamicImage::ImageRgba8(small.to_rgba8());
    small
        .write_to(&mut written, ImageFormat::Png)
        .map_err(|e| Error::Internal(e.to_string()))?;
    Ok(written.into_inner())
}

/// Sets somebody's picture from whatever they sent.
///
/// # Errors
/// [`Error::Invalid`] for what is no image or too large a one.
pub async fn set(accounts: &Accounts, user: UserId, bytes: Vec<u8>) -> Result<avatar::Model, Error> {
    if bytes.len() > MAX_BYTES {
        return Err(refused("too_large", format!("has more than {MAX_BYTES} bytes")));
    }
    let turn = DECODING.acquire().await.map_err(|e| Error::Internal(e.to_string()))?;
    let bytes = tokio::task::spawn_blocking(move || portrait(&bytes))
        .await
        .map_err(|e| Error::Internal(e.to_string()))??;
    drop(turn);
    let row = avatar::Model {
        user_id: user,
        hash: hex::encode(Sha256::digest(&bytes)),
        bytes,
        updated_at: clock::now(),
    };
    db::write(accounts.db(), async |tx: &DatabaseTransaction| {
        let again = OnConflict::column(avatar::Column::UserId)
            .update_columns([avatar::Column::Hash, avatar::Column::Bytes, avatar::Column::UpdatedAt])
            .to_owned();
        avatar::Entity::insert(row.clone().into_active_model())
            .on_conflict(again)
            .exec_without_returning(tx)
            .await?;
        events::append(tx, profile::of(user), Change::UserUpdated { user }).await?;
        Ok::<_, Error>(())
    })
    .await?;
    Ok(row)
}

/// Takes somebody's picture away, if there is one.
///
/// # Errors
/// Only the database's.
pub async fn remove(accounts: &Accounts, user: UserId) -> Result<(), Error> {
    db::write(accounts.db(), async |tx: &DatabaseTransaction| {
        if avatar::Entity::delete_by_id(user).exec(tx).await?.rows_affected > 0 {
            events::append(tx, profile::of(user), Change::UserUpdated { user }).await?;
        }
        Ok::<_, Error>(())
    })
    .await
}

/// Somebody's picture.
///
/// # Errors
/// Only the database's.
pub async fn find(db: &impl ConnectionTrait, user: UserId) -> Result<Option<avatar::Model>, DbErr> {
    avatar::Entity::find_by_id(user).one(db).await
}

/// The version of somebody's picture, if they have one.
///
/// # Errors
/// Only the database's.
pub async fn version(db: &impl ConnectionTrait, user: UserId) -> Result<Option<String>, DbErr> {
    avatar::Entity::find_by_id(user)
        .select_only()
        .column(avatar::Column::Hash)
        .into_tuple()
        .one(db)
        .await
}
