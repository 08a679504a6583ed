//! What many people may do with one page, asked with a handful of statements however many they are: a room asks for
//! everybody in it whenever something about access has changed.

use super::{
    chain::{chains, places},
    link,
    rule::{Said, Standing, left_of, level_of},
    standing::standings_of,
    who::{Who, all_still},
};
use entity::document;
use kernel::{id::*, role::Level};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, FromQueryResult, Statement, Value};
use std::collections::HashMap;

/// People asked about in one statement.
const AT_ONCE: usize = 500;

#[derive(FromQueryResult)]
struct Granted {
    document_id: DocumentId,
    user_id: UserId,
    level: Level,
}

/// The levels of people on a page; none for whoever came with something that is not good any more. A page that is not there
/// is [`Level::None`] for everybody.
///
/// # Errors
/// Only the database's.
pub async fn rights(db: &impl ConnectionTrait, id: DocumentId, people: &[Who]) -> Result<HashMap<Who, Option<Level>>, DbErr> {
    let mut rights = HashMap::with_capacity(people.len());
    let row = document::Entity::find_by_id(id).one(db).await?;
    let Some(document) = row.filter(|row| row.deleted_at.is_none()) else {
        return Ok(people.iter().map(|who| (*who, Some(Level::None))).collect());
    };
    let nobody = UserId(uuid::Uuid::nil());
    let chain = chains(db, nobody, &[id]).await?.remove(&id).unwrap_or_default();
    let (links, persons): (Vec<Who>, Vec<Who>) = people.iter().partition(|who| who.link().is_some());
    for who in links {
        let Some(which) = who.link() else { continue };
        let found = link::resolve(db, which, &document).await?;
        rights.insert(who, Some(found.map_or(Level::None, |found| found.level)));
    }
    for some in persons.chunks(AT_ONCE) {
        let still = all_still(db, some).await?;
        let users: Vec<UserId> = some.iter().map(|who| who.user()).collect();
        let standings = standings_of(db, document.workspace_id, &users).await?;
        let grants = grants(db, &chain, &users).await?;
        for who in some {
            let right = still.contains(who).then(|| {
                let standing = standings.get(&who.user()).filter(|_| who.enters(document.workspace_id));
                let held = standing.map_or(Level::None, |standing| level(*who, standing, &with(&chain, &grants, who.user())));
                left_of(held, document.is_archived())
            });
            rights.insert(*who, right);
        }
    }
    Ok(rights)
}

fn level(who: Who, standing: &Standing, chain: &[Said]) -> Level {
    left_of(level_of(standing, chain).min(who.most()), standing.is_archived)
}

/// The chain as it is for one of them.
fn with(chain: &[Said], grants: &HashMap<(DocumentId, UserId), Level>, user: UserId) -> Vec<Said> {
    let granted = |said: &Said| grants.get(&(said.id, user)).copied().unwrap_or(Level::None);
    chain
        .iter()
        .map(|said| Said {
            granted: granted(said),
            ..*said
        })
        .collect()
}

/// What these people were granted on these pages, themselves or through groups.
async fn grants(db: &impl ConnectionTrait, chain: &[Said], users: &[UserId]) -> Result<HashMap<(DocumentId, UserId), Level>, DbErr> {
    let (pages, people) = (places(1, chain.len()), places(1 + chain.len(), users.len()));
    let sql = format!(
        "SELECT document_id, user_id, level FROM grants WHERE document_id IN ({pages}) AND user_id IN ({people})
         UNION ALL
         SELECT g.document_id, m.user_id, g.level FROM grants g JOIN group_members m ON m.group_id = g.group_id
         WHERE g.document_id IN ({pages}) AND m.user_id IN ({people})"
    );
    let values = chain
        .iter()
        .map(|said| Value::from(said.id))
        .chain(users.iter().map(|user| Value::from(*user)));
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let mut grants: HashMap<(DocumentId, UserId), Level> = HashMap::new();
    for granted in Granted::find_by_statement(statement).all(db).await? {
        let best = grants.entry((granted.document_id, granted.user_id)).or_insert(Level::None);
        *best = (*best).max(granted.level);
    }
    Ok(grants)
}
