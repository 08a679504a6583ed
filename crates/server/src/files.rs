//! The store of files that is configured, opened and tried.

use crate::config::{self, Config, FilesKind};
use anyhow::Context;
use backends::files::{Bucket, Files, FilesError, Style, Transport};

/// The directory in the data directory when none is named.
const DIRECTORY: &str = "files";

/// Opens the store and sees whether it works.
///
/// # Errors
/// When it does not: says what, and which part of the configuration is about it.
pub async fn open(config: &Config) -> anyhow::Result<Files> {
    let files = of(config).context("cannot open the store of files ([files] in the configuration)")?;
    let works = files.check().await;
    works.context("cannot keep files ([files] in the configuration)")?;
    Ok(files)
}

fn of(config: &Config) -> Result<Files, FilesError> {
    match config.files.kind {
        FilesKind::S3 => Files::s3(&bucket(&config.files)),
        FilesKind::Directory if config.files.directory.as_os_str().is_empty() => Files::directory(&config.server.data_dir.join(DIRECTORY)),
        FilesKind::Directory => Files::directory(&config.files.directory),
    }
}

fn bucket(files: &config::Files) -> Bucket {
    Bucket {
        name: files.bucket.clone(),
        endpoint: files.endpoint.clone(),
        region: files.region.clone(),
        access_key: files.access_key.clone(),
        secret_key: files.secret_key.clone(),
        style: if files.path_style { Style::Path } else { Style::VirtualHost },
        transport: if files.allow_http { Transport::HttpToo } else { Transport::Https },
    }
}
