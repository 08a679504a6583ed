//! Where a page goes when what it hung under is not there: to the nearest page above that is, as closed as it was.

use entity::document;
use kernel::{id::*, role::Level};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait};

/// Pages nest no deeper than 100; a chain that is longer is a circle.
const MAX_DEPTH: usize = 128;

/// The nearest page above that stays, and what those in between said. Whoever could not see a page because of what stood
/// above it shall not see it in its new place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Above {
    /// The page; none for the top.
    pub parent: Option<DocumentId>,
    /// Whether a page in between was restricted.
    pub restricted: bool,
    /// The nearest default of a page in between.
    pub default_level: Option<Level>,
}

/// Looks from `parent` up for a page that `stays`.
pub(crate) async fn above(
    tx: &impl ConnectionTrait,
    parent: Option<DocumentId>,
    stays: impl Fn(&document::Model) -> bool,
) -> Result<Above, DbErr> {
    let (mut above, mut at) = (Above::default(), parent);
    for _ in 0..MAX_DEPTH {
        let Some(id) = at else { break };
        let Some(row) = document::Entity::find_by_id(id).one(tx).await? else {
            break;
        };
        if stays(&row) {
            above.parent = Some(id);
            break;
        }
        if !above.restricted {
            above.default_level = above.default_level.or(row.default_level);
            above.restricted = row.restricted;
        }
        at = row.parent_id;
    }
    Ok(above)
}

impl Above {
    /// Puts a page there.
    pub fn take(self, row: &mut document::ActiveModel, was: &document::Model) {
        use sea_orm::ActiveValue::Set;
        row.parent_id = Set(self.parent);
        if !was.restricted {
            row.restricted = Set(self.restricted);
            row.default_level = Set(was.default_level.or(self.default_level));
        }
    }
}
