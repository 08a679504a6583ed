//! One page in one format, as bytes.

use super::{around::Around, content, error::Error, html, order::Format, pdf, settings::Settings, typesetting};
use crate::bundle::PageContent;
use documents::{markdown, projection::Content};
use entity::document;
use sea_orm::DatabaseConnection;
use std::sync::Arc;
use typeset::Report;

/// A page in a format.
#[derive(Debug, Default)]
pub struct Rendered {
    /// The file.
    pub bytes: Vec<u8>,
    /// What is to be said about it when it was typeset.
    pub report: Option<Report>,
}

/// Writes a page in a format.
///
/// # Errors
/// That it cannot be typeset, or does not load.
pub async fn render(
    db: &DatabaseConnection,
    settings: &Settings,
    format: Format,
    page: (&document::Model, Arc<Content>, Around),
) -> Result<Rendered, Error> {
    let (row, content, around) = page;
    let icon = row.icon.clone();
    let bytes = match format {
        Format::Pdf => {
            let sheet = aside(move || pdf::sheet(&content.title, icon.as_deref(), &content.blocks, &around)).await?;
            let set = typesetting::set(&settings.typesetter, sheet).await?;
            return Ok(Rendered {
                bytes: set.pdf,
                report: Some(set.report),
            });
        }
        Format::Html => aside(move || html::page(&content.title, icon.as_deref(), &content.blocks, &around).into_bytes()).await?,
        Format::Markdown => {
            aside(move || {
                around
                    .leading_out(&markdown::to_markdown(&content.title, &content.blocks))
                    .into_bytes()
            })
            .await?
        }
        Format::Json => aside(move || json(&content)).await??,
        Format::Automerge => content::history(db, row.id).await?,
    };
    Ok(Rendered { bytes, report: None })
}

fn json(content: &Content) -> Result<Vec<u8>, Error> {
    let whole = PageContent {
        title: content.title.clone(),
        blocks: content.blocks.clone(),
    };
    serde_json::to_vec_pretty(&whole).map_err(|error| Error::Unwritable(error.to_string()))
}

/// Work that takes its time, on a thread that may.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::Unwritable(error.to_string()))
}
