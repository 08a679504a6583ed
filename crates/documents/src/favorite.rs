//! Pages that somebody keeps at hand, in the order they like. What is somebody's favourite is their own business: no fact of
//! a workspace says so.

use crate::{error::Error, siblings::Place};
use entity::{document, favorite};
use kernel::{clock, id::*, order, role::Level};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    sea_query::OnConflict,
};
use std::collections::HashMap;
use workspaces::access::{self, DocumentAccess, ViewDocument, Who};

/// Favourites of one person.
pub const MOST: usize = 500;

fn of(user: UserId) -> sea_orm::Select<favorite::Entity> {
    favorite::Entity::find()
        .filter(favorite::Column::UserId.eq(user))
        .order_by_asc(favorite::Column::Rank)
        .order_by_asc(favorite::Column::DocumentId)
}

/// Makes a page a favourite, or puts one elsewhere among them. Without a place a new one goes behind all others, and one that
/// is there stays where it is.
///
/// # Errors
/// [`Error::TooMany`], or a bad field when the place names no favourite.
pub async fn put(tx: &DatabaseTransaction, access: &DocumentAccess<ViewDocument>, place: Option<Place>) -> Result<(), Error> {
    let (user, document) = (access.user(), access.id());
    let known = favorite::Entity::find_by_id((user, document)).one(tx).await?;
    if known.is_some() && place.is_none() {
        return Ok(());
    }
    if known.is_none() && of(user).count(tx).await? >= MOST as u64 {
        return Err(Error::TooMany("favourites"));
    }
    let others = of(user).filter(favorite::Column::DocumentId.ne(document)).all(tx).await?;
    let row = favorite::ActiveModel {
        user_id: Set(user),
        document_id: Set(document),
        rank: Set(rank(&others, place.unwrap_or_default())?),
        created_at: Set(clock::now()),
    };
    let again = OnConflict::columns([favorite::Column::UserId, favorite::Column::DocumentId])
        .update_column(favorite::Column::Rank)
        .to_owned();
    favorite::Entity::insert(row).on_conflict(again).exec_without_returning(tx).await?;
    Ok(())
}

fn rank(others: &[favorite::Model], place: Place) -> Result<String, Error> {
    let find = |id: DocumentId, field: &'static str| {
        let at = others.iter().position(|row| row.document_id == id);
        at.ok_or_else(|| Error::invalid(field, "not_found", "is no favourite of yours"))
    };
    let index = match place {
        Place::First => 0,
        Place::Last => others.len(),
        Place::After(id) => find(id, "/after")? + 1,
        Place::Before(id) => find(id, "/before")?,
    };
    let key = |at: usize| others.get(at).map(|row| row.rank.as_str());
    Ok(order::between(index.checked_sub(1).and_then(key), key(index), &mut rand::rng()))
}

/// Takes a page off somebody's favourites.
///
/// # Errors
/// Only the database's.
pub async fn remove(tx: &DatabaseTransaction, access: &DocumentAccess<ViewDocument>) -> Result<(), Error> {
    favorite::Entity::delete_by_id((access.user(), access.id())).exec(tx).await?;
    Ok(())
}

/// Somebody's favourites that they still may see, in their order.
///
/// # Errors
/// Only the database's.
pub async fn list(db: &impl ConnectionTrait, who: Who) -> Result<Vec<(document::Model, Level)>, DbErr> {
    let ids: Vec<DocumentId> = of(who.user()).all(db).await?.iter().map(|row| row.document_id).collect();
    seen(db, who, &ids).await
}

/// Those of these pages that somebody sees and that are not in the trash, in the same order.
pub(crate) async fn seen(db: &impl ConnectionTrait, who: Who, ids: &[DocumentId]) -> Result<Vec<(document::Model, Level)>, DbErr> {
    let rows = document::Entity::find()
        .filter(document::Column::Id.is_in(ids.iter().copied()))
        .filter(document::Column::DeletedAt.is_null());
    let mut rows: HashMap<DocumentId, document::Model> = rows.all(db).await?.into_iter().map(|row| (row.id, row)).collect();
    let levels = access::levels(db, who, ids).await?;
    let level = |id: &DocumentId| levels.get(id).copied().filter(|level| *level >= Level::View);
    Ok(ids.iter().filter_map(|id| Some((rows.remove(id)?, level(id)?))).collect())
}
