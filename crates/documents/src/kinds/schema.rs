//! The table of types as JSON Schema (2020-12), for clients that check what they send.
//!
//! Everything the checks take is valid here. What a schema cannot say is left to them: that a URL can be parsed, how many
//! bytes all props take ([`MAX_PROPS_BYTES`](super::MAX_PROPS_BYTES)) and how deep they nest
//! ([`MAX_PROPS_DEPTH`](super::MAX_PROPS_DEPTH)).

#[cfg(test)]
mod tests;

use super::{COLORS, Kind, MAX_CELL_CHARS, MAX_COLUMNS, MAX_URL_LEN, MarkRule, Rule};
use serde_json::{Map, Value, json};

const UUID: &str = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$";
/// Http and https with a host, mailto, and paths that stay on this site.
const LINK: &str = r"^([hH][tT][tT][pP][sS]?://[^/]|[mM][aA][iI][lL][tT][oO]:.|/([^/\\]|$))";
const NAME: &str = "^[a-z][a-z0-9_]{0,63}$";

impl Kind {
    /// The schema of its props.
    pub fn schema(&self) -> Value {
        let nullable = |rule: &Rule| json!({"anyOf": [rule.schema(), {"type": "null"}]});
        let properties: Map<String, Value> = self.props.iter().map(|prop| (prop.name.to_owned(), nullable(&prop.rule))).collect();
        let mut schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": properties,
        });
        if !self.is_open {
            schema["patternProperties"] = json!({NAME: true});
            schema["additionalProperties"] = json!({"type": "null"});
        }
        let present = |name: &&str| json!({"required": [name], "properties": {*name: {"not": {"type": "null"}}}});
        let needs: Vec<Value> = self
            .needs
            .iter()
            .map(|group| json!({"anyOf": group.iter().map(present).collect::<Vec<_>>()}))
            .collect();
        if !needs.is_empty() {
            schema["allOf"] = json!(needs);
        }
        schema
    }
}

impl Rule {
    /// The schema of a value.
    pub fn schema(&self) -> Value {
        match *self {
            Self::Bool => json!({"type": "boolean"}),
            Self::Int { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
            Self::Ratio => json!({"type": "number", "exclusiveMinimum": 0, "maximum": 1}),
            Self::Text { max } => json!({"type": "string", "maxLength": max}),
            Self::OneOf { words } => json!({"enum": words}),
            Self::Word => json!({"type": "string", "pattern": "^[A-Za-z0-9_+#.-]{1,64}$"}),
            Self::Url => link(),
            Self::Id => json!({"type": "string", "format": "uuid", "pattern": UUID}),
            Self::BlockId => json!({"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}),
            Self::Color => color(),
            Self::Cells => {
                let cell = json!({"type": "string", "maxLength": MAX_CELL_CHARS});
                json!({"anyOf": [
                    {"type": "array", "maxItems": MAX_COLUMNS, "items": cell},
                    {"type": "object", "maxProperties": MAX_COLUMNS, "additionalProperties": cell},
                ]})
            }
        }
    }
}

impl MarkRule {
    /// The schema of a mark's value. `null` clears any.
    pub fn schema(self) -> Value {
        let value = match self {
            Self::Flag => json!({"type": "boolean"}),
            Self::Color => color(),
            Self::ColorOrFlag => json!({"anyOf": [{"type": "boolean"}, color()]}),
            Self::Link => link(),
            Self::Mention => json!({
                "type": "string",
                "maxLength": 2048,
                "contentMediaType": "application/json",
                "contentSchema": {
                    "type": "object",
                    "required": ["kind", "id"],
                    "properties": {"kind": {"enum": ["user", "page", "date"]}, "id": {"type": "string"}},
                },
            }),
        };
        json!({"anyOf": [value, {"type": "null"}]})
    }
}

fn link() -> Value {
    json!({"type": "string", "format": "uri-reference", "maxLength": MAX_URL_LEN, "pattern": LINK})
}

fn color() -> Value {
    json!({"anyOf": [{"enum": COLORS}, {"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"}]})
}
