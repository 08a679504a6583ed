//! Events of the reader as a tree.

use super::{MAX_DEPTH, Node};
use pulldown_latex::event::{
    ArrayColumn, ColorTarget, ColumnAlignment, Content, DelimiterSize, DelimiterType, Dimension, DimensionUnit, EnvironmentFlow, Event,
    Font, Grouping, ScriptPosition, ScriptType, StateChange, Style, Visual,
};

/// The whole formula; none when its events are not what they promise, or too deep.
pub(super) fn tree(events: &[Event<'_>]) -> Option<Node> {
    let mut builder = Builder { events, at: 0 };
    let lines = builder.grid(0)?;
    (builder.at == events.len()).then(|| lined(lines.rows))
}

struct Builder<'e, 'i> {
    events: &'e [Event<'i>],
    at: usize,
}

/// Rows of cells, and the rows above which a line is drawn.
struct Grid {
    rows: Vec<Vec<Node>>,
    hlines: Vec<usize>,
}

fn boxed(node: Node) -> Box<Node> {
    Box::new(node)
}

fn row(mut of: Vec<Node>) -> Node {
    match of.len() {
        1 => of.remove(0),
        _ => Node::Row { of },
    }
}

fn lined(mut rows: Vec<Vec<Node>>) -> Node {
    match rows.as_mut_slice() {
        [cells] if cells.len() == 1 => cells.remove(0),
        _ => Node::Lines { rows },
    }
}

impl<'e, 'i> Builder<'e, 'i> {
    fn peek(&self) -> Option<&'e Event<'i>> {
        self.events.get(self.at)
    }

    fn next(&mut self) -> Option<&'e Event<'i>> {
        let event = self.events.get(self.at)?;
        self.at += 1;
        Some(event)
    }

    /// Everything up to the end of the group, as rows of cells.
    fn grid(&mut self, depth: usize) -> Option<Grid> {
        let (mut rows, mut hlines) = (vec![vec![self.cell(depth)?]], Vec::new());
        while let Some(Event::EnvironmentFlow(flow)) = self.peek() {
            self.at += 1;
            match flow {
                EnvironmentFlow::Alignment => {
                    let cell = self.cell(depth)?;
                    rows.last_mut()?.push(cell);
                }
                EnvironmentFlow::NewLine { horizontal_lines, .. } => {
                    if !horizontal_lines.is_empty() {
                        hlines.push(rows.len());
                    }
                    rows.push(vec![self.cell(depth)?]);
                }
                EnvironmentFlow::StartLines { .. } => {
                    hlines.push(0);
                    let cell = self.cell(depth)?;
                    *rows.last_mut()? = vec![cell];
                }
            }
        }
        // A line break at the end begins no row.
        if rows.len() > 1 && rows.last().is_some_and(|last| *last == [Node::Row { of: Vec::new() }]) {
            rows.pop();
        }
        Some(Grid { rows, hlines })
    }

    /// Elements up to the end of the cell or group. A change of state holds for what follows in it.
    fn cell(&mut self, depth: usize) -> Option<Node> {
        if depth > MAX_DEPTH {
            return None;
        }
        let mut of = Vec::new();
        while let Some(event) = self.peek() {
            match event {
                Event::End | Event::EnvironmentFlow(_) => break,
                Event::StateChange(change) => {
                    self.at += 1;
                    let rest = self.cell(depth + 1)?;
                    of.push(changed(*change, rest));
                }
                _ => of.push(self.element(depth)?),
            }
        }
        Some(row(of))
    }

    fn element(&mut self, depth: usize) -> Option<Node> {
        if depth > MAX_DEPTH {
            return None;
        }
        Some(match self.next()? {
            Event::Content(content) => leaf(*content),
            Event::Begin(grouping) => {
                let grid = self.grid(depth + 1)?;
                (self.next()? == &Event::End).then_some(())?;
                group(grouping, grid)
            }
            Event::Visual(visual) => self.visual(*visual, depth + 1)?,
            Event::Script { ty, position } => self.script(*ty, *position, depth + 1)?,
            Event::Space { width, .. } => Node::Space {
                em: width.map_or(0.0, em_of).clamp(-10.0, 40.0),
            },
            // Alone as an argument it changes nothing.
            Event::StateChange(_) => Node::Row { of: Vec::new() },
            Event::End | Event::EnvironmentFlow(_) => return None,
        })
    }

    fn visual(&mut self, visual: Visual, depth: usize) -> Option<Node> {
        let first = boxed(self.element(depth)?);
        Some(match visual {
            Visual::SquareRoot => Node::Sqrt { of: first },
            Visual::Negation => Node::Neg { of: first },
            Visual::Root => Node::Root {
                of: first,
                index: boxed(self.element(depth)?),
            },
            Visual::Fraction(line) => {
                let (a, b) = (first, boxed(self.element(depth)?));
                match line {
                    Some(line) if line.value == 0.0 => Node::Stack { a, b },
                    _ => Node::Frac { a, b },
                }
            }
        })
    }

    fn script(&mut self, ty: ScriptType, position: ScriptPosition, depth: usize) -> Option<Node> {
        let base = self.element(depth)?;
        let limits = position != ScriptPosition::Right;
        let (bottom, top) = match ty {
            ScriptType::Subscript => (Some(self.element(depth)?), None),
            ScriptType::Superscript => (None, Some(self.element(depth)?)),
            ScriptType::SubSuperscript => (Some(self.element(depth)?), Some(self.element(depth)?)),
        };
        Some(match (limits, &top, &bottom) {
            (true, Some(mark), None) => over(base, mark),
            (true, None, Some(mark)) => under(base, mark),
            _ => attach(base, top, bottom, limits),
        })
    }
}

fn attach(base: Node, top: Option<Node>, bottom: Option<Node>, limits: bool) -> Node {
    Node::Attach {
        base: boxed(base),
        top: top.map(boxed),
        bottom: bottom.map(boxed),
        limits,
    }
}

fn mark_of(node: &Node) -> Option<char> {
    match node {
        Node::Sym { c, .. } => c.chars().next(),
        _ => None,
    }
}

fn over(base: Node, mark: &Node) -> Node {
    let which = match mark_of(mark) {
        Some('⏞') => "overbrace",
        Some('⎴') => "overbracket",
        Some('⏜') => "overparen",
        Some('⏠') => "overshell",
        Some('‾' | '¯') => "overline",
        Some(c @ ('^' | '~' | '´' | '`' | 'ˇ' | '˘' | '˙' | '¨' | '˚' | '→' | '←' | '↔' | '⇀' | '↼')) => {
            return Node::Accent { base: boxed(base), c };
        }
        _ => return attach(base, Some(mark.clone()), None, true),
    };
    Node::Brace { base: boxed(base), which }
}

fn under(base: Node, mark: &Node) -> Node {
    let which = match mark_of(mark) {
        Some('⏟') => "underbrace",
        Some('⎵') => "underbracket",
        Some('⏝') => "underparen",
        Some('⏡') => "undershell",
        Some('_' | '‾' | '¯') => "underline",
        _ => return attach(base, None, Some(mark.clone()), true),
    };
    Node::Brace { base: boxed(base), which }
}

fn sym(c: impl Into<String>, class: Option<&'static str>) -> Node {
    Node::Sym { c: c.into(), class }
}

fn leaf(content: Content<'_>) -> Node {
    match content {
        Content::Text(text) | Content::Number(text) => Node::Text { t: text.to_owned() },
        Content::Function(name) => Node::Op { t: name.to_owned() },
        Content::Ordinary { content, .. } => sym(content, None),
        Content::LargeOp { content, .. } => sym(content, Some("large")),
        Content::BinaryOp { content, .. } => sym(content, Some("binary")),
        Content::Punctuation(content) => sym(content, Some("punctuation")),
        Content::Relation { content, .. } => {
            let mut buffer = [0_u8; 8];
            let text = String::from_utf8_lossy(content.encode_utf8_to_buf(&mut buffer)).into_owned();
            sym(text, Some("relation"))
        }
        Content::Delimiter { content, size, ty } => {
            let class = match ty {
                DelimiterType::Open => "opening",
                DelimiterType::Close => "closing",
                DelimiterType::Fence => "fence",
            };
            match size {
                Some(size) => Node::Big {
                    c: content,
                    em: size_of(size),
                    class,
                },
                None => sym(content, Some(class)),
            }
        }
    }
}

fn size_of(size: DelimiterSize) -> f32 {
    match size {
        DelimiterSize::Big => 1.2,
        DelimiterSize::BIG => 1.8,
        DelimiterSize::Bigg => 2.4,
        DelimiterSize::BIGG => 3.0,
    }
}

fn group(grouping: &Grouping, grid: Grid) -> Node {
    let Grid { rows, hlines } = grid;
    match grouping {
        Grouping::LeftRight(open, close) => Node::Fenced {
            open: *open,
            close: *close,
            of: boxed(lined(rows)),
        },
        Grouping::Matrix { alignment } | Grouping::SubArray { alignment } => matrix(rows, align_of(*alignment), Vec::new(), hlines),
        Grouping::Array(columns) => {
            let (mut seen, mut vlines, mut align) = (0, Vec::new(), None);
            for column in columns {
                match column {
                    ArrayColumn::Column(of) => {
                        seen += 1;
                        align = align.or(Some(*of));
                    }
                    ArrayColumn::Separator(_) => vlines.push(seen),
                }
            }
            matrix(rows, align_of(align.unwrap_or(ColumnAlignment::Center)), vlines, hlines)
        }
        Grouping::Cases { left } => Node::Cases { rows, left: *left },
        Grouping::Normal
        | Grouping::Equation { .. }
        | Grouping::Align { .. }
        | Grouping::Aligned
        | Grouping::Alignat { .. }
        | Grouping::Alignedat { .. }
        | Grouping::Gather { .. }
        | Grouping::Gathered
        | Grouping::Multline
        | Grouping::Split => lined(rows),
    }
}

/// Lines at the edges of a matrix are not drawn: the engine has them between cells only.
fn matrix(rows: Vec<Vec<Node>>, align: &'static str, vlines: Vec<usize>, hlines: Vec<usize>) -> Node {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let (count, inside) = (rows.len(), |at: &usize, most: usize| *at > 0 && *at < most);
    Node::Mat {
        vlines: vlines.into_iter().filter(|at| inside(at, columns)).collect(),
        hlines: hlines.into_iter().filter(|at| inside(at, count)).collect(),
        rows,
        align,
    }
}

fn align_of(alignment: ColumnAlignment) -> &'static str {
    match alignment {
        ColumnAlignment::Left => "left",
        ColumnAlignment::Center => "center",
        ColumnAlignment::Right => "right",
    }
}

fn changed(change: StateChange, rest: Node) -> Node {
    let of = boxed(rest);
    match change {
        StateChange::Font(font) => fonts(font).iter().fold(*of, |of, font| Node::Font { font, of: boxed(of) }),
        StateChange::Style(style) => Node::Size {
            size: match style {
                Style::Display => "display",
                Style::Text => "inline",
                Style::Script => "script",
                Style::ScriptScript => "sscript",
            },
            of,
        },
        StateChange::Color(color) if color.target == ColorTarget::Text => Node::Color {
            color: format!("#{:02x}{:02x}{:02x}", color.color.0, color.color.1, color.color.2),
            of,
        },
        StateChange::Color(_) => *of,
    }
}

/// The template's functions that make a font, the inner first.
fn fonts(font: Option<Font>) -> &'static [&'static str] {
    match font {
        None => &[],
        Some(Font::UpRight) => &["upright"],
        Some(Font::Italic) => &["italic"],
        Some(Font::Bold) => &["upright", "bold"],
        Some(Font::BoldItalic) => &["italic", "bold"],
        Some(Font::BoldSymbol) => &["bold"],
        Some(Font::Fraktur) => &["frak"],
        Some(Font::BoldFraktur) => &["frak", "bold"],
        Some(Font::Script) => &["cal"],
        Some(Font::BoldScript) => &["cal", "bold"],
        Some(Font::Monospace) => &["mono"],
        Some(Font::SansSerif) => &["sans", "upright"],
        Some(Font::SansSerifItalic) => &["sans", "italic"],
        Some(Font::BoldSansSerif) => &["sans", "upright", "bold"],
        Some(Font::SansSerifBoldItalic) => &["sans", "italic", "bold"],
        Some(Font::DoubleStruck | Font::DoubleStruckItalic) => &["bb"],
    }
}

/// A length in em, as TeX counts them: 10 points.
fn em_of(length: Dimension) -> f32 {
    length.value
        * match length.unit {
            DimensionUnit::Em => 1.0,
            DimensionUnit::Mu => 1.0 / 18.0,
            DimensionUnit::Ex => 0.45,
            DimensionUnit::Pt | DimensionUnit::Bp => 0.1,
            DimensionUnit::Pc | DimensionUnit::Cc => 1.2,
            DimensionUnit::In => 7.2,
            DimensionUnit::Cm => 2.83,
            DimensionUnit::Mm => 0.283,
            DimensionUnit::Dd => 0.107,
            DimensionUnit::Sp => 0.0,
        }
}
