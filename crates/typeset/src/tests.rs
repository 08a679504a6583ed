//! Pages become PDFs, whatever stands on them.

use super::{
    Error, Places, Sheet, Typeset, pipe,
    sheet::{Block, Column, Item, Look, MAX_NESTING, Marker, Run},
    typeset,
};

fn text(text: &str) -> Vec<Run> {
    vec![Run::plain(text)]
}

fn paragraph(words: &str) -> Block {
    Block::Paragraph {
        text: text(words),
        look: Look::default(),
        children: Vec::new(),
    }
}

fn sheet(blocks: Vec<Block>) -> Sheet {
    Sheet {
        title: "A page".to_owned(),
        blocks,
        ..Sheet::default()
    }
}

fn set(sheet: Sheet) -> Typeset {
    let set = typeset(sheet, &Places::default()).expect("typeset");
    assert!(set.pdf.starts_with(b"%PDF-"));
    set
}

/// What can be read on the sheets, in the order in which it was set.
fn read(sheet: Sheet) -> String {
    super::words(sheet, &Places::default()).expect("typeset")
}

#[test]
fn what_looks_like_source_is_text() {
    let evil = [
        "#read(\"/etc/passwd\")",
        "#import \"@preview/cetz:0.3.0\"",
        "#while true {}",
        "$x^2$ *bold* _emph_ `raw` = heading",
        "\\ ~ -- --- ... <label> @reference // comment /* more */",
        "#let x = 1; #x #eval(\"1+1\") #sys.inputs",
        "\"quoted\" 'single'",
    ];
    for words in evil {
        let blocks = vec![
            paragraph(words),
            Block::Heading {
                level: 1,
                text: text(words),
                look: Look::default(),
                children: Vec::new(),
            },
            Block::Code {
                language: Some("typst".to_owned()),
                text: words.to_owned(),
                caption: Some(words.to_owned()),
            },
            Block::Equation { latex: words.to_owned() },
            Block::Table {
                columns: 1,
                has_header_row: true,
                has_header_column: true,
                rows: vec![vec![text(words)], vec![text(words)]],
            },
            Block::Unknown {
                label: words.to_owned(),
                text: text(words),
                children: Vec::new(),
            },
            Block::Card {
                label: words.to_owned(),
                icon: None,
                title: words.to_owned(),
                detail: words.to_owned(),
                link: None,
            },
        ];
        let page = Sheet {
            title: words.to_owned(),
            note: words.to_owned(),
            icon: Some(words.to_owned()),
            ..sheet(blocks)
        };
        let plain = |text: &str| text.split_whitespace().collect::<String>();
        let (seen, wanted) = (plain(&read(page)), plain(words));
        assert!(seen.matches(&wanted).count() >= 9, "{words}: {seen}");
        assert!(!seen.contains("root:"), "{words}");
    }
}

#[test]
fn every_kind_of_block_is_set() {
    let look = || Look {
        align: Some("center".to_owned()),
        color: Some("#c0362c".to_owned()),
        rtl: true,
    };
    let item = |marker| Item {
        marker,
        text: text("item"),
        look: look(),
        children: vec![paragraph("below")],
    };
    let run = Run {
        text: "styled".to_owned(),
        bold: true,
        italic: true,
        underline: true,
        strike: true,
        code: true,
        color: Some("#1d5fbf".to_owned()),
        highlight: Some("#fdf0b4".to_owned()),
        link: Some("https://example.com/".to_owned()),
    };
    let blocks = vec![
        Block::Contents { max_level: 3 },
        Block::Paragraph {
            text: vec![run, Run::plain("\n"), Run::plain("שלום")],
            look: look(),
            children: vec![paragraph("indented")],
        },
        Block::Heading {
            level: 4,
            text: text("Heading"),
            look: look(),
            children: vec![paragraph("folded")],
        },
        Block::List {
            items: [
                Marker::Bullet,
                Marker::Number(7),
                Marker::Todo(true),
                Marker::Todo(false),
                Marker::Toggle,
            ]
            .map(item)
            .to_vec(),
        },
        Block::Quote {
            text: text("quoted"),
            look: look(),
            children: vec![paragraph("by somebody")],
        },
        Block::Equation {
            latex: r"\frac{\sqrt{\pi}}{2} \hat{x} \begin{pmatrix} a & b \end{pmatrix} \sum_{i=1}^n \mathbb{R}".to_owned(),
        },
        Block::Divider,
        Block::Columns {
            columns: vec![Column {
                ratio: 0.3,
                children: vec![paragraph("left")],
            }],
        },
    ];
    let callouts = [
        None,
        Some("note"),
        Some("tip"),
        Some("important"),
        Some("warning"),
        Some("caution"),
        Some("other"),
    ];
    let callout = |tone: Option<&str>| Block::Callout {
        tone: tone.map(str::to_owned),
        icon: Some("🚀".to_owned()),
        text: text("called out"),
        look: Look::default(),
        children: vec![paragraph("inside")],
    };
    let report = set(sheet(blocks.into_iter().chain(callouts.map(callout)).collect())).report;
    assert_eq!((report.formulas_as_text, report.missing_glyphs.len()), (0, 0), "{report:?}");
}

#[test]
fn formulas_of_every_shape_are_taken_by_the_engine() {
    let formulas = [
        r"\begin{cases} x & x > 0 \\ -x & \text{otherwise} \end{cases}",
        r"\begin{aligned} a &= b + c \\ &= d \end{aligned}",
        r"\overline{z} \underbrace{a+b}_{n} \overbrace{c}^{m} \vec{v} \dot{x} \widehat{ab} \overrightarrow{AB}",
        r"\left( \frac{a}{b} \right] \bigl| \mathbf{v} \mathcal{L} \mathrm{d} \mathfrak{g} \mathsf{s} \mathtt{t} \color{red} x",
        r"\sqrt[3]{x} \not= \lim_{x \to 0} \sin x \pmod{n} \binom{n}{k} {\displaystyle \int} \tfrac12",
        r"\begin{array}{c|c} a & b \\ \hline c & d \end{array} \begin{bmatrix} 1 \end{bmatrix} \begin{Vmatrix} x \end{Vmatrix}",
        r"x' + y'' \coloneqq \prod \bigcup \iint \oint \to \mapsto \implies \iff \ldots \cdots \hbar \ell \Re",
        r"\sum_{\substack{i \\ j}} a \stackrel{!}{=} b \; \quad c \hspace{1cm} d \boldsymbol{\alpha} \operatorname{argmax}_x",
    ];
    for latex in formulas {
        let page = sheet(vec![Block::Equation { latex: latex.to_owned() }]);
        assert_eq!(set(page).report.formulas_as_text, 0, "{latex}");
    }
    let page = sheet(vec![Block::Equation {
        latex: r"\notacommand{".to_owned(),
    }]);
    assert!(read(page.clone()).contains("notacommand"));
    assert_eq!(set(page).report.formulas_as_text, 1);
}

#[test]
fn a_picture_that_is_none_costs_the_page_nothing() {
    let image = |image| Block::Image {
        image,
        alt: "A picture".to_owned(),
        caption: text("under it"),
        width: Some(100.0),
        align: None,
    };
    let mut good = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(4, 2)
        .write_to(&mut good, image::ImageFormat::Png)
        .expect("written");
    let good = good.into_inner();
    let page = Sheet {
        images: vec![
            good.clone(),
            b"<svg onload=alert(1)>".to_vec(),
            good[..good.len() / 2].to_vec(),
            Vec::new(),
        ],
        ..sheet((0..5).map(image).collect())
    };
    assert_eq!(set(page.clone()).report.pictures_left_out, 4);
    assert!(read(page).contains("It cannot be shown here."));
}

#[test]
fn what_no_font_has_is_told() {
    let page = sheet(vec![paragraph("fine, and \u{1e030}\u{10ffff}")]);
    assert_eq!(set(page).report.missing_glyphs, ["\u{1e030}", "\u{10ffff}"]);
}

#[test]
fn deep_pages_are_set_and_deeper_ones_refused() {
    let nested = |levels: usize| {
        (1..levels).fold(paragraph("leaf"), |inner, at| match at % 3 {
            0 => Block::Quote {
                text: text("q"),
                look: Look::default(),
                children: vec![inner],
            },
            1 => Block::List {
                items: vec![Item {
                    marker: Marker::Bullet,
                    text: text("i"),
                    look: Look::default(),
                    children: vec![inner],
                }],
            },
            _ => Block::Columns {
                columns: vec![Column {
                    ratio: 1.0,
                    children: vec![
                        inner,
                        Block::Equation {
                            latex: format!("{}x{}", "\\sqrt{".repeat(8), "}".repeat(8)),
                        },
                    ],
                }],
            },
        })
    };
    let report = set(sheet(vec![nested(MAX_NESTING)])).report;
    assert_eq!(report.formulas_as_text, 0);
    let refused = typeset(sheet(vec![nested(MAX_NESTING + 1)]), &Places::default());
    assert!(matches!(refused, Err(Error::TooDeep)));
}

#[test]
fn a_page_goes_through_the_pipe() {
    let page = Sheet {
        images: vec![vec![1, 2, 3], vec![4]],
        ..sheet(vec![paragraph("through")])
    };
    let order = pipe::order(page, &Places::default()).expect("written");
    let mut out = Vec::new();
    pipe::serve(order.as_slice(), &mut out).expect("served");
    let answer = pipe::answer(&out).expect("whole");
    assert!(answer.pdf.starts_with(b"%PDF-") && answer.report.sheets == 1);
    for cut in [0, 3, 10, order.len() - 1] {
        assert!(pipe::serve(&order[..cut], Vec::new()).is_err(), "{cut}");
    }
}
