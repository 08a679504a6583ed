//! What somebody sees of a workspace as a whole, as a condition for a query: for lists in which what they may not see must
//! not count, take up room, or be waited for.
//!
//! Few pages say anything about access. Between two that do, everything is as the upper one is. So the levels of those few
//! are asked as the door asks them, and the condition names the smaller side: what hangs under pages that cannot be seen
//! where most can, and what hangs under pages that can be seen where most cannot. The tree itself is walked by the query, on
//! the rows as they are at that moment.

use super::{Access, ReadWorkspace, level::levels, rule, standing::standings};
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

    /// Which side of the tree `sighted`, the table that [`Sight::tables`] gives, lists.
    pub fn side(&self) -> Side {
        match &self.sees {
            Sees::All => Side::Everything,
            Sees::AllBut(_) => Side::Hidden,
            Sees::Only(_) => Side::Seen,
        }
    }

    /// Tables for the `WITH RECURSIVE` of a query, ending in a comma, and empty where [`Side::Everything`] is seen: the last
    /// is `sighted(id)`, the pages of the side that is listed. Appends the values they ask for.
    pub fn tables(&self, backend: DbBackend, values: &mut Vec<Value>) -> String {
        let bounds = match &self.sees {
            Sees::All => return String::new(),
            Sees::AllBut(bounds) | Sees::Only(bounds) => bounds,
        };
        let (roots, granted) = (list(backend, &bounds.roots, values), list(backend, &bounds.granted, values));
        // A page in the trash is passed through: what was restored from under it hangs there no more.
        format!(
            "sight_roots(id) AS ({roots}), sight_granted(id) AS ({granted}),
             sighted(id) AS (
                SELECT id FROM sight_roots
                UNION
                SELECT d.id FROM sighted JOIN documents d ON d.parent_id = sighted.id
                WHERE d.default_level IS NULL AND NOT d.restricted AND d.id NOT IN (SELECT id FROM sight_granted)
             ), "
        )
    }
}

/// What the table of a [`Sight`] lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// There is no such table: every page is seen.
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
