//! The shades that named colours have on paper and in HTML, readable on white.

/// A colour of text as `#rrggbb`; none for the default, and for what is no colour.
pub fn text(color: &str) -> Option<String> {
    hex(color).or_else(|| {
        Some(
            match color {
                "black" => "#1f2328",
                "white" => "#ffffff",
                "gray" => "#6b7280",
                "brown" => "#8a5a3c",
                "red" => "#c0362c",
                "orange" => "#c2610c",
                "yellow" => "#8f6b00",
                "green" => "#1a7f4b",
                "teal" => "#0f766e",
                "blue" => "#1d5fbf",
                "purple" => "#7342c4",
                "pink" => "#b83280",
                _ => return None,
            }
            .to_owned(),
        )
    })
}

/// A colour behind text as `#rrggbb`.
pub fn behind(color: &str) -> Option<String> {
    hex(color).or_else(|| {
        Some(
            match color {
                "black" | "gray" => "#e5e7eb",
                "white" => "#ffffff",
                "brown" => "#efe4dc",
                "red" => "#fbdcd9",
                "orange" => "#fde3cc",
                "yellow" => "#fdf0b4",
                "green" => "#d6f0df",
                "teal" => "#cdeeea",
                "blue" => "#d8e6fb",
                "purple" => "#e7dcf8",
                "pink" => "#fadcec",
                _ => return None,
            }
            .to_owned(),
        )
    })
}

/// The shade of a highlight that says no colour.
pub const HIGHLIGHT: &str = "#fdf0b4";

fn hex(color: &str) -> Option<String> {
    let digits = color.strip_prefix('#')?;
    (digits.len() == 6 && digits.bytes().all(|c| c.is_ascii_hexdigit())).then(|| color.to_ascii_lowercase())
}
