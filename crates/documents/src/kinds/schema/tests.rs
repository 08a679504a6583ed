//! The schemas and the checks say the same, as an independent validator reads the schemas.

use crate::kinds::{MARKS, MarkRule, Rule, TYPES, check, check_mark};
use serde_json::{Map, Value, json};

/// Values of every sort, at the edges of the rules.
fn values() -> Vec<Value> {
    let long = |n: usize| Value::from("ä".repeat(n));
    let uuid = "01a22098-f58e-7758-94ca-32b5c19439c7";
    let mut all = vec![
        json!(null),
        json!(true),
        json!(false),
        json!([]),
        json!({}),
        json!(["a", ""]),
        json!({ "b": "text" }),
        json!(["a", 1]),
        json!({ "b": null }),
        json!(vec![""; 64]),
        json!(vec![""; 65]),
        json!(["ä".repeat(8_192)]),
        json!(["ä".repeat(8_193)]),
        json!(1.0),
        json!(1.5),
        json!(0.25),
        json!(1.000_001),
        json!(-0.5),
        json!(1e300),
    ];
    all.extend(
        [
            -1,
            0,
            1,
            2,
            4,
            5,
            64,
            65,
            20_000,
            20_001,
            999_999_999,
            1_000_000_000,
            1_i64 << 50,
            (1_i64 << 50) + 1,
        ]
        .map(Value::from),
    );
    all.extend([64, 65, 255, 256, 500, 501, 1_000, 1_001, 2_000, 2_001].map(long));
    all.extend(
        [
            "", "a", "left", "Center", "note", "rust", "c++", "a b", "red", "teal", "#00ff00", "#00FF0", "#00fg00", "1", "-_", "x.y",
        ]
        .map(Value::from),
    );
    all.extend([uuid, &uuid.to_uppercase(), &uuid[1..], &uuid.replace('-', ""), &format!("{uuid}0")].map(Value::from));
    all.extend(
        [
            "https://example.com/a?b#c",
            "HTTP://example.com",
            "http:example.com",
            "https:///x",
            "https://",
            "mailto:a@b.c",
            "mailto:",
            "/",
            "/documents/1",
            "//evil.example",
            "/\\evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://example.com",
            "https://a b",
        ]
        .map(Value::from),
    );
    all.push(format!("/{}", "a".repeat(2_047)).into());
    all.push(format!("/{}", "a".repeat(2_048)).into());
    for (kind, id) in [
        ("user", uuid),
        ("page", uuid),
        ("date", "2026-10-01"),
        ("user", "me"),
        ("group", uuid),
    ] {
        all.push(json!({ "kind": kind, "id": id }).to_string().into());
    }
    all
}

/// A value that a rule takes.
fn fitting(rule: &Rule) -> Value {
    values()
        .into_iter()
        .find(|value| !value.is_null() && rule.check(value).is_ok())
        .expect("some value fits")
}

/// Whether a schema says no less than the checks do of values of this rule: that a URL can be parsed is beyond it.
fn is_exact(rule: &Rule) -> bool {
    !matches!(rule, Rule::Url)
}

#[test]
fn the_schema_of_every_prop_takes_what_the_checks_take_and_refuses_what_they_refuse() {
    for kind in TYPES {
        let schema = jsonschema::draft202012::new(&kind.schema()).expect("a schema");
        let rule = |name: &str| &kind.props.iter().find(|prop| prop.name == name).expect("a prop").rule;
        let needed = |group: &&[&str]| group.first().map(|name| ((*name).to_owned(), fitting(rule(name))));
        let base: Map<String, Value> = kind.needs.iter().filter_map(needed).collect();
        let says = |props: Map<String, Value>| {
            let taken = check(kind.name, &props, false, kind.parent).is_ok();
            (taken, schema.is_valid(&Value::Object(props)))
        };
        assert_eq!(says(base.clone()), (true, true), "{}", kind.name);
        for prop in kind.props {
            for value in values() {
                let mut props = base.clone();
                props.insert(prop.name.to_owned(), value.clone());
                let (taken, valid) = says(props);
                assert!(valid || !taken, "{}.{} refuses {value}", kind.name, prop.name);
                assert!(
                    taken || !valid || !is_exact(&prop.rule),
                    "{}.{} takes {value}",
                    kind.name,
                    prop.name
                );
            }
        }
        for name in ["x", "later_than_us", "Upper", "with space", "1st", &"n".repeat(64), &"n".repeat(65)] {
            for value in [json!(null), json!(1), json!({ "deep": [1] })] {
                let mut props = base.clone();
                props.insert(name.to_owned(), value.clone());
                let (taken, valid) = says(props);
                assert_eq!(taken, valid, "{}.{name} = {value}", kind.name);
            }
        }
        let (taken, valid) = says(Map::new());
        assert_eq!(
            (taken, valid),
            (kind.needs.is_empty(), kind.needs.is_empty()),
            "{} without props",
            kind.name
        );
    }
}

#[test]
fn the_schema_of_every_mark_takes_what_the_checks_take() {
    for mark in MARKS {
        let schema = jsonschema::draft202012::new(&mark.value.schema()).expect("a schema");
        let is_exact = !matches!(mark.value, MarkRule::Link | MarkRule::Mention);
        for value in values() {
            let (taken, valid) = (check_mark(mark.name, &value).is_ok(), schema.is_valid(&value));
            assert!(valid || !taken, "{} refuses {value}", mark.name);
            assert!(taken || !valid || !is_exact, "{} takes {value}", mark.name);
        }
    }
}
