//! The derived tree against everything concurrent edits can leave behind.

use super::*;
use proptest::prelude::*;

fn node(parent: &str, order: &str, written: u64, deleted: bool) -> Node {
    Node {
        parent: parent.into(),
        order: order.into(),
        written: (written, None),
        deleted,
    }
}

fn check(given: &[(&str, Node)], expected: &[(&str, &[&str])]) {
    let nodes = given.iter().map(|(id, n)| ((*id).to_owned(), n.clone())).collect();
    let tree: Vec<(String, Vec<String>)> = derive(&nodes).into_iter().collect();
    let expected: Vec<(String, Vec<String>)> = expected
        .iter()
        .map(|(p, c)| ((*p).to_owned(), c.iter().map(|s| (*s).to_owned()).collect()))
        .collect();
    assert_eq!(tree, expected);
}

#[test]
fn siblings_sort_by_key_then_id() {
    check(
        &[
            ("b", node("", "V", 1, false)),
            ("a", node("", "V", 2, false)),
            ("c", node("", "A", 3, false)),
        ],
        &[("", &["c", "a", "b"])],
    );
}

#[test]
fn a_child_of_a_deleted_parent_surfaces_at_the_nearest_live_ancestor() {
    check(
        &[
            ("top", node("", "V", 1, false)),
            ("gone", node("top", "V", 2, true)),
            ("kept", node("gone", "V", 3, false)),
        ],
        &[("", &["top"]), ("top", &["kept"])],
    );
}

#[test]
fn a_missing_parent_means_the_root() {
    check(&[("a", node("nowhere", "V", 1, false))], &[("", &["a"])]);
}

#[test]
fn in_a_circle_the_one_placed_last_hangs_on_the_root() {
    check(
        &[("a", node("b", "V", 5, false)), ("b", node("a", "V", 9, false))],
        &[("", &["b"]), ("b", &["a"])],
    );
    check(&[("a", node("a", "V", 1, false))], &[("", &["a"])]);
}

proptest! {
    #[test]
    fn every_live_block_is_reached_exactly_once(places in proptest::collection::vec((0_usize..30, 0_u64..9, any::<bool>()), 1..30)) {
        let nodes: HashMap<String, Node> = places.iter().enumerate()
            .map(|(i, (parent, written, deleted))| (i.to_string(), node(&parent.to_string(), "V", *written, *deleted))).collect();
        let mut reached = reading_order(&derive(&nodes));
        reached.sort();
        let mut live: Vec<String> = nodes.iter().filter(|(_, n)| !n.deleted).map(|(id, _)| id.clone()).collect();
        live.sort();
        prop_assert_eq!(reached, live);
    }
}
