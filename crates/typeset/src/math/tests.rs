//! Formulas become trees, and what is none becomes text.

use super::*;

fn json(latex: &str) -> String {
    serde_json::to_string(&read(latex).expect("reads")).expect("written")
}

#[test]
fn formulas_become_trees_of_data() {
    assert_eq!(json("x"), r#"{"k":"sym","c":"x","class":null}"#);
    assert_eq!(
        json(r"\frac{1}{2}"),
        r#"{"k":"frac","a":{"k":"text","t":"1"},"b":{"k":"text","t":"2"}}"#
    );
    assert_eq!(
        json(r"\hat{x}"),
        r#"{"k":"accent","base":{"k":"sym","c":"x","class":null},"c":"^"}"#
    );
    for latex in [
        r"\int_0^\infty e^{-x^2}\,dx = \frac{\sqrt{\pi}}{2}",
        r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}",
        r"\begin{cases} x & x > 0 \\ -x & \text{otherwise} \end{cases}",
        r"\begin{aligned} a &= b + c \\ &= d \end{aligned}",
        r"\sum_{i=1}^n \alpha_i \le \overline{z} \underbrace{a+b}_{n}",
        r"\left( \frac{a}{b} \right] \bigl| \mathbb{R} \mathbf{v} \mathcal{L} \mathrm{d} \color{red} x",
        r"\sqrt[3]{x} \not= \lim_{x \to 0} \sin x \pmod{n} \binom{n}{k}",
        r"\begin{array}{c|c} a & b \\ \hline c & d \end{array}",
        r"\text{a # b} \% \$ \#",
    ] {
        assert!(read(latex).is_some(), "{latex}");
    }
}

#[test]
fn what_is_no_formula_or_too_much_of_one_is_text() {
    let deep = format!("{}x{}", "\\sqrt{".repeat(100), "}".repeat(100));
    let long = "x".repeat(MAX_BYTES + 1);
    let endless = r"\def\a{\a\a}\a".to_owned();
    for latex in [
        "",
        "  ",
        r"\notacommand",
        r"\frac{1}",
        "{",
        "}",
        "a_b_c",
        deep.as_str(),
        long.as_str(),
        endless.as_str(),
    ] {
        assert_eq!(read(latex), None, "{latex:.40}");
    }
}
