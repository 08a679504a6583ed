//! The order of pages that hang under the same one.

use crate::error::Error;
use entity::document;
use kernel::{id::*, order, role::Level};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, Order, QueryFilter, QueryOrder, Select};
use workspaces::access::{self, Who};

/// Where among its siblings a page goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// Before all others.
    First,
    /// Behind all others.
    #[default]
    Last,
    /// Behind this one.
    After(DocumentId),
    /// Before this one.
    Before(DocumentId),
}

impl Place {
    fn anchor(self) -> Option<(DocumentId, &'static str)> {
        match self {
            Self::After(id) => Some((id, "/after")),
            Self::Before(id) => Some((id, "/before")),
            Self::First | Self::Last => None,
        }
    }
}

/// A row of siblings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// What they hang under; none for the top.
    pub parent: Option<DocumentId>,
    /// The one that is being moved, and so does not count.
    pub moving: Option<DocumentId>,
}

impl Row {
    fn others(&self) -> Select<document::Entity> {
        let row = document::Entity::find().filter(document::Column::WorkspaceId.eq(self.workspace));
        let row = match self.parent {
            Some(parent) => row.filter(document::Column::ParentId.eq(parent)),
            None => row.filter(document::Column::ParentId.is_null()),
        };
        match self.moving {
            Some(moving) => row.filter(document::Column::Id.ne(moving)),
            None => row,
        }
    }

    /// The first of the row in a direction, from a sibling on when one is named.
    async fn nearest(&self, tx: &impl ConnectionTrait, from: Option<&document::Model>, way: Order) -> Result<Option<String>, Error> {
        let others = match (from, &way) {
            (Some(from), Order::Asc) => self.others().filter(
                Condition::any().add(document::Column::Rank.gt(&from.rank)).add(
                    Condition::all()
                        .add(document::Column::Rank.eq(&from.rank))
                        .add(document::Column::Id.gt(from.id)),
                ),
            ),
            (Some(from), _) => self.others().filter(
                Condition::any().add(document::Column::Rank.lt(&from.rank)).add(
                    Condition::all()
                        .add(document::Column::Rank.eq(&from.rank))
                        .add(document::Column::Id.lt(from.id)),
                ),
            ),
            (None, _) => self.others(),
        };
        let found = others
            .order_by(document::Column::Rank, way.clone())
            .order_by(document::Column::Id, way);
        Ok(found.one(tx).await?.map(|row| row.rank))
    }
}

/// An order key for a place in a row. Siblings in the trash keep their places.
pub(crate) async fn rank(tx: &impl ConnectionTrait, who: Who, row: Row, place: Place) -> Result<String, Error> {
    let anchor = match place.anchor() {
        Some((id, field)) => Some(find(tx, who, row, (id, field)).await?),
        None => None,
    };
    let known = anchor.as_ref().map(|row| row.rank.clone());
    let (low, high) = match place {
        Place::First => (None, row.nearest(tx, None, Order::Asc).await?),
        Place::Last => (row.nearest(tx, None, Order::Desc).await?, None),
        Place::After(_) => (known, row.nearest(tx, anchor.as_ref(), Order::Asc).await?),
        Place::Before(_) => (row.nearest(tx, anchor.as_ref(), Order::Desc).await?, known),
    };
    Ok(order::between(low.as_deref(), high.as_deref(), &mut rand::rng()))
}

/// The sibling that a place names, if whoever asks may see it.
async fn find(tx: &impl ConnectionTrait, who: Who, row: Row, (id, field): (DocumentId, &'static str)) -> Result<document::Model, Error> {
    let others = row.others().filter(document::Column::DeletedAt.is_null());
    let found = others.filter(document::Column::Id.eq(id)).one(tx).await?;
    let level = access::levels(tx, who, &[id]).await?.get(&id).copied().unwrap_or(Level::None);
    found
        .filter(|_| level >= Level::View)
        .ok_or_else(|| Error::invalid(field, "not_found", "is no page there"))
}
