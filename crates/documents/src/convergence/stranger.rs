//! A client that writes registers without a look at the tree.

use super::{
    reference,
    replica::{Did, Meant, Replica},
};
use automerge::{ObjType, ReadDoc, ScalarValue, transaction::Transactable};
use rand::{RngExt, rngs::StdRng};

/// What somebody does who does not look at the tree.
#[derive(Clone, Copy)]
enum Strange {
    Delete,
    Undelete,
    Place,
}

impl Replica {
    /// An edit of a client that does not look at the tree.
    pub fn edit_as_stranger(&mut self, rng: &mut StdRng) -> Did {
        let all: Vec<(String, bool)> = reference::said(self.page.doc())
            .into_iter()
            .map(|(id, said)| (id, said.deleted))
            .collect();
        let (id, is_deleted) = all[rng.random_range(0..all.len())].clone();
        let (other, _) = all[rng.random_range(0..all.len())].clone();
        let (text, word) = (self.fresh(), rng.random_range(0..4));
        let mut meant = Meant::default();
        // Deleting what is deleted already says nothing new: Automerge only settles which of equal values stands.
        let kind = match rng.random_range(0..4) {
            0 if is_deleted => Strange::Undelete,
            0 => Strange::Delete,
            _ => Strange::Place,
        };
        match kind {
            Strange::Delete => drop(meant.deleted.insert(id.clone())),
            Strange::Undelete => drop(meant.undeleted.insert(id.clone())),
            Strange::Place => {}
        }
        let change = self.write(rng, |tx, blocks| {
            let (_, block) = tx.get(blocks, id.as_str())?.expect("it is there");
            match (kind, word) {
                (Strange::Delete, _) => tx.put(&block, "deleted_at", ScalarValue::Timestamp(1)),
                (Strange::Undelete, _) => tx.delete(&block, "deleted_at"),
                (_, 0) => tx.put(&block, "place", format!("nowhere|{text}")),
                (_, 1) => {
                    let place = tx.put_object(&block, "place", ObjType::Text)?;
                    tx.splice_text(&place, 0, 0, &format!("{other}|{text}"))
                }
                _ => tx.put(&block, "place", format!("{other}|{text}")),
            }
        })?;
        Some(("stranger", change, meant))
    }
}
