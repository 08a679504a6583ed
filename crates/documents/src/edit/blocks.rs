//! Edits of the block tree: make, move, set, delete, split, merge.

use super::{
    Scope, settle,
    text::{self, Format, broken},
    value,
};
use crate::{
    error::Error,
    kinds,
    mirror::{self, MAX_DEPTH},
    op::{Expand, NewBlock, Place, Pos},
    tree::{self, Node},
    view::Mark,
};
use automerge::{ObjId, ObjType, ReadDoc, ScalarValue, transaction::Transactable};
use kernel::order;
use rand::RngExt;
use serde_json::{Map, Value};

/// Makes a block and everything under it.
pub fn insert(scope: &mut Scope<'_, '_>, new: &NewBlock, place: &Place, pointer: &str) -> Result<(), Error> {
    let (parent, order) = resolve(scope, None, place)?;
    let depth = depth_of(scope, &parent);
    make(
        scope,
        new,
        Spot {
            parent: &parent,
            order,
            depth,
            pointer,
        },
    )
}

/// Where a new block goes.
struct Spot<'a> {
    parent: &'a str,
    order: String,
    depth: usize,
    pointer: &'a str,
}

fn make(scope: &mut Scope<'_, '_>, new: &NewBlock, spot: Spot<'_>) -> Result<(), Error> {
    if spot.depth >= MAX_DEPTH {
        return Err(Error::TooLarge(format!("blocks nest at most {MAX_DEPTH} deep")));
    }
    if scope.draft.count() >= scope.limits.blocks {
        return Err(Error::TooLarge(format!("a page holds at most {} blocks", scope.limits.blocks)));
    }
    let parent_kind = scope.draft.kind(spot.parent).map(str::to_owned);
    let has_text = !new.text.is_empty();
    kinds::check(&new.kind, &new.props, has_text, parent_kind.as_deref())
        .map_err(|problems| Error::Invalid(problems.into_iter().map(|p| value::field(spot.pointer, p)).collect()))?;
    let id = match &new.id {
        Some(id) => checked_id(scope, id, spot.pointer)?,
        None => fresh_id(scope),
    };
    let object = write_new(scope, &id, new, (spot.parent, &spot.order))?;
    let target = text::Target {
        object: mirror::object(scope.tx, &object, "text", ObjType::Text).ok_or_else(|| Error::BlockNotFound(id.clone()))?,
        is_title: false,
    };
    text::insert(scope, &target, 0, (&new.text, None))?;
    set_marks(scope, &target, &new.marks)?;
    scope.draft.set_node(
        &id,
        Node {
            parent: spot.parent.to_owned(),
            order: spot.order,
            written: (u64::MAX, None),
            deleted: false,
        },
    );
    scope.draft.set_kind(&id, &new.kind);
    scope.made.push(id.clone());
    let keys = order::batch(None, None, new.children.len(), scope.rng);
    for (i, (child, order)) in new.children.iter().zip(keys).enumerate() {
        let pointer = format!("{}/children/{i}", spot.pointer);
        make(
            scope,
            child,
            Spot {
                parent: &id,
                order,
                depth: spot.depth + 1,
                pointer: &pointer,
            },
        )?;
    }
    Ok(())
}

/// Writes the registers of a new block.
fn write_new(scope: &mut Scope<'_, '_>, id: &str, new: &NewBlock, place: (&str, &str)) -> Result<ObjId, Error> {
    let blocks = scope.blocks()?;
    let object = scope.tx.put_object(&blocks, id, ObjType::Map).map_err(broken)?;
    scope.tx.put(&object, "type", new.kind.as_str()).map_err(broken)?;
    scope.tx.put(&object, "place", format!("{}|{}", place.0, place.1)).map_err(broken)?;
    scope.tx.put_object(&object, "text", ObjType::Text).map_err(broken)?;
    let props = scope.tx.put_object(&object, "props", ObjType::Map).map_err(broken)?;
    for (key, value) in &new.props {
        value::put(scope.tx, &props, key, value)?;
    }
    Ok(object)
}

fn set_marks(scope: &mut Scope<'_, '_>, target: &text::Target, marks: &[Mark]) -> Result<(), Error> {
    marks.iter().try_for_each(|mark| {
        text::format(
            scope,
            target,
            mark.start..mark.end,
            Format {
                name: &mark.name,
                value: &mark.value,
                expand: Expand::After,
            },
        )
    })
}

fn checked_id(scope: &Scope<'_, '_>, id: &str, pointer: &str) -> Result<String, Error> {
    if !kinds::is_block_id(id) {
        return Err(Error::invalid(
            format!("{pointer}/id"),
            "bad_id",
            "takes 1 to 64 letters, digits, - and _",
        ));
    }
    match scope.draft.node(id) {
        Some(_) => Err(Error::Taken(format!("the block id {id}"))),
        None => Ok(id.to_owned()),
    }
}

fn fresh_id(scope: &mut Scope<'_, '_>) -> String {
    let mut bytes = [0_u8; 16];
    scope.rng.fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// How deep a block stands; 0 at the top of the page.
fn depth_of(scope: &mut Scope<'_, '_>, id: &str) -> usize {
    let (mut depth, mut at) = (0, id.to_owned());
    while !at.is_empty() {
        at = scope.draft.parent(&at);
        depth += 1;
    }
    depth
}

/// The parent and order key that a place means, for a block that stands elsewhere or nowhere yet.
fn resolve(scope: &mut Scope<'_, '_>, moving: Option<&str>, place: &Place) -> Result<(String, String), Error> {
    let anchor = place.after.as_deref().filter(|id| !id.is_empty()).or(place.before.as_deref());
    let parent = match (&place.parent, anchor) {
        (Some(parent), _) => parent.clone(),
        (None, Some(sibling)) => {
            scope.draft.require(sibling)?;
            scope.draft.parent(sibling)
        }
        (None, None) => String::new(),
    };
    if !parent.is_empty() {
        scope.draft.require(&parent)?;
    }
    if let Some(order) = &place.order {
        if !order::is_valid(order) {
            return Err(Error::invalid(
                "/order",
                "bad_order",
                "is no order key (base 62, not ending in 0, at most 256 digits)",
            ));
        }
        return Ok((parent, order.clone()));
    }
    let row = scope.draft.children().get(&parent).map(Vec::as_slice).unwrap_or_default();
    let (low, high) = neighbours(row, moving, place)?;
    let order_of = |id: Option<String>| id.and_then(|id| scope.draft.order(&id));
    let (low, high) = (order_of(low), order_of(high));
    Ok((parent, order::between(low.as_deref(), high.as_deref(), scope.rng)))
}

/// The siblings on both sides of a place, for a block that may stand among them already.
fn neighbours(row: &[String], moving: Option<&str>, place: &Place) -> Result<(Option<String>, Option<String>), Error> {
    let is_other = |id: &&String| Some(id.as_str()) != moving;
    let find = |wanted: &str| {
        let found = row.iter().position(|id| id == wanted).filter(|_| Some(wanted) != moving);
        found.ok_or_else(|| Error::BlockNotFound(wanted.to_owned()))
    };
    // What stands before this is before the place.
    let at = match (place.after.as_deref(), place.before.as_deref()) {
        (Some(""), _) => 0,
        (Some(after), _) => find(after)? + 1,
        (None, Some(before)) => find(before)?,
        (None, None) => row.len(),
    };
    let (before, behind) = row.split_at(at);
    Ok((before.iter().rfind(is_other).cloned(), behind.iter().find(is_other).cloned()))
}

/// Moves a block with everything under it.
pub fn move_to(scope: &mut Scope<'_, '_>, id: &str, place: &Place) -> Result<(), Error> {
    let object = scope.block(id)?;
    let (parent, order) = resolve(scope, Some(id), place)?;
    if tree::would_cycle(scope.draft.children(), id, &parent) {
        return Err(Error::Cycle);
    }
    if depth_of(scope, &parent) >= MAX_DEPTH {
        return Err(Error::TooLarge(format!("blocks nest at most {MAX_DEPTH} deep")));
    }
    settle::above(scope, &parent)?;
    place_at(scope, (id, &object), parent, order)
}

/// Writes down where a block stands.
pub fn place_at(scope: &mut Scope<'_, '_>, block: (&str, &ObjId), parent: String, order: String) -> Result<(), Error> {
    let (id, object) = block;
    scope.tx.put(object, "place", format!("{parent}|{order}")).map_err(broken)?;
    scope.draft.set_node(
        id,
        Node {
            parent,
            order,
            written: (u64::MAX, None),
            deleted: false,
        },
    );
    Ok(())
}

/// Sets the type, all props, or one of them.
pub fn set(scope: &mut Scope<'_, '_>, id: &str, key: &str, what: (&Value, &str)) -> Result<(), Error> {
    let (value, pointer) = what;
    let object = scope.block(id)?;
    match (key, value) {
        ("type", Value::String(kind)) => {
            // Props that the new type does not know stay, so that turning a block back loses nothing.
            check(scope, (id, kind), (&Map::new(), false), pointer)?;
            scope.tx.put(&object, "type", kind.as_str()).map_err(broken)?;
            scope.draft.set_kind(id, kind);
            Ok(())
        }
        ("text", Value::String(to)) => text::set(scope, id, to),
        ("marks", marks @ Value::Array(_)) => {
            let marks: Vec<Mark> =
                serde_json::from_value(marks.clone()).map_err(|e| Error::invalid(format!("{pointer}/marks"), "invalid", e.to_string()))?;
            text::set_marks(scope, id, &marks)
        }
        ("props", Value::Object(props)) => {
            let kind = scope.draft.kind(id).unwrap_or("paragraph").to_owned();
            check(scope, (id, &kind), (props, true), pointer)?;
            value::put(scope.tx, &object, "props", value)
        }
        (key, value) => match key.strip_prefix("props.") {
            Some(name) if !name.is_empty() => set_prop(scope, (id, &object), (name, value), pointer),
            _ => Err(Error::invalid(
                format!("{pointer}/key"),
                "unknown_key",
                "is one of type, text, marks, props and props.<name>",
            )),
        },
    }
}

/// Checks a block's type with these props. Props that the type needs count as missing only when `props` are all it has.
fn check(scope: &mut Scope<'_, '_>, block: (&str, &str), props: (&Map<String, Value>, bool), pointer: &str) -> Result<(), Error> {
    let (id, kind) = block;
    let (props, are_all) = props;
    let parent = scope.draft.parent(id);
    let parent_kind = scope.draft.kind(&parent).map(str::to_owned);
    let object = scope.block(id)?;
    let has_text = mirror::object(scope.tx, &object, "text", ObjType::Text).is_some_and(|text| scope.tx.length(&text) > 0);
    let problems = kinds::check(kind, props, has_text, parent_kind.as_deref())
        .err()
        .unwrap_or_default();
    let problems: Vec<_> = problems
        .into_iter()
        .filter(|p| are_all || p.code != "required")
        .map(|p| value::field(pointer, p))
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Error::Invalid(problems))
    }
}

fn set_prop(scope: &mut Scope<'_, '_>, block: (&str, &ObjId), prop: (&str, &Value), pointer: &str) -> Result<(), Error> {
    let (id, object) = block;
    let (name, value) = prop;
    let kind = scope.draft.kind(id).unwrap_or("paragraph").to_owned();
    check(
        scope,
        (id, &kind),
        (&Map::from_iter([(name.to_owned(), value.clone())]), false),
        pointer,
    )?;
    let props = match mirror::object(scope.tx, object, "props", ObjType::Map) {
        Some(props) => props,
        None => scope.tx.put_object(object, "props", ObjType::Map).map_err(broken)?,
    };
    match value {
        Value::Null if matches!(scope.tx.get(&props, name), Ok(Some(_))) => scope.tx.delete(&props, name).map_err(broken),
        Value::Null => Ok(()),
        value => value::put(scope.tx, &props, name, value),
    }
}

/// Deletes a block with everything under it: marked, not destroyed, so that a concurrent edit of it is not lost.
pub fn delete(scope: &mut Scope<'_, '_>, id: &str) -> Result<(), Error> {
    scope.draft.require(id)?;
    for below in tree::subtree(scope.draft.children(), id) {
        let object = scope.block(&below)?;
        scope
            .tx
            .put(&object, "deleted_at", ScalarValue::Timestamp(scope.now_ms))
            .map_err(broken)?;
        if let Some(mut node) = scope.draft.node(&below).cloned() {
            node.deleted = true;
            scope.draft.set_node(&below, node);
        }
    }
    Ok(())
}

/// The marks that reach into a range, moved so that the range starts at `to`.
fn marks_within(scope: &Scope<'_, '_>, object: &ObjId, from: usize, to: usize) -> Vec<Mark> {
    let marks = scope.tx.marks(object).unwrap_or_default();
    marks
        .into_iter()
        .filter(|mark| mark.end > from)
        .map(|mark| Mark {
            name: mark.name.to_string(),
            value: mirror::scalar_to_json(&mark.value),
            start: mark.start.max(from) - from + to,
            end: mark.end - from + to,
        })
        .collect()
}

/// The text from a position on. A position inside a surrogate pair takes the whole character along.
fn tail(scope: &Scope<'_, '_>, object: &ObjId, from: usize) -> String {
    let text = scope.tx.text(object).unwrap_or_default();
    let mut units = 0;
    let cut = text.char_indices().find(|(_, c)| {
        units += c.len_utf16();
        units > from
    });
    cut.map(|(at, _)| text[at..].to_owned()).unwrap_or_default()
}

/// Cuts a block in two. The new block has the same type and props and takes the children along.
pub fn split(scope: &mut Scope<'_, '_>, id: &str, pos: &Pos, new_id: Option<&str>) -> Result<(), Error> {
    let target = text::target(scope, id)?;
    let at = text::position(scope, &target, pos)?;
    let len = scope.tx.length(&target.object);
    if at > len {
        return Err(Error::PositionOutOfRange { pos: at, len });
    }
    let text = tail(scope, &target.object, at);
    let at = len - text.encode_utf16().count();
    let marks = marks_within(scope, &target.object, at, 0);
    text::delete(scope, &target, at, len - at)?;
    let kind = scope.draft.kind(id).unwrap_or("paragraph").to_owned();
    // The half after a heading goes on as ordinary text, as every editor does it.
    let kind = if kind == "heading" { "paragraph".to_owned() } else { kind };
    let new = NewBlock {
        id: new_id.map(str::to_owned),
        kind,
        text,
        marks,
        ..NewBlock::default()
    };
    let children = scope.draft.row(id);
    insert(
        scope,
        &new,
        &Place {
            after: Some(id.to_owned()),
            ..Place::default()
        },
        "",
    )?;
    let made = scope.made.last().cloned().unwrap_or_default();
    children.iter().try_for_each(|child| {
        move_to(
            scope,
            child,
            &Place {
                parent: Some(made.clone()),
                ..Place::default()
            },
        )
    })
}

/// Joins a block to the end of another and deletes it; its children go under the one that stays.
pub fn merge(scope: &mut Scope<'_, '_>, id: &str, into: Option<&str>) -> Result<(), Error> {
    scope.draft.require(id)?;
    let into = match into {
        Some(into) => into.to_owned(),
        None => previous_sibling(scope, id)?,
    };
    if tree::would_cycle(scope.draft.children(), id, &into) {
        return Err(Error::Cycle);
    }
    let from = text::target(scope, id)?;
    let target = text::target(scope, &into)?;
    let len = scope.tx.length(&target.object);
    let text = scope.tx.text(&from.object).unwrap_or_default();
    let marks = marks_within(scope, &from.object, 0, len);
    text::insert(scope, &target, len, (&text, None))?;
    set_marks(scope, &target, &marks)?;
    for child in scope.draft.row(id) {
        move_to(
            scope,
            &child,
            &Place {
                parent: Some(into.clone()),
                ..Place::default()
            },
        )?;
    }
    delete(scope, id)
}

fn previous_sibling(scope: &mut Scope<'_, '_>, id: &str) -> Result<String, Error> {
    let parent = scope.draft.parent(id);
    let row = scope.draft.row(&parent);
    let index = row.iter().position(|c| c == id).unwrap_or(0);
    match index.checked_sub(1) {
        Some(before) => Ok(row[before].clone()),
        None => Err(Error::invalid("/into", "required", "there is no previous sibling to merge into")),
    }
}
