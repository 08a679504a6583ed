//! What is written is read back, and nothing else reads.

use super::*;
use proptest::{collection::vec, option, prelude::*};

/// A change as it is drawn: hash, places in the tables, sequence, time, id.
type One = ([u8; 32], (usize, usize, usize), u64, i64, Option<String>);

fn changes() -> impl Strategy<Value = Vec<Authored>> {
    let actors = vec(vec(any::<u8>(), 0..20), 1..4);
    let users = vec(option::of(any::<u128>()), 1..4);
    let one = (
        any::<[u8; 32]>(),
        any::<(usize, usize, usize)>(),
        any::<u64>(),
        any::<i64>(),
        option::of(".{0,40}"),
    );
    (0..1_000_000_i64, actors, users, vec(one, 0..60)).prop_map(|(from, actors, users, some)| {
        let doors = ["rest", "json", "automerge", "server"];
        let change = |(i, (hash, (actor, user, door), actor_seq, at_ms, message_id)): (usize, One)| Authored {
            seq: from + i as i64,
            hash,
            actor: actors[actor % actors.len()].clone(),
            actor_seq,
            user: users[user % users.len()].map(|id| UserId(Uuid::from_u128(id))),
            source: doors[door % doors.len()].to_owned(),
            at_ms,
            message_id,
        };
        some.into_iter().enumerate().map(change).collect()
    })
}

/// Four people who type in turns, with ids like those of real clients.
fn typing(count: usize) -> Vec<Authored> {
    let change = |i: usize| Authored {
        seq: i as i64 + 1,
        hash: rand::random(),
        actor: vec![i as u8 % 4; 16],
        actor_seq: i as u64 / 4 + 1,
        user: Some(UserId(Uuid::from_u128(i as u128 % 4))),
        source: "json".to_owned(),
        at_ms: 1_700_000_000_000 + i as i64 * 137,
        message_id: Some(format!("{:032x}:m{i}", i % 4)),
    };
    (0..count).map(change).collect()
}

fn is_corrupt(read: &Result<Vec<Authored>, Error>) -> bool {
    matches!(read, Err(Error::Corrupt(_)))
}

/// The columns of an archive.
fn columns(archive: &[u8]) -> Vec<u8> {
    let mut columns = Vec::new();
    DeflateDecoder::new(&archive[CHECKSUM..]).read_to_end(&mut columns).unwrap();
    columns
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(changes in changes()) {
        let from = changes.first().map_or(7, |change| change.seq);
        let bytes = encode(&changes).unwrap();
        prop_assert_eq!(decode(&bytes, from, changes.len()).unwrap(), changes);
    }

    #[test]
    fn an_archive_of_another_length_does_not_read(changes in changes(), other in 0..70_usize) {
        prop_assume!(other != changes.len());
        prop_assert!(is_corrupt(&decode(&encode(&changes).unwrap(), 1, other)));
    }

    #[test]
    fn damaged_columns_never_panic(changes in changes(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut columns = columns(&encode(&changes).unwrap());
        let at = at.index(columns.len());
        columns[at] = byte;
        let read = decode(&sealed(&columns).unwrap(), 1, changes.len());
        prop_assert!(read.is_ok() || is_corrupt(&read));
        prop_assert!(is_corrupt(&decode(&sealed(&columns[..at]).unwrap(), 1, changes.len())), "it was cut off");
    }

    #[test]
    fn any_bytes_are_an_error_and_no_panic(bytes in vec(any::<u8>(), 0..200), count in 0..10_000_usize) {
        prop_assert!(is_corrupt(&decode(&bytes, i64::MAX, count)));
        let read = decode(&sealed(&bytes).unwrap(), i64::MAX, count);
        prop_assert!(is_corrupt(&read));
    }
}

#[test]
fn damage_to_the_stored_bytes_is_found() {
    let changes = typing(200);
    let bytes = encode(&changes).unwrap();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        let read = decode(&damaged, 1, 200);
        assert!(is_corrupt(&read), "byte {at}");
    }
}

#[test]
fn a_bomb_is_not_inflated() {
    let bomb = sealed(&vec![0; 64 << 20]).unwrap();
    assert!(bomb.len() < 1 << 20);
    let error = decode(&bomb, 1, 10).unwrap_err();
    assert!(error.to_string().contains("inflates to too much"), "{error}");
    // A table that says it is four billion long, in fifty bytes.
    let mut columns = Encoder::new(Vec::new());
    columns
        .array(COLUMNS)
        .unwrap()
        .u8(VERSION)
        .unwrap()
        .bytes(&[])
        .unwrap()
        .array(u64::from(u32::MAX))
        .unwrap();
    assert!(is_corrupt(&decode(&sealed(&columns.into_writer()).unwrap(), 1, 0)));
}

#[test]
fn more_changes_than_an_archive_holds_are_refused() {
    let changes = typing(MAX_CHANGES + 1);
    assert!(matches!(encode(&changes), Err(Error::TooLarge(_))));
    let whole = &changes[..MAX_CHANGES];
    assert_eq!(decode(&encode(whole).unwrap(), 1, MAX_CHANGES).unwrap(), whole);
}

#[test]
fn beside_its_hash_a_keystroke_takes_a_few_bytes() {
    let changes = typing(MAX_CHANGES);
    let beside = encode(&changes).unwrap().len() - MAX_CHANGES * 32;
    assert!(beside < MAX_CHANGES * 12, "{} bytes each", beside / MAX_CHANGES);
}
