//! The whole policy as a table that is committed, so that a change of it is seen in review.

use crate::access::{
    DEFAULT, IN_WORKSPACES, ON_DOCUMENTS,
    rule::{Said, Standing, level_of},
};
use kernel::{
    id::DocumentId,
    role::{Level, Role},
};
use std::fmt::Write;

const ROLES: [Role; 4] = [Role::Guest, Role::Member, Role::Admin, Role::Owner];
const LEVELS: [Option<Level>; 6] = [
    None,
    Some(Level::None),
    Some(Level::View),
    Some(Level::Comment),
    Some(Level::Edit),
    Some(Level::Manage),
];

fn row(first: &str, cells: impl Iterator<Item = &'static str>) -> String {
    let cells: String = cells.fold(String::new(), |mut line, cell| {
        line.push_str(&format!("{cell:<9}"));
        line
    });
    format!("{first:<20}{cells}").trim_end().to_owned() + "\n"
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "-" }
}

/// The level of a role on a page that says this, in a workspace that says nothing, with a grant of `granted` on it.
fn level(role: Role, default: Option<Level>, is_restricted: bool, granted: Level) -> &'static str {
    let standing = Standing {
        role,
        default: DEFAULT,
        granted: Level::None,
        is_archived: false,
    };
    let said = Said {
        id: DocumentId::new(),
        default,
        is_restricted,
        granted,
    };
    level_of(&standing, &[said]).name()
}

fn table() -> Result<String, std::fmt::Error> {
    let mut out = String::from("What a role may do in a workspace\n\n");
    out += &row("", ROLES.iter().map(|role| role.name()));
    for (name, least) in IN_WORKSPACES {
        out += &row(name, ROLES.iter().map(|role| yes(role >= least)));
    }
    out += "\nWhat a level on a page allows\n\n";
    out += &row("", LEVELS.iter().flatten().map(|level| level.name()));
    for (name, least) in ON_DOCUMENTS {
        out += &row(name, LEVELS.iter().flatten().map(|level| yes(level >= least)));
    }
    out += "\nThe level of a role on a page, by the default level nearest above it\n\n";
    out += &row("", ROLES.iter().map(|role| role.name()));
    for default in LEVELS {
        out += &row(
            default.map_or("nothing said", Level::name),
            ROLES.iter().map(|role| level(*role, default, false, Level::None)),
        );
    }
    for default in LEVELS {
        out += &row(
            &format!("{}, restricted", default.map_or("nothing", Level::name)),
            ROLES.iter().map(|role| level(*role, default, true, Level::None)),
        );
    }
    out += "\nThe level of a role on a page that is restricted, by what was granted on it\n\n";
    out += &row("", ROLES.iter().map(|role| role.name()));
    for granted in LEVELS.into_iter().flatten() {
        out += &row(granted.name(), ROLES.iter().map(|role| level(*role, None, true, granted)));
    }
    out += "\nThe roles that a role may give, change or take\n\n";
    for role in ROLES {
        let others: Vec<&str> = ROLES.into_iter().filter(|other| role.may_assign(*other)).map(Role::name).collect();
        writeln!(
            out,
            "{:<20}{}",
            role.name(),
            if others.is_empty() { "-".to_owned() } else { others.join(", ") }
        )?;
    }
    Ok(out)
}

#[test]
fn the_policy_is_what_policy_txt_says() {
    let table = table().expect("a string takes all");
    assert!(
        table == include_str!("../policy.txt"),
        "if this change is meant, crates/workspaces/src/policy.txt becomes:\n\n{table}"
    );
}
