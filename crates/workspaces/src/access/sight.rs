//! What somebody sees of a workspace as a whole, as a condition for a query: for lists in which what they may not see must
//! not count, take up room, or be waited for.
//!
//! Few pages say anything about access. Between two that do, everything is as the upper one is. So the levels of those few
//! are asked as the door asks them, and the condition names the smaller side: pages below which nothing can be seen where most
//! can, and pages below which all can where most cannot. The tree itself is walked by the query, on the rows as they are at that
//! moment: from each page upwards where most is seen, and downwards, once, where little is.

use super::{Access, ReadWorkspace, chain::MAX_DEPTH, level::levels, rule, standing::standings};
use kernel::{id::*, role::Level, role::Role};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement, Value};
use std::collections::BTreeSet;

/// The pages of a workspace that somebody sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    workspace: WorkspaceId,
    sees: Sees,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Sees {
    /// Every page.
    All,
    /// Every page, but not what hangs under some.
    AllBut(Bounds),
    /// What hangs under some pages.
    Only(Bounds),
}

/// Where the listed side begins and ends.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bounds {
    /// Pages that are listed with what hangs under them.
    roots: BTreeSet<DocumentId>,
    /// Pages that were granted: they stand for themselves, whatever is above.
    granted: BTreeSet<DocumentId>,
}

#[derive(FromQueryResult)]
struct Turn {
    id: DocumentId,
    granted: bool,
}

/// The pages that say something to this person, themselves or by what was granted on them.
const TURNS: &str = "
    SELECT d.id, FALSE AS granted FROM documents d WHERE d.workspace_id = $1 AND (d.default_level IS NOT NULL OR d.restricted)
    UNION ALL
    SELECT g.document_id, TRUE FROM grants g WHERE g.workspace_id = $1 AND g.user_id = $2 AND g.document_id IS NOT NULL
    UNION ALL
    SELECT g.document_id, TRUE FROM group_members m JOIN grants g ON g.group_id = m.group_id
    WHERE m.workspace_id = $1 AND m.user_id = $2 AND g.document_id IS NOT NULL";

impl Sight {
    /// Finds out what the caller sees.
    ///
    /// # Errors
    /// Only the database's.
    pub async fn of(db: &impl ConnectionTrait, access: &Access<ReadWorkspace>) -> Result<Self, DbErr> {
        let (who, workspace) = (access.who(), access.workspace());
        let nothing = Bounds {
            roots: BTreeSet::new(),
            granted: BTreeSet::new(),
        };
        let known = standings(db, who, &[workspace]).await?.remove(&workspace);
        let sees = match known {
            None => Sees::Only(nothing),
            Some(_) if who.most() < Level::View => Sees::Only(nothing),
            Some((standing, _)) if standing.role >= Role::Admin => Sees::All,
            Some((standing, _)) => {
                let values = [Value::from(workspace), Value::from(who.user())];
                let statement = Statement::from_sql_and_values(db.get_database_backend(), TURNS, values);
                let turns = Turn::find_by_statement(statement).all(db).await?;
                let pages: BTreeSet<DocumentId> = turns.iter().map(|turn| turn.id).collect();
                let pages: Vec<DocumentId> = pages.into_iter().collect();
                let levels = levels(db, who, &pages).await?;
                let seen = |id: &DocumentId| levels.get(id).is_some_and(|level| *level >= Level::View);
                let (shown, hidden): (BTreeSet<_>, BTreeSet<_>) = pages.into_iter().partition(seen);
                let granted = turns.iter().filter(|turn| turn.granted).map(|turn| turn.id).collect();
                if rule::level_of(&standing, &[]) < Level::View {
                    Sees::Only(Bounds { roots: shown, granted })
                } else if hidden.is_empty() {
                    Sees::All
                } else {
                    Sees::AllBut(Bounds { roots: hidden, granted })
                }
            }
        };
        Ok(Self { workspace, sees })
    }

    /// The tenant.
    pub fn workspace(&self) -> WorkspaceId {
        self.workspace
    }

    /// Whether there is nothing to be seen, so that no query is needed.
    pub fn is_blind(&self) -> bool {
        matches!(&self.sees, Sees::Only(bounds) if bounds.roots.is_empty())
    }

    /// Which side of the tree is the smaller one, and so the one that conditions are made of.
    pub fn side(&self) -> Side {
        match &self.sees {
            Sees::All => Side::Everything,
            Sees::AllBut(_) => Side::Hidden,
            Sees::Only(_) => Side::Seen,
        }
    }

    /// Tables for the `WITH RECURSIVE` of a query, ending in a comma, and empty where [`Side::Everything`] is seen: what
    /// [`Sight::sees`] asks for. Where little is seen, the last is `sighted(id)`, the pages that are. Appends the values they
    /// ask for.
    pub fn tables(&self, backend: DbBackend, values: &mut Vec<Value>) -> String {
        let bounds = match &self.sees {
            Sees::All => return String::new(),
            Sees::AllBut(bounds) | Sees::Only(bounds) => bounds,
        };
        let (roots, granted) = (list(backend, &bounds.roots, values), list(backend, &bounds.granted, values));
        let tables = format!("sight_roots(id) AS ({roots}), sight_granted(id) AS ({granted}), ");
        if self.side() == Side::Hidden {
            return tables;
        }
        let says_nothing = "d.default_level IS NULL AND NOT d.restricted AND d.id NOT IN (SELECT id FROM sight_granted)";
        // Left to themselves, both read all pages of all tenants: SQLite for a filter that shall spare it looking for
        // children, PostgreSQL to put them into a table of its own.
        let below = match backend {
            DbBackend::Sqlite => format!(
                "JOIN documents d ON d.parent_id = sighted.id
                 WHERE likelihood(sighted.id IS NOT NULL, 0.00001) AND {says_nothing}"
            ),
            _ => format!("CROSS JOIN LATERAL (SELECT d.id FROM documents d WHERE d.parent_id = sighted.id AND {says_nothing} OFFSET 0) d"),
        };
        // A page in the trash is passed through: what was restored from under it hangs there no more.
        format!("{tables} sighted(id) AS (SELECT id FROM sight_roots UNION SELECT d.id FROM sighted {below}), ")
    }

    /// The condition that a page is seen; `page` is what the query calls its row of `documents`.
    ///
    /// Where most is seen it looks up from the page to the first one that says something: a few rows for each page that is
    /// asked about, whatever the size of what is hidden.
    pub fn sees(&self, page: &str) -> String {
        let says =
            |row: &str| format!("({row}.default_level IS NOT NULL OR {row}.restricted OR {row}.id IN (SELECT id FROM sight_granted))");
        match self.side() {
            Side::Everything => "TRUE".to_owned(),
            Side::Seen => format!("{page}.id IN (SELECT id FROM sighted)"),
            Side::Hidden => format!(
                "NOT EXISTS (
                    WITH RECURSIVE sight_up(id, parent_id, says, depth) AS (
                        SELECT {page}.id, {page}.parent_id, {}, 0
                        UNION ALL
                        SELECT p.id, p.parent_id, {}, sight_up.depth + 1
                        FROM sight_up JOIN documents p ON p.id = sight_up.parent_id
                        WHERE NOT sight_up.says AND sight_up.depth < {MAX_DEPTH}
                    )
                    SELECT 1 FROM sight_up WHERE says AND id IN (SELECT id FROM sight_roots) OR depth = {MAX_DEPTH})",
                says(page),
                says("p")
            ),
        }
    }
}

/// Which side of the tree a [`Sight`] knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Every page is seen.
    Everything,
    /// What is not seen; everything else is.
    Hidden,
    /// What is seen; nothing else is.
    Seen,
}

/// A query that gives ids, as one value however many they are.
fn list(backend: DbBackend, ids: &BTreeSet<DocumentId>, values: &mut Vec<Value>) -> String {
    match backend {
        DbBackend::Sqlite => {
            let hex: Vec<String> = ids.iter().map(|id| format!("\"{}\"", id.0.simple())).collect();
            values.push(format!("[{}]", hex.join(",")).into());
            format!("SELECT unhex(value) FROM json_each(${})", values.len())
        }
        _ => {
            let text: Vec<String> = ids.iter().map(|id| id.to_string()).collect();
            values.push(format!("{{{}}}", text.join(",")).into());
            format!("SELECT unnest(${}::text::uuid[])", values.len())
        }
    }
}
