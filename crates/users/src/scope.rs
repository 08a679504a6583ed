//! What an API key may do: `resource:verb`, as `documents:read` or `*:read`.

use std::{fmt, str::FromStr};

/// What is done with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// GET.
    Read,
    /// POST, PUT and PATCH.
    Write,
    /// DELETE.
    Delete,
}

impl Verb {
    const ALL: [(Self, &'static str); 3] = [(Self::Read, "read"), (Self::Write, "write"), (Self::Delete, "delete")];
}

/// One scope.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    /// A tag of the API, as `documents`; any when none (`*`).
    resource: Option<String>,
    /// Any when none (`*`).
    verb: Option<Verb>,
}

impl Scope {
    /// Whether it covers this. Who may write or delete may not read by that: each is said by itself.
    pub fn covers(&self, resource: &str, verb: Verb) -> bool {
        self.resource.as_deref().is_none_or(|own| own == resource) && self.verb.is_none_or(|own| own == verb)
    }

    /// The resource it names; none for all.
    pub fn resource(&self) -> Option<&str> {
        self.resource.as_deref()
    }
}

impl FromStr for Scope {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (resource, verb) = text.split_once(':').ok_or(())?;
        let is_name = !resource.is_empty() && resource.len() <= 32 && resource.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let resource = match resource {
            "*" => None,
            name if is_name => Some(name.to_owned()),
            _ => return Err(()),
        };
        let verb = match verb {
            "*" => None,
            name => Some(Verb::ALL.into_iter().find(|(_, known)| *known == name).ok_or(())?.0),
        };
        Ok(Self { resource, verb })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = self.verb.and_then(|own| Verb::ALL.into_iter().find(|(verb, _)| *verb == own));
        write!(
            f,
            "{}:{}",
            self.resource.as_deref().unwrap_or("*"),
            verb.map_or("*", |(_, name)| name)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_covers_its_resource_and_verb_alone() {
        let scope = |text: &str| text.parse::<Scope>().expect("a scope");
        for (text, resource, verb, covers) in [
            ("documents:read", "documents", Verb::Read, true),
            ("documents:read", "documents", Verb::Write, false),
            ("documents:read", "blocks", Verb::Read, false),
            ("documents:write", "documents", Verb::Read, false),
            ("documents:*", "documents", Verb::Delete, true),
            ("*:read", "blocks", Verb::Read, true),
            ("*:read", "blocks", Verb::Delete, false),
            ("*:*", "workspaces", Verb::Write, true),
        ] {
            assert_eq!(scope(text).covers(resource, verb), covers, "{text} {resource} {verb:?}");
            assert_eq!(scope(text).to_string(), text);
        }
        for text in [
            "",
            "documents",
            "documents:",
            ":read",
            "documents:own",
            "Documents:read",
            "a b:read",
            "documents:read:write",
        ] {
            assert!(text.parse::<Scope>().is_err(), "{text}");
        }
    }
}
