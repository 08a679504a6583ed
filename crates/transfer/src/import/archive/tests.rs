//! Archives that were made to do harm, and broken ones.

use super::*;
use proptest::prelude::*;
use std::io::Cursor;
use zip::{ZipWriter, write::SimpleFileOptions};

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).expect("begins");
        zip.write_all(bytes).expect("writes");
    }
    zip.finish().expect("finishes").into_inner()
}

fn open_with(bytes: &[u8], limits: &Limits) -> Result<Archive, Refusal> {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(bytes).expect("writes");
    Archive::open(file, limits)
}

fn open(bytes: &[u8]) -> Archive {
    open_with(bytes, &Limits::default()).expect("opens")
}

fn reason(result: Result<impl Sized, Refusal>) -> Reason {
    result.err().expect("is refused").reason
}

fn refused(archive: &mut Archive) -> Vec<(String, Reason)> {
    archive
        .take_refused()
        .into_iter()
        .map(|(path, refusal)| (path, refusal.reason))
        .collect()
}

/// The bytes of a file's names in an archive become others of the same length.
fn renamed(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes.to_vec();
    while let Some(at) = bytes.windows(from.len()).position(|window| window == from.as_bytes()) {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

#[test]
fn files_are_found_and_read() {
    let mut archive = open(&zip(&[("a/b c.md", b"# B"), ("a/Pic.PNG", b"png"), ("empty/", b"")]));
    assert_eq!(archive.paths().collect::<Vec<_>>(), ["a/Pic.PNG", "a/b c.md"]);
    assert_eq!(archive.read("a/b c.md", 100).as_deref(), Ok(b"# B".as_slice()));
    assert_eq!(archive.find("A/pic.png"), Some("a/Pic.PNG"));
    assert_eq!(reason(archive.read("a/b c.md", 2)), Reason::TooLarge);
    assert_eq!(reason(archive.read("nothing", 2)), Reason::FileMissing);
}

#[test]
fn names_that_lead_out_links_and_leftovers_are_left_out() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer
        .add_symlink("link.md", "/etc/passwd", SimpleFileOptions::default())
        .expect("a link");
    let bytes = zip(&[
        ("../evil.md", b"x"),
        ("/abs.md", b"x"),
        ("w\\in.md", b"x"),
        ("C:/c.md", b"x"),
        ("__MACOSX/._a.md", b"x"),
        ("ok.md", b"x"),
    ]);
    let mut archive = open(&bytes);
    assert_eq!(archive.paths().collect::<Vec<_>>(), ["ok.md"]);
    let unsafe_paths = refused(&mut archive)
        .into_iter()
        .filter(|(_, reason)| *reason == Reason::UnsafePath)
        .count();
    assert_eq!(unsafe_paths, 4);
    let mut linked = open(&writer.finish().expect("finishes").into_inner());
    assert_eq!(refused(&mut linked), [("link.md".to_owned(), Reason::Symlink)]);
    let nul = renamed(&zip(&[("aXb.md", b"x")]), "aXb.md", "a\0b.md");
    assert_eq!(refused(&mut open(&nul))[0].1, Reason::UnsafePath);
}

#[test]
fn a_second_file_of_the_same_name_is_left_out() {
    let bytes = renamed(&zip(&[("one.md", b"1"), ("two.md", b"2")]), "two.md", "one.md");
    let mut archive = open(&bytes);
    assert_eq!(archive.read("one.md", 10).as_deref(), Ok(b"1".as_slice()));
    assert_eq!(refused(&mut archive), [("one.md".to_owned(), Reason::DuplicateName)]);
}

#[test]
fn bombs_do_not_go_off() {
    let zeros = vec![0; 30 << 20];
    let bomb = zip(&[("bomb.md", &zeros)]);
    assert!(bomb.len() < 100 << 10);
    assert_eq!(reason(open(&bomb).read("bomb.md", u64::MAX)), Reason::Bomb);
    let tight = Limits {
        inflated_bytes: 10 << 20,
        ..Limits::default()
    };
    assert_eq!(reason(open_with(&bomb, &tight)), Reason::TooLarge);
    let few = Limits {
        entries: 2,
        ..Limits::default()
    };
    assert_eq!(
        reason(open_with(&zip(&[("a", b""), ("b", b""), ("c", b"")]), &few)),
        Reason::TooMany
    );
}

#[test]
fn a_file_that_lies_about_its_size_is_not_believed() {
    let honest = zip(&[("a.md", &[b'a'; 5_000])]);
    let size = 5_000_u32.to_le_bytes();
    for lie in [4_000_u32, 6_000] {
        let mut bytes = honest.clone();
        for at in 0..bytes.len() - 4 {
            if bytes[at..at + 4] == size {
                bytes[at..at + 4].copy_from_slice(&lie.to_le_bytes());
            }
        }
        let read = open_with(&bytes, &Limits::default()).and_then(|mut archive| archive.read("a.md", 10_000));
        assert_eq!(reason(read), Reason::Damaged);
    }
}

#[test]
fn files_that_lie_over_each_other_are_refused() {
    let honest = zip(&[("a.md", b"aaaaaaaaaaaaaaaaaaaa"), ("b.md", b"bbbbbbbbbbbbbbbbbbbb")]);
    // The second entry of the directory says that its file begins where the first one does.
    let directory: Vec<usize> = (0..honest.len() - 4)
        .filter(|at| honest[*at..].starts_with(b"PK\x01\x02"))
        .collect();
    let mut bytes = honest;
    bytes[directory[1] + 42..directory[1] + 46].copy_from_slice(&[0; 4]);
    assert_eq!(reason(open_with(&bytes, &Limits::default())), Reason::Overlapping);
}

#[test]
fn a_wrong_checksum_and_a_cut_file_are_told() {
    let mut bytes = zip(&[("a.md", b"hello hello hello hello")]);
    let at = 30 + "a.md".len();
    bytes[at] ^= 0x55;
    assert_eq!(reason(open(&bytes).read("a.md", 100)), Reason::Damaged);
    let whole = zip(&[("a.md", b"hello")]);
    assert_eq!(reason(open_with(&whole[..whole.len() - 10], &Limits::default())), Reason::Damaged);
    assert_eq!(reason(open_with(b"", &Limits::default())), Reason::Damaged);
}

#[test]
fn parts_inside_are_read_where_they_stand_and_not_deeper() {
    let third = zip(&[("deep.md", b"x")]);
    let second = zip(&[("Home/b.md", b"b"), ("Export-3.zip", &third)]);
    let mut archive = open(&zip(&[
        ("Export-1-Part-1.zip", &zip(&[("a.md", b"a")])),
        ("Export-1-Part-2.zip", &second),
        ("files/x.zip", &third),
    ]));
    assert_eq!(archive.paths().collect::<Vec<_>>(), ["Home/b.md", "a.md", "files/x.zip"]);
    assert_eq!(archive.read("Home/b.md", 10).as_deref(), Ok(b"b".as_slice()));
    assert_eq!(refused(&mut archive), [("Export-3.zip".to_owned(), Reason::NestedTooDeep)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_damaged_archive_is_refused_or_read(at in 0..400_usize, byte in any::<u8>(), cut in 0..400_usize) {
        let mut bytes = zip(&[("a.md", b"hello"), ("b/c.md", &[b'x'; 300]), ("Export-1.zip", &zip(&[("d.md", b"d")]))]);
        let at = at % bytes.len();
        bytes[at] = byte;
        bytes.truncate(bytes.len() - cut % 40);
        if let Ok(mut archive) = open_with(&bytes, &Limits::default()) {
            let paths: Vec<String> = archive.paths().map(str::to_owned).collect();
            for path in paths {
                prop_assert!(name::clean(&path).is_ok());
                drop(archive.read(&path, 1 << 20));
            }
        }
    }
}
