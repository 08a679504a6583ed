//! Finding people by the beginning of their name.

use crate::access::Allows;
use crate::access::{Access, DocumentAccess, ReadMembers, ReadWorkspace};
use entity::{member, user};
use kernel::id::*;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait, Func, LikeExpr},
};

/// Longer words find nobody.
const MAX_WORD: usize = 100;

/// Text that stands for itself in a pattern.
fn literal(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    escaped.chars().take(2 * MAX_WORD).collect()
}

fn like(pattern: String) -> LikeExpr {
    LikeExpr::new(pattern).escape('\\')
}

/// Whether somebody's name, or a word of it, begins like this. SQLite folds the case of ASCII alone, so a name that is
/// written the same is found as well.
pub(crate) fn is_named(word: &str) -> Condition {
    let name = || Expr::col((user::Entity, user::Column::DisplayName));
    let (typed, folded) = (literal(word.trim()), literal(&word.trim().to_lowercase()));
    Condition::any()
        .add(name().like(like(format!("{typed}%"))))
        .add(name().like(like(format!("% {typed}%"))))
        .add(Expr::expr(Func::lower(name())).like(like(format!("{folded}%"))))
        .add(Expr::expr(Func::lower(name())).like(like(format!("% {folded}%"))))
}

/// Whether somebody's address begins like this.
pub(crate) fn has_address(word: &str) -> Condition {
    let address = Expr::col((user::Entity, user::Column::Email));
    Condition::all().add(address.like(like(format!("{}%", literal(&word.trim().to_lowercase())))))
}

/// Members whose name begins like this, by name: who can be mentioned. Guests are told of nobody.
///
/// # Errors
/// Only the database's.
pub async fn mentionable(
    db: &impl ConnectionTrait,
    access: &Access<ReadWorkspace>,
    word: &str,
    limit: u64,
) -> Result<Vec<user::Model>, DbErr> {
    if access.role() < ReadMembers::ROLE {
        return Ok(Vec::new());
    }
    let members = member::Entity::find()
        .select_only()
        .column(member::Column::UserId)
        .filter(member::Column::WorkspaceId.eq(access.workspace()))
        .into_query();
    user::Entity::find()
        .filter(user::Column::Id.in_subquery(members))
        .filter(user::Column::DeletedAt.is_null())
        .filter(is_named(word))
        .order_by_asc(user::Column::DisplayName)
        .order_by_asc(user::Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// What those of these people call themselves who are members where a page is, for a reader of the page. Guests are told of
/// nobody but themselves. Whoever is no member here, or nobody at all, is not in the answer: anybody may write any id.
///
/// # Errors
/// Only the database's.
pub async fn members_named<P>(
    db: &impl ConnectionTrait,
    access: &DocumentAccess<P>,
    ids: impl IntoIterator<Item = UserId>,
) -> Result<Vec<(UserId, String)>, DbErr> {
    let knows_others = access.who().is_person() && access.role() >= ReadMembers::ROLE;
    let ids: Vec<UserId> = ids.into_iter().filter(|id| knows_others || *id == access.user()).collect();
    let mut named = Vec::new();
    for some in ids.chunks(500) {
        let members = member::Entity::find()
            .select_only()
            .column(member::Column::UserId)
            .filter(member::Column::WorkspaceId.eq(access.workspace()))
            .filter(member::Column::UserId.is_in(some.iter().copied()))
            .into_query();
        let rows: Vec<(UserId, String)> = user::Entity::find()
            .select_only()
            .columns([user::Column::Id, user::Column::DisplayName])
            .filter(user::Column::Id.in_subquery(members))
            .filter(user::Column::DeletedAt.is_null())
            .order_by_asc(user::Column::Id)
            .into_tuple()
            .all(db)
            .await?;
        named.extend(rows);
    }
    Ok(named)
}

/// What people call themselves, by their ids.
pub(crate) async fn names(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = UserId>,
) -> Result<std::collections::HashMap<UserId, String>, DbErr> {
    let mut ids: Vec<UserId> = ids.into_iter().collect();
    ids.sort_unstable();
    ids.dedup();
    let mut names = std::collections::HashMap::new();
    for some in ids.chunks(500) {
        let rows: Vec<(UserId, String)> = user::Entity::find()
            .select_only()
            .columns([user::Column::Id, user::Column::DisplayName])
            .filter(user::Column::Id.is_in(some.iter().copied()))
            .into_tuple()
            .all(db)
            .await?;
        names.extend(rows);
    }
    Ok(names)
}

/// What is known of somebody who wrote on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorKind {
    /// Somebody with an account.
    Person,
    /// Somebody whose account was closed.
    Deleted,
    /// Somebody who came by a share link; nobody knows who.
    Visitor,
}

/// Somebody who wrote on a page, as far as a reader may know of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// Their name; none for visitors, and for readers who are told of nobody.
    pub display_name: Option<String>,
    /// What is known of them.
    pub kind: AuthorKind,
}

/// Who these people are to a reader of a page that they wrote on. Guests are told of nobody but themselves.
///
/// # Errors
/// Only the database's.
pub async fn authors<P>(
    db: &impl ConnectionTrait,
    access: &DocumentAccess<P>,
    ids: impl IntoIterator<Item = UserId>,
) -> Result<std::collections::HashMap<UserId, Author>, DbErr> {
    let mut ids: Vec<UserId> = ids.into_iter().collect();
    ids.sort_unstable();
    ids.dedup();
    let mut rows = Vec::with_capacity(ids.len());
    for some in ids.chunks(500) {
        let found = user::Entity::find().filter(user::Column::Id.is_in(some.iter().copied()));
        rows.extend(found.all(db).await?);
    }
    let knows_others = access.who().is_person() && access.role() >= ReadMembers::ROLE;
    let author = |id: &UserId| {
        let row = rows.iter().find(|row| row.id == *id);
        let kind = match row {
            None => AuthorKind::Visitor,
            Some(row) if row.deleted_at.is_some() => AuthorKind::Deleted,
            Some(_) => AuthorKind::Person,
        };
        let is_told = kind == AuthorKind::Person && (knows_others || *id == access.user());
        let display_name = row.filter(|_| is_told).map(|row| row.display_name.clone());
        (*id, Author { display_name, kind })
    };
    Ok(ids.iter().map(author).collect())
}
