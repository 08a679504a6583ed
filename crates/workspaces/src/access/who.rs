//! Who stands at the door: a person with what they came with, or whoever holds a share link.

use entity::{account_deletion, api_key, session, user};
use kernel::{clock, id::*, role::Level};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, QueryTrait};
use std::collections::{HashMap, HashSet};

/// What somebody came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Through {
    /// Nothing that could end: the product asks on their behalf.
    Trust,
    /// A login.
    Session(SessionId),
    /// An API key that could do what this stamp says.
    Key(ApiKeyId, u64),
    /// A share link whose password of this generation they gave.
    Link(ShareLinkId, i32),
}

/// Somebody at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Who {
    user: UserId,
    through: Through,
    /// The only workspace that is there for them.
    only: Option<WorkspaceId>,
    /// What they may do with any page at most.
    most: Level,
}

/// A person the product asks about on its own account.
impl From<UserId> for Who {
    fn from(user: UserId) -> Self {
        Self {
            user,
            through: Through::Trust,
            only: None,
            most: Level::Manage,
        }
    }
}

impl Who {
    /// A person with a login.
    pub fn with_session(user: UserId, session: SessionId) -> Self {
        Self {
            through: Through::Session(session),
            ..Self::from(user)
        }
    }

    /// A person with an API key, which may open one workspace only, and may do less than they.
    pub fn with_key(user: UserId, (key, stamp): (ApiKeyId, u64), only: Option<WorkspaceId>, most: Level) -> Self {
        Self {
            through: Through::Key(key, stamp),
            only,
            most,
            ..Self::from(user)
        }
    }

    /// Whoever holds a share link. Nobody knows who they are; what they do stands under an id that `visitor` is alone.
    pub fn with_link(link: ShareLinkId, generation: i32, visitor: UserId) -> Self {
        Self {
            through: Through::Link(link, generation),
            ..Self::from(visitor)
        }
    }

    /// Whose acts they are, for facts and rows.
    pub fn user(self) -> UserId {
        self.user
    }

    /// Whether there is an account behind them.
    pub fn is_person(self) -> bool {
        self.link().is_none()
    }

    /// The link and the generation of its password, for whoever holds one.
    pub(super) fn link(self) -> Option<(ShareLinkId, i32)> {
        match self.through {
            Through::Link(link, generation) => Some((link, generation)),
            _ => None,
        }
    }

    fn session(self) -> Option<SessionId> {
        match self.through {
            Through::Session(id) => Some(id),
            _ => None,
        }
    }

    fn key(self) -> Option<ApiKeyId> {
        match self.through {
            Through::Key(id, _) => Some(id),
            _ => None,
        }
    }

    /// Whether they may be in this workspace at all, if they are something there.
    pub fn enters(self, workspace: WorkspaceId) -> bool {
        self.only.is_none_or(|only| only == workspace)
    }

    pub(super) fn most(self) -> Level {
        self.most
    }
}

/// Whether what somebody came with still is good. A share link is looked at whenever its level is asked.
///
/// # Errors
/// Only the database's.
pub async fn still(db: &impl ConnectionTrait, who: Who) -> Result<bool, DbErr> {
    Ok(all_still(db, &[who]).await?.contains(&who))
}

/// Those of these who came with something that still is good.
pub(super) async fn all_still(db: &impl ConnectionTrait, people: &[Who]) -> Result<HashSet<Who>, DbErr> {
    let (sessions, keys): (Vec<SessionId>, Vec<ApiKeyId>) = (
        people.iter().filter_map(|who| who.session()).collect(),
        people.iter().filter_map(|who| who.key()).collect(),
    );
    let (sessions, keys) = (good_sessions(db, sessions).await?, good_keys(db, keys).await?);
    let is_good = |who: &&Who| match who.through {
        Through::Trust | Through::Link(..) => true,
        Through::Session(id) => sessions.contains(&id),
        Through::Key(id, stamp) => keys.get(&id) == Some(&stamp),
    };
    Ok(people.iter().filter(is_good).copied().collect())
}

/// Accounts that are not closed.
fn open() -> sea_orm::sea_query::SelectStatement {
    user::Entity::find()
        .select_only()
        .column(user::Column::Id)
        .filter(user::Column::DeletedAt.is_null())
        .into_query()
}

/// Accounts that will be closed: until then their keys rest.
fn closing() -> sea_orm::sea_query::SelectStatement {
    account_deletion::Entity::find()
        .select_only()
        .column(account_deletion::Column::UserId)
        .into_query()
}

async fn good_sessions(db: &impl ConnectionTrait, ids: Vec<SessionId>) -> Result<HashSet<SessionId>, DbErr> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let found = session::Entity::find()
        .select_only()
        .column(session::Column::Id)
        .filter(session::Column::Id.is_in(ids))
        .filter(session::Column::RevokedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(clock::now()))
        .filter(session::Column::UserId.in_subquery(open()));
    Ok(found.into_tuple().all(db).await?.into_iter().collect())
}

async fn good_keys(db: &impl ConnectionTrait, ids: Vec<ApiKeyId>) -> Result<HashMap<ApiKeyId, u64>, DbErr> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let lasts = Condition::any()
        .add(api_key::Column::ExpiresAt.is_null())
        .add(api_key::Column::ExpiresAt.gt(clock::now()));
    let found = api_key::Entity::find()
        .filter(api_key::Column::Id.is_in(ids))
        .filter(api_key::Column::RevokedAt.is_null())
        .filter(lasts)
        .filter(api_key::Column::UserId.in_subquery(open()))
        .filter(api_key::Column::UserId.not_in_subquery(closing()));
    Ok(found.all(db).await?.into_iter().map(|row| (row.id, row.stamp())).collect())
}
