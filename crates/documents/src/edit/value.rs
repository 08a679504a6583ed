//! JSON values into Automerge.

use super::text::broken;
use crate::{error::Error, kinds::Problem};
use automerge::{ObjId, ObjType, ScalarValue, transaction::Transactable, transaction::Transaction};
use kernel::error::Field;
use serde_json::Value;

/// A JSON scalar; `None` for lists and objects.
pub fn scalar(value: &Value) -> Option<ScalarValue> {
    Some(match value {
        Value::Null => ScalarValue::Null,
        Value::Bool(b) => ScalarValue::Boolean(*b),
        Value::Number(n) => match (n.as_i64(), n.as_f64()) {
            (Some(int), _) => ScalarValue::Int(int),
            (None, Some(float)) => ScalarValue::F64(float),
            (None, None) => ScalarValue::Null,
        },
        Value::String(s) => ScalarValue::Str(s.as_str().into()),
        Value::Array(_) | Value::Object(_) => return None,
    })
}

/// Puts any JSON value at a key. Its nesting was checked before.
pub fn put(tx: &mut Transaction<'_>, map: &ObjId, key: &str, value: &Value) -> Result<(), Error> {
    match value {
        Value::Object(entries) => {
            let object = tx.put_object(map, key, ObjType::Map).map_err(broken)?;
            entries.iter().try_for_each(|(key, value)| put(tx, &object, key, value))
        }
        Value::Array(items) => {
            let list = tx.put_object(map, key, ObjType::List).map_err(broken)?;
            items.iter().enumerate().try_for_each(|(i, item)| push(tx, &list, i, item))
        }
        plain => tx.put(map, key, scalar(plain).unwrap_or(ScalarValue::Null)).map_err(broken),
    }
}

fn push(tx: &mut Transaction<'_>, list: &ObjId, at: usize, value: &Value) -> Result<(), Error> {
    match value {
        Value::Object(entries) => {
            let object = tx.insert_object(list, at, ObjType::Map).map_err(broken)?;
            entries.iter().try_for_each(|(key, value)| put(tx, &object, key, value))
        }
        Value::Array(items) => {
            let inner = tx.insert_object(list, at, ObjType::List).map_err(broken)?;
            items.iter().enumerate().try_for_each(|(i, item)| push(tx, &inner, i, item))
        }
        plain => tx.insert(list, at, scalar(plain).unwrap_or(ScalarValue::Null)).map_err(broken),
    }
}

/// A problem of a block's type, at its place in the request.
pub fn field(pointer: &str, problem: Problem) -> Field {
    Field::new(format!("{pointer}{}", problem.pointer), problem.code, problem.detail)
}
