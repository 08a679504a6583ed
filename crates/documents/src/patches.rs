//! Automerge's patches as the edits that JSON clients understand.
//!
//! Text patches keep their order and coordinates. A block that appears is told whole, as it stands after the batch;
//! whatever else the batch did to it is already in that.

use crate::{
    mirror::{Mirror, Touched, scalar_to_json},
    op::TITLE,
};
use automerge::{Patch, PatchAction, Prop, Value};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeSet;

/// What a patch is about.
enum Subject<'a> {
    /// The title's text or the title itself.
    Title { in_text: bool },
    /// A block's appearing or going, by its key in the map of blocks.
    Blocks,
    /// A block's own registers.
    Block(&'a str),
    /// A block's text.
    Text(&'a str),
    /// Something inside a block's props.
    Props(&'a str),
    /// Anything else at the top.
    Other,
}

fn subject(patch: &Patch) -> Subject<'_> {
    let path: Vec<&str> = patch
        .path
        .iter()
        .map_while(|(_, prop)| if let Prop::Map(key) = prop { Some(key.as_str()) } else { None })
        .collect();
    match path.as_slice() {
        [] => match &patch.action {
            PatchAction::PutMap { key, .. } | PatchAction::DeleteMap { key } if key == "title" => Subject::Title { in_text: false },
            _ => Subject::Other,
        },
        ["title", ..] => Subject::Title { in_text: true },
        ["blocks"] => Subject::Blocks,
        ["blocks", id] => Subject::Block(id),
        ["blocks", id, "text", ..] => Subject::Text(id),
        ["blocks", id, ..] => Subject::Props(id),
        _ => Subject::Other,
    }
}

/// Which parts of the page a batch of patches touched.
pub fn touched(patches: &[Patch]) -> Touched {
    let mut out = Touched::default();
    for patch in patches {
        match (subject(patch), &patch.action) {
            (Subject::Title { .. }, _) => out.title = true,
            (Subject::Blocks, PatchAction::PutMap { key, .. } | PatchAction::DeleteMap { key }) => {
                out.blocks.insert(key.clone());
            }
            (Subject::Block(id) | Subject::Text(id) | Subject::Props(id), _) => {
                out.blocks.insert(id.to_owned());
            }
            (Subject::Blocks, _) => out.everything = true,
            (Subject::Other, PatchAction::PutMap { key, .. } | PatchAction::DeleteMap { key }) => out.everything |= key == "blocks",
            (Subject::Other, _) => {}
        }
    }
    out
}

/// Whether a patch sets or takes away marks.
pub(crate) fn is_mark(patch: &Patch) -> bool {
    matches!(patch.action, PatchAction::Mark { .. })
}

/// Blocks whose marks a batch of patches speaks of.
pub fn marked(patches: &[Patch]) -> BTreeSet<String> {
    let id = |patch: &Patch| match (subject(patch), &patch.action) {
        (Subject::Text(id), PatchAction::Mark { .. }) => Some(id.to_owned()),
        _ => None,
    };
    patches.iter().filter_map(id).collect()
}

/// The edits that take a JSON client's page from before the batch that was just applied to `after`.
pub fn to_ops(patches: &[Patch], after: &Mirror) -> Vec<Json> {
    let mut ops = Vec::with_capacity(patches.len());
    tell(patches, after, &after.resurfaced, &mut ops);
    tell_remarked(after, &mut ops);
    ops
}

fn tell_remarked(after: &Mirror, ops: &mut Vec<Json>) {
    let entries = after.remarked.iter().filter_map(|id| Some((id, after.live(id)?)));
    ops.extend(entries.map(|(id, entry)| json!({"op": "block_set", "id": id, "key": "marks", "value": entry.marks})));
}

/// The edits that take a JSON client's page from any older state to `after`, given the difference. Where blocks hang is
/// told for all of them once the structure has changed: what was above a block then is not known any more.
pub fn diff_to_ops(patches: &[Patch], after: &Mirror) -> Vec<Json> {
    let is_structural = |patch: &Patch| match (subject(patch), &patch.action) {
        (Subject::Blocks, _) => true,
        (Subject::Block(_), PatchAction::PutMap { key, .. } | PatchAction::DeleteMap { key }) => key == "place" || key == "deleted_at",
        _ => false,
    };
    let everything = || after.parents.keys().cloned().collect();
    let moved: BTreeSet<String> = if patches.iter().any(is_structural) {
        everything()
    } else {
        BTreeSet::new()
    };
    let mut ops = Vec::with_capacity(patches.len());
    tell(patches, after, &moved, &mut ops);
    tell_remarked(after, &mut ops);
    ops
}

/// Blocks that a client has to be told whole: they appeared, or came back from deletion.
fn appearing<'p>(patches: &'p [Patch], after: &Mirror) -> BTreeSet<&'p str> {
    let id = |patch: &'p Patch| match (subject(patch), &patch.action) {
        (Subject::Blocks, PatchAction::PutMap { key, .. }) => Some(key.as_str()),
        (Subject::Block(id), PatchAction::PutMap { key, .. } | PatchAction::DeleteMap { key }) if key == "deleted_at" => Some(id),
        _ => None,
    };
    patches.iter().filter_map(id).filter(|id| after.live(id).is_some()).collect()
}

fn replaced_texts(patches: &[Patch]) -> BTreeSet<&str> {
    let id = |patch| match (subject(patch), &patch.action) {
        (Subject::Title { in_text: false }, _) => Some(TITLE),
        (Subject::Block(id), PatchAction::PutMap { key, .. } | PatchAction::DeleteMap { key }) if key == "text" => Some(id),
        _ => None,
    };
    patches.iter().filter_map(id).collect()
}

fn tell(patches: &[Patch], after: &Mirror, moved: &BTreeSet<String>, ops: &mut Vec<Json>) {
    let whole = appearing(patches, after);
    let mut told: BTreeSet<&str> = BTreeSet::new();
    let mut props_told: BTreeSet<&str> = BTreeSet::new();
    // Texts that were replaced as a whole: what is spliced into the new one is in its value already.
    let replaced = replaced_texts(patches);
    for patch in patches {
        let about = match (subject(patch), &patch.action) {
            (Subject::Blocks, PatchAction::PutMap { key, .. } | PatchAction::DeleteMap { key }) => Some(key.as_str()),
            (Subject::Block(id) | Subject::Text(id) | Subject::Props(id), _) => Some(id),
            _ => None,
        };
        if let Some(id) = about.filter(|id| whole.contains(id) || after.live(id).is_none()) {
            // Told once: whole, or that it is gone. Nothing else of it concerns a reader.
            if told.insert(id) {
                ops.push(block_whole(id, after).unwrap_or_else(|| json!({"op": "block_delete", "id": id})));
            }
            continue;
        }
        match (subject(patch), &patch.action) {
            (Subject::Title { in_text: true }, _) if replaced.contains(TITLE) => {}
            (Subject::Text(id), _) if replaced.contains(id) => {}
            (Subject::Title { in_text: true }, action) => ops.extend(text_ops(TITLE, action)),
            (Subject::Title { in_text: false }, _) => ops.push(json!({"op": "put", "path": "title", "value": after.title})),
            (Subject::Block(id), action) => ops.extend(block_ops(id, action, after)),
            (Subject::Text(id), action) => ops.extend(text_ops(id, action)),
            (Subject::Props(id), _) => {
                if props_told.insert(id) {
                    ops.push(json!({"op": "block_set", "id": id, "key": "props", "value": after.blocks.get(id).map(|e| &e.props)}));
                }
            }
            (Subject::Blocks | Subject::Other, _) => {}
        }
    }
    let is_told = |id: &str| told.contains(id) || ops.iter().any(|op| op["op"] == "block_move" && op["id"] == id);
    let surfaced: Vec<Json> = moved
        .iter()
        .filter(|id| !is_told(id))
        .filter_map(|id| block_move(id, after))
        .collect();
    ops.extend(surfaced);
}

fn block_move(id: &str, after: &Mirror) -> Option<Json> {
    let entry = after.live(id)?;
    Some(json!({"op": "block_move", "id": id, "parent": after.parent_of(id).unwrap_or_default(), "order": entry.node.order}))
}

/// A live block, whole: flat, with the parent it hangs under in the derived tree.
fn block_whole(id: &str, after: &Mirror) -> Option<Json> {
    let entry = after.live(id)?;
    let parent = after.parent_of(id).unwrap_or_default();
    Some(json!({
        "op": "block_insert", "id": id, "type": entry.kind, "parent": parent, "order": entry.node.order,
        "text": entry.text, "marks": entry.marks, "props": entry.props,
    }))
}

fn block_ops(id: &str, action: &PatchAction, after: &Mirror) -> Option<Json> {
    let (PatchAction::PutMap { key, .. } | PatchAction::DeleteMap { key }) = action else {
        return None;
    };
    let entry = after.blocks.get(id)?;
    match key.as_str() {
        "place" => block_move(id, after),
        "type" => Some(json!({"op": "block_set", "id": id, "key": "type", "value": entry.kind})),
        "props" => Some(json!({"op": "block_set", "id": id, "key": "props", "value": entry.props})),
        // The Text itself was replaced: its new content is the block's.
        "text" => Some(json!({"op": "block_set", "id": id, "key": "text", "value": entry.text})),
        other => {
            let value = match action {
                PatchAction::PutMap {
                    value: (Value::Scalar(scalar), _),
                    ..
                } => scalar_to_json(scalar),
                _ => Json::Null,
            };
            Some(json!({"op": "block_set", "id": id, "key": other, "value": value}))
        }
    }
}

fn text_ops(block: &str, action: &PatchAction) -> Vec<Json> {
    match action {
        PatchAction::SpliceText { index, value, marks } => {
            let mut op = json!({"op": "insert", "block": block, "pos": index, "text": value.make_string()});
            let marks: Map<String, Json> = marks.iter().flat_map(|set| set.iter()).map(|(k, v)| (k.to_string(), scalar_to_json(v))).collect();
            if !marks.is_empty() {
                op["marks"] = Json::Object(marks);
            }
            vec![op]
        }
        PatchAction::DeleteSeq { index, length } => vec![json!({"op": "delete", "block": block, "pos": index, "len": length})],
        PatchAction::Mark { marks } => marks
            .iter()
            .map(|m| json!({"op": "format", "block": block, "pos": m.start, "len": m.end - m.start, "name": m.name.as_str(), "value": scalar_to_json(&m.value)}))
            .collect(),
        // An editor's block marker takes one unit of the text and reads as U+FFFC.
        PatchAction::Insert { index, values } => vec![json!({"op": "insert", "block": block, "pos": index, "text": "\u{FFFC}".repeat(values.len())})],
        _ => Vec::new(),
    }
}

/// The page as the JSON protocol sends it whole: live blocks in reading order.
pub fn snapshot(mirror: &Mirror) -> Json {
    let order = crate::tree::reading_order(&mirror.children);
    let blocks: Vec<Json> = order
        .iter()
        .filter_map(|id| {
            let entry = mirror.blocks.get(id)?;
            let parent = mirror.parent_of(id).unwrap_or_default();
            Some(json!({"id": id, "type": entry.kind, "parent": parent, "order": entry.node.order, "text": entry.text, "marks": entry.marks, "props": entry.props}))
        })
        .collect();
    json!({"title": mirror.title, "blocks": blocks})
}

/// The page as plain text: what positions without a block count in.
pub fn plain_text(mirror: &Mirror) -> String {
    let order = crate::tree::reading_order(&mirror.children);
    let texts: Vec<&str> = order
        .iter()
        .filter_map(|id| mirror.blocks.get(id))
        .map(|entry| entry.text.as_str())
        .collect();
    texts.join("\n")
}
