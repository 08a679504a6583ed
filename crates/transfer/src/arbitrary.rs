//! Pages as they may be: every kind of block with every prop and mark, that name one another and files.

use documents::{
    kinds::{self, Kind, MARKS, MarkRule, Rule, TYPES, TextRule},
    op::NewBlock,
    view::Mark,
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, Value, json};

/// Pages that are named.
pub const PAGES: [&str; 3] = [
    "10000000-0000-4000-8000-000000000001",
    "10000000-0000-4000-8000-000000000002",
    "10000000-0000-4000-8000-000000000003",
];
/// Files that are named.
pub const FILES: [&str; 2] = ["20000000-0000-7000-8000-000000000001", "20000000-0000-7000-8000-000000000002"];
/// A page that is not in the bundle.
const ELSEWHERE: &str = "30000000-0000-4000-8000-000000000001";

fn value(name: &str, rule: Rule) -> BoxedStrategy<Value> {
    let words = |words: &[&str]| select(words.iter().map(|word| json!(word)).collect::<Vec<_>>()).boxed();
    match (name, rule) {
        ("attachment_id", _) => words(&FILES),
        ("document_id" | "source_document_id", _) => words(&[PAGES[0], PAGES[1], PAGES[2], ELSEWHERE]),
        (_, Rule::Id) => words(&[ELSEWHERE]),
        (_, Rule::Bool) => any::<bool>().prop_map(Value::from).boxed(),
        (_, Rule::Int { min, max }) => (min..=max).prop_map(Value::from).boxed(),
        (_, Rule::Ratio) => select(vec![json!(0.25), json!(0.5)]).boxed(),
        (_, Rule::Text { .. }) => "[a-zé😀 ]{0,12}".prop_map(Value::from).boxed(),
        (_, Rule::OneOf { words: all }) => words(all),
        (_, Rule::Word) => words(&["rust", "c++"]),
        (_, Rule::Url) => words(&["https://a.b/c?d#e", "/documents/10000000-0000-4000-8000-000000000002"]),
        (_, Rule::BlockId) => words(&["b1"]),
        (_, Rule::Color) => words(&["red", "#00ff00"]),
        (_, Rule::Cells) => vec("[a-z|\n]{0,6}", 0..4).prop_map(|cells| json!(cells)).boxed(),
    }
}

fn props(kind: &'static Kind) -> BoxedStrategy<Map<String, Value>> {
    let all: Vec<_> = kind
        .props
        .iter()
        .map(|prop| {
            let is_needed = kind.needs.iter().any(|group| group.first() == Some(&prop.name));
            let name = prop.name.to_owned();
            (any::<bool>(), value(prop.name, prop.rule))
                .prop_map(move |(is_there, value)| (is_there || is_needed).then(|| (name.clone(), value)))
        })
        .collect();
    all.prop_map(|all| all.into_iter().flatten().collect()).boxed()
}

fn mark() -> BoxedStrategy<(String, Value)> {
    let links = [
        json!("https://a.b/"),
        json!(format!("/documents/{}", PAGES[0])),
        json!(format!("/api/v1/attachments/{}/content/", FILES[1])),
    ];
    let mentions = PAGES.map(|id| json!(json!({ "kind": "page", "id": id }).to_string()));
    let of = move |kind: &kinds::MarkKind| match kind.value {
        MarkRule::Flag | MarkRule::ColorOrFlag => Just(json!(true)).boxed(),
        MarkRule::Color => Just(json!("blue")).boxed(),
        MarkRule::Link => select(links.to_vec()).boxed(),
        MarkRule::Mention => select(mentions.to_vec()).boxed(),
    };
    let all: Vec<BoxedStrategy<(String, Value)>> = MARKS
        .iter()
        .map(|kind| {
            let name = kind.name.to_owned();
            of(kind).prop_map(move |value| (name.clone(), value)).boxed()
        })
        .collect();
    proptest::strategy::Union::new(all).boxed()
}

fn text(kind: &'static Kind) -> BoxedStrategy<(String, Vec<Mark>)> {
    let marked = ("[a-zé😀\n*]{1,20}", vec((mark(), 0..20_usize, 1..9_usize), 0..4)).prop_map(|(text, marks)| {
        let units = text.encode_utf16().count();
        // Ends lie between characters.
        let bounds: Vec<usize> = text
            .char_indices()
            .map(|(at, _)| text[..at].encode_utf16().count())
            .chain([units])
            .collect();
        let marks = marks.into_iter().filter_map(|((name, value), start, len)| {
            let (start, end) = (*bounds.get(start)?, *bounds.get(start + len)?);
            Some(Mark { name, value, start, end })
        });
        (text.clone(), marks.collect())
    });
    match kind.text {
        TextRule::None => Just((String::new(), Vec::new())).boxed(),
        TextRule::Plain => "[a-z{}\n]{0,20}".prop_map(|text| (text, Vec::new())).boxed(),
        TextRule::Rich => prop_oneof![Just((String::new(), Vec::new())), marked].boxed(),
    }
}

fn block(kind: &'static Kind, depth: usize) -> BoxedStrategy<NewBlock> {
    let children = match kind.holds {
        _ if depth == 0 => Just(Vec::new()).boxed(),
        Some(held) => vec(block(kinds::find(held).expect("a kind"), depth - 1), 0..3).boxed(),
        None => vec(any_block(depth - 1), 0..3).boxed(),
    };
    (props(kind), text(kind), children)
        .prop_map(|(props, (text, marks), children)| NewBlock {
            id: None,
            kind: kind.name.to_owned(),
            text,
            marks,
            props,
            children,
        })
        .boxed()
}

/// A block that may stand anywhere, with so many levels under it.
pub fn any_block(depth: usize) -> BoxedStrategy<NewBlock> {
    let free: Vec<BoxedStrategy<NewBlock>> = TYPES
        .iter()
        .filter(|kind| kind.parent.is_none())
        .map(|kind| block(kind, depth))
        .collect();
    proptest::strategy::Union::new(free).boxed()
}
