//! The table of types. To add a type, add a row (and, if it reads differently in Markdown, an arm there).

use super::{Kind, Prop, Rule, TextRule, rule::MAX_COLUMNS};

const RICH: Kind = Kind {
    name: "",
    text: TextRule::Rich,
    parent: None,
    holds: None,
    props: &[],
    needs: &[],
    is_open: false,
};
const PLAIN: Kind = Kind {
    text: TextRule::Plain,
    ..RICH
};
const BARE: Kind = Kind {
    text: TextRule::None,
    ..RICH
};

const fn prop(name: &'static str, rule: Rule) -> Prop {
    Prop { name, rule }
}

const fn int(min: i64, max: i64) -> Rule {
    Rule::Int { min, max }
}

const ALIGN: Prop = prop(
    "align",
    Rule::OneOf {
        words: &["left", "center", "right"],
    },
);
const ATTACHMENT: Prop = prop("attachment_id", Rule::Id);
const BOARD: Prop = prop("board_id", Rule::Id);
const CAPTION: Prop = prop("caption", Rule::Text { max: 2_000 });
const COLOR: Prop = prop("color", Rule::Color);
const DOCUMENT: Prop = prop("document_id", Rule::Id);
const HEIGHT: Prop = prop("height", int(1, 20_000));
const ICON: Prop = prop("icon", Rule::Text { max: 64 });
const NAME: Prop = prop("name", Rule::Text { max: 255 });
const TITLE: Prop = prop("title", Rule::Text { max: 500 });
const URL: Prop = prop("url", Rule::Url);
const WIDTH: Prop = prop("width", int(1, 20_000));

const SOURCE: &[&[&str]] = &[&["url", "attachment_id"]];

/// Every type of block we know.
pub const TYPES: &[Kind] = &[
    Kind {
        name: "paragraph",
        props: &[COLOR, ALIGN],
        ..RICH
    },
    Kind {
        name: "heading",
        props: &[prop("level", int(1, 4)), prop("toggleable", Rule::Bool), COLOR, ALIGN],
        needs: &[&["level"]],
        ..RICH
    },
    Kind {
        name: "bulleted_list_item",
        props: &[COLOR],
        ..RICH
    },
    Kind {
        name: "numbered_list_item",
        props: &[prop("start", int(0, 999_999_999)), COLOR],
        ..RICH
    },
    Kind {
        name: "todo",
        props: &[prop("checked", Rule::Bool), COLOR],
        ..RICH
    },
    Kind {
        name: "toggle",
        props: &[prop("open", Rule::Bool), COLOR],
        ..RICH
    },
    Kind {
        name: "quote",
        props: &[COLOR],
        ..RICH
    },
    Kind {
        name: "callout",
        props: &[
            prop(
                "tone",
                Rule::OneOf {
                    words: &["note", "tip", "important", "warning", "caution"],
                },
            ),
            ICON,
            COLOR,
        ],
        ..RICH
    },
    Kind {
        name: "code",
        props: &[prop("language", Rule::Word), prop("wrap", Rule::Bool), CAPTION],
        ..PLAIN
    },
    Kind { name: "divider", ..BARE },
    Kind { name: "equation", ..PLAIN },
    Kind {
        name: "image",
        props: &[
            URL,
            ATTACHMENT,
            prop("alt", Rule::Text { max: 1_000 }),
            CAPTION,
            NAME,
            WIDTH,
            HEIGHT,
            ALIGN,
        ],
        needs: SOURCE,
        ..RICH
    },
    Kind {
        name: "video",
        props: &[URL, ATTACHMENT, CAPTION, NAME, WIDTH, HEIGHT, ALIGN],
        needs: SOURCE,
        ..RICH
    },
    Kind {
        name: "audio",
        props: &[URL, ATTACHMENT, CAPTION, NAME],
        needs: SOURCE,
        ..RICH
    },
    Kind {
        name: "file",
        props: &[URL, ATTACHMENT, CAPTION, NAME, prop("size_bytes", int(0, 1 << 50))],
        needs: SOURCE,
        ..RICH
    },
    Kind {
        name: "bookmark",
        props: &[
            URL,
            TITLE,
            prop("description", Rule::Text { max: 2_000 }),
            prop("image_url", Rule::Url),
            CAPTION,
        ],
        needs: &[&["url"]],
        ..RICH
    },
    Kind {
        name: "embed",
        props: &[URL, prop("provider", Rule::Word), TITLE, CAPTION, WIDTH, HEIGHT],
        needs: &[&["url"]],
        ..RICH
    },
    Kind {
        name: "table",
        holds: Some("table_row"),
        props: &[
            prop("column_count", int(1, MAX_COLUMNS as i64)),
            prop("has_header_row", Rule::Bool),
            prop("has_header_column", Rule::Bool),
        ],
        ..BARE
    },
    Kind {
        name: "table_row",
        parent: Some("table"),
        props: &[prop("cells", Rule::Cells)],
        ..BARE
    },
    Kind {
        name: "column_list",
        holds: Some("column"),
        ..BARE
    },
    Kind {
        name: "column",
        parent: Some("column_list"),
        props: &[prop("width_ratio", Rule::Ratio)],
        ..BARE
    },
    Kind {
        name: "table_of_contents",
        props: &[prop("max_level", int(1, 4)), COLOR],
        ..BARE
    },
    Kind {
        name: "child_page",
        props: &[DOCUMENT, TITLE, ICON],
        needs: &[&["document_id"]],
        ..RICH
    },
    Kind {
        name: "link_to_page",
        props: &[DOCUMENT, TITLE, ICON],
        needs: &[&["document_id"]],
        ..RICH
    },
    Kind {
        name: "synced_block",
        props: &[prop("source_block_id", Rule::BlockId), prop("source_document_id", Rule::Id)],
        ..BARE
    },
    Kind {
        name: "board_embed",
        props: &[BOARD, TITLE, prop("view", Rule::Word), HEIGHT],
        needs: &[&["board_id"]],
        ..BARE
    },
    Kind {
        name: "mermaid",
        props: &[CAPTION],
        ..PLAIN
    },
    Kind {
        name: "custom",
        is_open: true,
        ..RICH
    },
];
