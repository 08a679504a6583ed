//! The signing keys of the embedded form: a file in the data directory, made at the first start and kept.

use anyhow::{Context, bail};
use secrecy::{ExposeSecret, SecretString};
use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};
use users::KeyRing;

/// The file's name.
pub const FILE: &str = "signing.keys";

/// The keys: configured ones, or those of the file, which is made when there is none.
///
/// # Errors
/// When keys are unusable, or others could read the file.
pub fn ring(configured: &SecretString, data_dir: &Path) -> anyhow::Result<KeyRing> {
    if !configured.expose_secret().is_empty() {
        return KeyRing::parse(configured).map_err(|why| anyhow::anyhow!("auth.signing_keys: {why}"));
    }
    let file = data_dir.join(FILE);
    if !file.exists() {
        make(&file).with_context(|| format!("cannot write {}", file.display()))?;
    }
    let mode = fs::metadata(&file)
        .with_context(|| format!("cannot read {}", file.display()))?
        .mode();
    if mode & 0o077 != 0 {
        bail!(
            "{} can be read by others (mode {:o}); run: chmod 600 {}",
            file.display(),
            mode & 0o777,
            file.display()
        );
    }
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    KeyRing::parse(&text.into()).map_err(|why| anyhow::anyhow!("{}: {why}", file.display()))
}

/// Writes a new key beside and moves it into place, so that a crash leaves a whole file or none.
fn make(file: &Path) -> std::io::Result<()> {
    let beside = file.with_extension("new");
    let mut out = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    out.set_permissions(fs::Permissions::from_mode(0o600))?;
    writeln!(out, "{}", KeyRing::generate().expose_secret())?;
    out.sync_all()?;
    fs::rename(&beside, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_kept_and_private() {
        let dir = tempfile::tempdir().expect("a directory");
        let none = SecretString::from("");
        assert!(ring(&none, dir.path()).is_ok());
        let file = dir.path().join(FILE);
        let first = fs::read_to_string(&file).expect("the key");
        assert_eq!(fs::metadata(&file).expect("its mode").mode() & 0o777, 0o600);
        assert!(ring(&none, dir.path()).is_ok());
        assert_eq!(fs::read_to_string(&file).expect("the key"), first);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("opened up");
        let refused = ring(&none, dir.path()).expect_err("refused").to_string();
        assert!(refused.contains("chmod 600"), "{refused}");
    }

    #[test]
    fn short_and_malformed_keys_are_refused_without_being_shown() {
        for bad in [
            "canary",
            "kid:c2hvcnQ=",
            "k!d:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "kid:not base64",
        ] {
            let refused = ring(&SecretString::from(bad), Path::new("/nowhere"))
                .expect_err("refused")
                .to_string();
            assert!(refused.contains("signing"), "{refused}");
            assert!(!refused.contains("canary") && !refused.contains("c2hvcnQ"), "{refused}");
        }
    }
}
