//! The same of both forms: a directory, and a store that speaks S3 in a process of its own.

use super::*;
use crate::files::{Bucket, Style, Transport};
use futures::stream;
use kernel::{
    clock,
    id::{FileId, WorkspaceId},
};
use std::{convert::Infallible, path::PathBuf, time::Duration};
use tempfile::TempDir;
use testing::S3;

const MIB: usize = 1 << 20;
/// More than a part of either form, and no whole number of them.
const LARGE: usize = 17 * MIB + 5;

enum Place {
    Directory(TempDir),
    S3(S3),
}

struct Stage {
    files: Files,
    place: Place,
}

fn bucket(store: &S3) -> Bucket {
    Bucket {
        name: S3::BUCKET.to_owned(),
        endpoint: store.endpoint(),
        region: "us-east-1".to_owned(),
        access_key: S3::KEY.into(),
        secret_key: S3::KEY.into(),
        style: Style::Path,
        transport: Transport::HttpToo,
    }
}

async fn both() -> [Stage; 2] {
    let dir = TempDir::new().expect("a folder");
    let store = S3::start().await;
    [
        Stage {
            files: Files::directory(&dir.path().join("files")).expect("a directory"),
            place: Place::Directory(dir),
        },
        Stage {
            files: Files::s3(&bucket(&store)).expect("a bucket"),
            place: Place::S3(store),
        },
    ]
}

impl Stage {
    /// Everything on the disk of the store, whatever for.
    fn holds(&self) -> Vec<PathBuf> {
        match &self.place {
            Place::S3(store) => store.holds(),
            Place::Directory(dir) => {
                let (mut found, mut waiting) = (Vec::new(), vec![dir.path().to_owned()]);
                while let Some(folder) = waiting.pop() {
                    for entry in std::fs::read_dir(folder).expect("a folder") {
                        let path = entry.expect("an entry").path();
                        if path.is_dir() { &mut waiting } else { &mut found }.push(path);
                    }
                }
                found
            }
        }
    }

    async fn listed(&self) -> Vec<String> {
        let all: Vec<Listed> = self.files.list(Area::Attachments).try_collect().await.expect("a list");
        let mut names: Vec<String> = all.iter().map(|one| one.key.to_string()).collect();
        names.sort();
        names
    }
}

fn key() -> Key {
    Key::attachment(WorkspaceId::new(), FileId::new())
}

/// Bytes of which no two windows are alike.
fn content(size: usize) -> Bytes {
    (0..size)
        .map(|at| u8::try_from((at * 31 + at / 251) % 256).expect("a byte"))
        .collect()
}

fn in_chunks(bytes: &Bytes, size: usize) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let chunks: Vec<_> = bytes.chunks(size).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    stream::iter(chunks)
}

async fn all_of(opened: Opened) -> Vec<u8> {
    opened.bytes.map_ok(|some| some.to_vec()).try_concat().await.expect("its bytes")
}

#[tokio::test]
async fn a_file_comes_back_as_it_went() {
    for stage in both().await {
        stage.files.check().await.expect("it works");
        assert_eq!(stage.holds(), Vec::<PathBuf>::new(), "a probe leaves nothing");
        for size in [0, 5, MIB, 8 * MIB, 8 * MIB + 1, LARGE] {
            let (key, bytes) = (key(), content(size));
            let stored = stage
                .files
                .put_stream(&key, u64::MAX, in_chunks(&bytes, 70_000))
                .await
                .expect("kept");
            assert_eq!(stored.size, size as u64);
            assert_eq!(stored.sha256.len(), 64);
            let opened = stage.files.open(&key).await.expect("there");
            assert_eq!((opened.size, opened.range.clone()), (size as u64, 0..size as u64));
            assert!(all_of(opened).await == bytes, "{size} bytes");
            assert_eq!(stage.files.size_of(&key).await, Ok(Some(size as u64)));
            stage.files.delete(&key).await.expect("removed");
            assert_eq!(stage.files.size_of(&key).await, Ok(None));
            assert_eq!(stage.files.open(&key).await.err(), Some(FilesError::NotFound));
            stage.files.delete(&key).await.expect("removing what is not there is done");
        }
    }
}

#[tokio::test]
async fn its_hash_is_that_of_its_bytes() {
    for stage in both().await {
        let stored = stage.files.put(&key(), Bytes::from_static(b"abc")).await.expect("kept");
        // FIPS 180-2, appendix B.1.
        assert_eq!(stored.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}

#[tokio::test]
async fn a_part_of_a_file_can_be_read() {
    for stage in both().await {
        let (key, bytes) = (key(), content(200_000));
        stage.files.put(&key, bytes.clone()).await.expect("kept");
        for range in [0..2, 5..100_000, 199_999..200_000] {
            let opened = stage.files.open_range(&key, range.clone()).await.expect("a part");
            assert_eq!((opened.size, opened.range.clone()), (200_000, range.clone()));
            let wanted = usize::try_from(range.start).expect("small")..usize::try_from(range.end).expect("small");
            assert!(all_of(opened).await == bytes[wanted]);
        }
        let cut = stage.files.open_range(&key, 199_990..300_000).await.expect("cut at the end");
        assert_eq!(cut.range, 199_990..200_000);
    }
}

#[tokio::test]
async fn one_byte_too_many_leaves_nothing() {
    for stage in both().await {
        for size in [1001, LARGE] {
            let bytes = content(size);
            let kept = stage.files.put_stream(&key(), size as u64 - 1, in_chunks(&bytes, 70_000)).await;
            assert_eq!(kept, Err(FilesError::TooLarge(size as u64 - 1)));
            assert_eq!(stage.holds(), Vec::<PathBuf>::new());
        }
        let exact = stage.files.put_stream(&key(), 1000, in_chunks(&content(1000), 7)).await;
        assert_eq!(exact.expect("kept").size, 1000);
    }
}

#[tokio::test]
async fn what_stops_in_the_middle_leaves_nothing() {
    for stage in both().await {
        let bytes = content(LARGE);
        let broken = in_chunks(&bytes, MIB).map(|chunk| chunk.map_err(|never| match never {})).take(12);
        let broken = broken.chain(stream::iter([Err("the line broke")]));
        let kept = stage.files.put_stream(&key(), u64::MAX, broken).await;
        assert_eq!(kept, Err(FilesError::Interrupted("the line broke".to_owned())));
        assert_eq!(stage.holds(), Vec::<PathBuf>::new());
        assert!(stage.listed().await.is_empty());
    }
}

#[tokio::test]
async fn nothing_is_there_before_it_is_whole() {
    for stage in both().await {
        let key = key();
        let mut writing = stage.files.begin(key.clone(), u64::MAX);
        writing.write(&content(LARGE)).await.expect("written");
        assert_eq!(stage.files.size_of(&key).await, Ok(None));
        assert!(stage.listed().await.is_empty());
        writing.finish().await.expect("kept");
        assert_eq!(stage.listed().await, [key.to_string()]);
    }
}

#[tokio::test]
async fn a_copy_is_a_file_of_its_own() {
    for stage in both().await {
        let (one, other) = (key(), key());
        stage.files.put(&one, content(3000)).await.expect("kept");
        stage.files.copy(&one, &other).await.expect("copied");
        stage.files.delete(&one).await.expect("removed");
        assert!(stage.files.read(&other, 3000).await.expect("there") == content(3000));
        assert_eq!(stage.files.read(&other, 2999).await, Err(FilesError::TooLarge(2999)));
        assert_eq!(stage.files.copy(&one, &key()).await, Err(FilesError::NotFound));
    }
}

#[tokio::test]
async fn a_list_says_how_old_files_are() {
    let before = clock::now() - Duration::from_secs(5);
    for stage in both().await {
        let keys = [key(), key(), key()];
        for key in &keys {
            stage.files.put(key, content(10)).await.expect("kept");
        }
        stage
            .files
            .put(&Key::export(kernel::id::JobId::new()), content(10))
            .await
            .expect("kept");
        let all: Vec<Listed> = stage.files.list(Area::Attachments).try_collect().await.expect("a list");
        assert_eq!(all.len(), 3);
        for one in all {
            assert!(
                keys.contains(&one.key)
                    && one.size == 10
                    && one.modified_at > before
                    && one.modified_at < clock::now() + Duration::from_secs(5)
            );
        }
    }
}

#[tokio::test]
async fn what_a_killed_process_left_in_a_directory_is_swept_up_when_it_is_old() {
    let dir = TempDir::new().expect("a folder");
    let files = Files::directory(dir.path()).expect("a directory");
    let key = key();
    files.put(&key, content(10)).await.expect("kept");
    let left = dir.path().join(format!("{key}#1"));
    std::fs::write(&left, b"half").expect("written");
    let hour = Duration::from_secs(3600);
    assert_eq!(files.forget_unfinished(clock::now() - hour).await, Ok(0));
    assert!(left.exists());
    assert_eq!(files.forget_unfinished(clock::now() + hour).await, Ok(1));
    assert!(!left.exists() && files.size_of(&key).await == Ok(Some(10)));
}

#[tokio::test]
async fn a_store_that_is_away_is_unavailable_and_works_when_it_is_back() {
    let mut store = S3::start().await;
    let files = Files::s3(&bucket(&store)).expect("a bucket");
    let (kept, lost) = (key(), key());
    files.put(&kept, content(100)).await.expect("kept");
    store.kill9();
    for error in [
        files.put(&lost, content(100)).await.err(),
        files.open(&kept).await.err(),
        files.delete(&kept).await.err(),
        files.check().await.err(),
    ] {
        assert!(matches!(error, Some(FilesError::Unavailable(_))), "{error:?}");
    }
    store.restart().await;
    assert!(files.read(&kept, 100).await.expect("still there") == content(100));
    assert_eq!(files.size_of(&lost).await, Ok(None));
}

#[tokio::test]
async fn a_wrong_key_a_missing_bucket_and_a_closed_directory_are_said_at_once() {
    let store = S3::start().await;
    let with = |change: fn(&mut Bucket)| {
        let mut bucket = bucket(&store);
        change(&mut bucket);
        Files::s3(&bucket).expect("a bucket")
    };
    for files in [
        with(|bucket| bucket.secret_key = "wrong".into()),
        with(|bucket| bucket.name = "nobodys".to_owned()),
    ] {
        let said = files.check().await.expect_err("it does not work").to_string();
        assert!(said.contains("cannot write") && !said.contains("wrong"), "{said}");
    }
    let dir = TempDir::new().expect("a folder");
    let file = dir.path().join("file");
    std::fs::write(&file, b"").expect("written");
    let said = Files::directory(&file.join("below")).expect_err("no directory").to_string();
    assert!(said.contains("below"), "{said}");
}
