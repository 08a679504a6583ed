//! A store that speaks S3: how it is reached, and how long it is waited for.

use super::FilesError;
use object_store::{
    BackoffConfig, ClientOptions, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// A store that does not answer is given up after this many repetitions, so that who waits is told.
const RETRIES: usize = 3;
/// And after this long altogether.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longest wait for a connection, and for the next bytes of one.
const CONNECT: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_secs(30);

/// Where a bucket is and who asks for it.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// `https://host:port` of the store; empty means Amazon's of the region.
    pub endpoint: String,
    /// Its region.
    pub region: String,
    /// Who asks; empty means what the machine is (an instance's or a pod's role).
    pub access_key: SecretString,
    /// Their secret.
    pub secret_key: SecretString,
    /// How the bucket stands in an address.
    pub style: Style,
    /// What lies between here and the store.
    pub transport: Transport,
}

/// How the bucket stands in an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `https://host/bucket/key`, which every store understands.
    Path,
    /// `https://bucket.host/key`.
    VirtualHost,
}

/// Whether the store may be reached without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Only with TLS.
    Https,
    /// Also without, for a store on the same machine or network.
    HttpToo,
}

impl Bucket {
    pub(super) fn open(&self) -> Result<AmazonS3, FilesError> {
        let client = ClientOptions::new()
            // A whole answer may take as long as its reader does; only silence is an end.
            .with_timeout_disabled()
            .with_connect_timeout(CONNECT)
            .with_read_timeout(SILENCE)
            .with_allow_http(self.transport == Transport::HttpToo);
        let retry = RetryConfig {
            backoff: BackoffConfig {
                max_backoff: Duration::from_secs(2),
                ..BackoffConfig::default()
            },
            max_retries: RETRIES,
            retry_timeout: PATIENCE,
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&self.name)
            .with_region(&self.region)
            .with_virtual_hosted_style_request(self.style == Style::VirtualHost)
            .with_client_options(client)
            .with_retry(retry)
            // Not every store knows how to delete many at once.
            .with_disable_bulk_delete(true);
        if !self.endpoint.is_empty() {
            builder = builder.with_endpoint(self.endpoint.trim_end_matches('/'));
        }
        if !self.access_key.expose_secret().is_empty() {
            builder = builder
                .with_access_key_id(self.access_key.expose_secret())
                .with_secret_access_key(self.secret_key.expose_secret());
        }
        builder.build().map_err(|error| FilesError::Invalid(error.to_string()))
    }
}
