//! What answers a question in one workspace, newest first and only so many: ranking costs the same whatever the size of the
//! workspace and however common the words. A page with the words in its title comes in even when it is old.

use crate::{
    ask::Ask,
    engine::{self, Where},
    find::Wanted,
    index::first_of,
    rank::Scale,
    words::cut,
};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement, Value};
use uuid::Uuid;
use workspaces::access::{Side, Sight};

/// The newest that are ranked.
const NEWEST: usize = 500;
/// The newest with the words in their title that are ranked besides, when there are more than the newest.
const TITLED: usize = 100;

/// Something that answers, and how well.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    /// Its entry.
    pub id: i64,
    /// What it is about. The entry may be replaced by another at any moment, this stays.
    pub subject_id: Uuid,
    /// How well it answers; more is better.
    pub relevance: f64,
}

/// The same before it is weighed.
#[derive(FromQueryResult)]
struct Row {
    id: i64,
    subject_id: Uuid,
    title: String,
    /// None of what was put in before leads were kept.
    lead: Option<String>,
}

/// A lead without text.
fn title_alone(title: &str) -> String {
    let words: Vec<String> = cut(title).into_iter().map(|word| word.text).collect();
    words.join(" ") + "\n"
}

/// What answers in a workspace, of what is seen there.
///
/// # Errors
/// Only the database's.
pub(crate) async fn of(db: &impl ConnectionTrait, sight: &Sight, ask: &Ask, wanted: &Wanted) -> Result<Vec<Candidate>, DbErr> {
    let backend = db.get_database_backend();
    let mut query = Query {
        backend,
        values: Vec::new(),
    };
    let sql = query.whole(sight, ask, wanted);
    let statement = Statement::from_sql_and_values(backend, sql, query.values);
    let scale = Scale::of(ask);
    let weighed = |row: Row| Candidate {
        id: row.id,
        subject_id: row.subject_id,
        relevance: scale.weigh(&row.lead.unwrap_or_else(|| title_alone(&row.title))),
    };
    Ok(Row::find_by_statement(statement).all(db).await?.into_iter().map(weighed).collect())
}

/// A query in the making.
struct Query {
    backend: DbBackend,
    values: Vec<Value>,
}

impl Query {
    /// Keeps a value, and gives the place for it.
    fn value(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// What is seen, and what lies inside of a page, as tables of entries.
    fn tables(&mut self, sight: &Sight, wanted: &Wanted) -> String {
        let mut tables = sight.tables(self.backend, &mut self.values);
        if sight.side() == Side::Seen {
            // PostgreSQL would read the entries of all tenants to join them.
            let entries = match self.backend {
                DbBackend::Sqlite => "JOIN search_entries e ON e.document_id = sighted.id",
                _ => "CROSS JOIN LATERAL (SELECT e.id FROM search_entries e WHERE e.document_id = sighted.id OFFSET 0) e",
            };
            tables += &format!("sighted_entries(id) AS MATERIALIZED (SELECT e.id FROM sighted {entries}), ");
        }
        if let Some(page) = wanted.inside {
            let page = self.value(page);
            tables += &format!(
                "inside(id) AS (
                    SELECT id FROM documents WHERE id = {page}
                    UNION SELECT d.id FROM inside JOIN documents d ON d.parent_id = inside.id), "
            );
        }
        tables
    }

    /// What has to be so of a word's row `id`, its entry `e` and its page `d`.
    fn conditions(&mut self, sight: &Sight, wanted: &Wanted, id: &str) -> String {
        let workspace = self.value(sight.workspace());
        let mut all = vec![format!("d.workspace_id = {workspace}"), "d.deleted_at IS NULL".to_owned()];
        let archived = if wanted.archived { "IS NOT NULL" } else { "IS NULL" };
        all.push(format!("d.archived_at {archived}"));
        match (sight.side(), self.backend) {
            (Side::Everything, _) => {}
            (Side::Hidden, _) => all.push(sight.sees("d")),
            // The plus keeps SQLite from asking the index for every seen entry one by one.
            (Side::Seen, DbBackend::Sqlite) => all.push(format!("+{id} IN (SELECT id FROM sighted_entries)")),
            // They are joined.
            (Side::Seen, _) => {}
        }
        if wanted.inside.is_some() {
            all.push("e.document_id IN (SELECT id FROM inside)".to_owned());
        }
        if let Some(kind) = wanted.kind {
            let kind = self.value(kind.name());
            all.push(format!("e.kind = {kind}"));
        }
        if let Some(author) = wanted.author {
            let author = self.value(author);
            all.push(format!("e.author_id = {author}"));
        }
        if let Some(after) = wanted.updated_after {
            let (first, after) = (self.value(first_of(after.timestamp_millis())), self.value(after));
            all.push(format!("{id} >= {first} AND e.updated_at > {after}"));
        }
        if let Some(place) = &wanted.after {
            let first = self.value(first_of(place.as_of().saturating_add(1)));
            all.push(format!("{id} < {first}"));
        }
        all.join(" AND ")
    }

    /// The newest, and the newest by their titles where there are more, in one statement: what is seen is walked once.
    fn whole(&mut self, sight: &Sight, ask: &Ask, wanted: &Wanted) -> String {
        let tables = self.tables(sight, wanted);
        let (newest, titled) = (
            self.matching(sight, ask, wanted, Where::Anywhere),
            self.matching(sight, ask, wanted, Where::InTitle),
        );
        format!(
            "WITH RECURSIVE {tables}
             newest AS MATERIALIZED ({newest} ORDER BY 1 DESC LIMIT {NEWEST}),
             titled AS MATERIALIZED ({titled} AND (SELECT count(*) FROM newest) = {NEWEST} ORDER BY 1 DESC LIMIT {TITLED}),
             both_kinds AS (SELECT * FROM newest UNION ALL SELECT * FROM titled)
             SELECT found.id, found.subject_id, found.title, l.words AS lead
             FROM both_kinds AS found LEFT JOIN search_leads l ON l.id = found.id"
        )
    }

    fn matching(&mut self, sight: &Sight, ask: &Ask, wanted: &Wanted, place: Where) -> String {
        match self.backend {
            DbBackend::Sqlite => self.sqlite(sight, ask, wanted, place),
            _ => self.postgres(sight, ask, wanted, place),
        }
    }

    /// FTS5 gives rows in the order of their ids by itself, so it stops when there are enough.
    fn sqlite(&mut self, sight: &Sight, ask: &Ask, wanted: &Wanted, place: Where) -> String {
        let matched = self.value(engine::matched(ask, sight.workspace(), place));
        let conditions = self.conditions(sight, wanted, "w.rowid");
        format!(
            "SELECT w.rowid AS id, e.subject_id, e.title FROM search_words w
             CROSS JOIN search_entries e ON e.id = w.rowid CROSS JOIN documents d ON d.id = e.document_id
             WHERE search_words MATCH {matched} AND {conditions}"
        )
    }

    /// The words stand in the statement itself: whether they are rare decides how PostgreSQL had best look for them, and of
    /// a value that comes apart it does not know that. Where little is seen, it looks at that alone.
    fn postgres(&mut self, sight: &Sight, ask: &Ask, wanted: &Wanted, place: Where) -> String {
        let matched = format!("'{}' & {}", engine::home(sight.workspace()), engine::tsquery(ask, place)).replace('\'', "''");
        let workspace = self.value(sight.workspace());
        let conditions = self.conditions(sight, wanted, "w.id");
        // One after the other, from what is seen: it does not know how little that is, and would begin with all entries.
        let rows = match sight.side() {
            Side::Seen => {
                "sighted_entries s
                 CROSS JOIN LATERAL (SELECT w.id, w.workspace_id, w.words FROM search_words w WHERE w.id = s.id OFFSET 0) w
                 CROSS JOIN LATERAL (SELECT e.* FROM search_entries e WHERE e.id = w.id OFFSET 0) e
                 CROSS JOIN LATERAL (SELECT d.* FROM documents d WHERE d.id = e.document_id OFFSET 0) d"
            }
            Side::Everything | Side::Hidden => {
                "search_words w JOIN search_entries e ON e.id = w.id JOIN documents d ON d.id = e.document_id"
            }
        };
        format!(
            "SELECT w.id, e.subject_id, e.title FROM {rows}
             WHERE w.words @@ '{matched}'::tsquery AND w.workspace_id = {workspace} AND {conditions}"
        )
    }
}
