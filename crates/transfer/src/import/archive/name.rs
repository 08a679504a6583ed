//! Names in archives. None of them ever names a file on this machine's disk; they are cleaned all the same, because they
//! are compared, shown, and may be written into an archive again.

/// The longest name, in bytes, and the most folders in one another.
const MAX_BYTES: usize = 1_024;
const MAX_FOLDERS: usize = 64;

/// A name as folders and a file with `/` between them, or why it is refused.
pub fn clean(name: &str) -> Result<String, &'static str> {
    if name.len() > MAX_BYTES {
        return Err("the name is too long");
    }
    if name.chars().any(char::is_control) {
        return Err("the name has control characters");
    }
    if name.contains('\\') {
        return Err("the name has a backslash");
    }
    if name.starts_with('/') {
        return Err("the name is an absolute path");
    }
    let is_drive = |part: &str| part.len() == 2 && part.ends_with(':') && part.starts_with(|c: char| c.is_ascii_alphabetic());
    let has_drive = name.get(..2).is_some_and(is_drive);
    if has_drive {
        return Err("the name begins with a drive");
    }
    let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") {
        return Err("the name leads out of its folder");
    }
    if parts.len() > MAX_FOLDERS {
        return Err("the name has too many folders");
    }
    if parts.is_empty() {
        return Err("there is no name");
    }
    Ok(parts.join("/"))
}

/// What systems and editors leave behind.
pub fn is_of_the_system(path: &str) -> bool {
    path.split('/')
        .any(|part| part.starts_with('.') || matches!(part, "__MACOSX" | "Thumbs.db" | "desktop.ini" | "@eaDir"))
}

/// The folder of a path; empty at the top.
pub fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The last part of a path.
pub fn file(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, file)| file)
}

/// A file's name without its ending, and the ending in lower case.
pub fn split(path: &str) -> (&str, String) {
    let file = file(path);
    match file.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && ending.len() <= 8 && ending.bytes().all(|c| c.is_ascii_alphanumeric()) => {
            (stem, ending.to_ascii_lowercase())
        }
        _ => (file, String::new()),
    }
}

/// Where a relative path leads from a folder; nothing when it leads out of the archive.
pub fn join(folder: &str, path: &str) -> Option<String> {
    let (from, path) = match path.strip_prefix('/') {
        Some(path) => ("", path),
        None => (folder, path),
    };
    let mut parts: Vec<&str> = from.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
        if parts.len() > MAX_FOLDERS {
            return None;
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in [
            "../x.md",
            "a/../../x.md",
            "a/..",
            "/etc/passwd",
            "C:/x.md",
            "c:x.md",
            "a\\b.md",
            "..\\x",
            "a\0.md",
            "a\n.md",
            "",
            "/",
            "./",
            "..",
        ] {
            assert!(clean(name).is_err(), "{name:?}");
        }
        assert!(clean(&"a/".repeat(100)).is_err());
        assert!(clean(&"a".repeat(2_000)).is_err());
        assert_eq!(clean("./a//b c…/d.md").as_deref(), Ok("a/b c…/d.md"));
    }

    #[test]
    fn a_relative_path_stays_inside() {
        assert_eq!(join("a/b", "../c.md").as_deref(), Some("a/c.md"));
        assert_eq!(join("a", "./c/d.md").as_deref(), Some("a/c/d.md"));
        assert_eq!(join("a", "/d.md").as_deref(), Some("d.md"));
        assert_eq!(join("a", "../../d.md"), None);
    }

    proptest! {
        #[test]
        fn a_clean_name_has_no_way_out(name in "[a-z./\\\\:\0 é]{0,40}") {
            if let Ok(clean) = clean(&name) {
                let is_plain = !clean.starts_with('/') && clean.split('/').all(|part| !part.is_empty() && part != ".." && part != ".");
                prop_assert!(is_plain, "{clean}");
            }
        }
    }
}
