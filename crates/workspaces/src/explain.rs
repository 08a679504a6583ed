//! Which role, rule and grant gives somebody what they may do with a page: what the door decides, taken apart.

use crate::{
    Error,
    access::{self, Access, Allows, DocumentAccess, Said, Standing, Who},
};
use entity::{grant, group_member, member};
use kernel::{
    id::*,
    role::{Level, Role},
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

/// Where a level comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The role: owners and admins manage everything.
    Role,
    /// What the workspace's settings give members.
    WorkspaceDefault,
    /// What a page gives members.
    DocumentDefault,
    /// They manage a page above.
    ManagesAbove,
    /// A grant to the person.
    Grant,
    /// A grant to a group of theirs.
    GroupGrant,
}

impl Source {
    /// The name that stands in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::WorkspaceDefault => "workspace_default",
            Self::DocumentDefault => "document_default",
            Self::ManagesAbove => "manages_above",
            Self::Grant => "grant",
            Self::GroupGrant => "group_grant",
        }
    }
}

/// One thing that gives a level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What it is.
    pub source: Source,
    /// How much it gives.
    pub level: Level,
    /// The page that says so, for rules and grants of pages; none when whoever asks may not see that page.
    pub document: Option<DocumentId>,
    /// The grant.
    pub grant: Option<GrantId>,
    /// The group that was granted.
    pub group: Option<GroupId>,
}

impl Reason {
    fn new(source: Source, level: Level) -> Self {
        Self {
            source,
            level,
            document: None,
            grant: None,
            group: None,
        }
    }
}

/// What somebody may do, and why.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// Whom it is about.
    pub user: UserId,
    /// What they are; none for nobody of this workspace.
    pub role: Option<Role>,
    /// What they may do; for a workspace, with pages that say nothing and were not granted.
    pub level: Level,
    /// Everything that gives them something here, nearest first. The highest counts.
    pub reasons: Vec<Reason>,
    /// The nearest page above which nothing counts; none when there is none, or whoever asks may not see it.
    pub restricted_at: Option<DocumentId>,
    /// Whether the workspace or the page is archived, so that nobody may do more than view.
    pub is_archived: bool,
}

/// Explains what somebody may do with a page, to somebody who may see it.
///
/// # Errors
/// Only the database's.
pub async fn on_document<P>(db: &impl ConnectionTrait, access: &DocumentAccess<P>, user: UserId) -> Result<Explanation, Error> {
    let home = access.workspace();
    let Some(mut standing) = access::standing(db, user, home).await? else {
        return Ok(nobody(user));
    };
    standing.is_archived |= access.document().is_archived();
    let chain = access::chain(db, user, access.id()).await?;
    let mut reasons = Vec::new();
    if standing.role >= Role::Admin {
        reasons.push(Reason::new(Source::Role, Level::Manage));
    }
    let grants = grants(db, user, home, &chain).await?;
    let is_cut = chain.iter().any(|said| said.is_restricted);
    let mut has_default = standing.role == Role::Guest;
    for said in &chain {
        if let Some(level) = said.default.filter(|_| !has_default) {
            has_default = true;
            let document = Some(said.id);
            let reason = Reason::new(Source::DocumentDefault, level);
            reasons.push(Reason { document, ..reason });
        }
        reasons.extend(grants.iter().filter(|row| row.document_id == Some(said.id)).map(granted));
    }
    if !is_cut {
        reasons.extend(grants.iter().filter(|row| row.document_id.is_none()).map(granted));
        if !has_default {
            reasons.push(Reason::new(Source::WorkspaceDefault, standing.default));
        }
    }
    reasons.extend(manages_above(&standing, &chain));
    let explanation = Explanation {
        user,
        role: Some(standing.role),
        level: access::explained_level(&standing, &chain),
        reasons,
        restricted_at: chain.iter().find(|said| said.is_restricted).map(|said| said.id),
        is_archived: standing.is_archived,
    };
    Ok(as_seen_by(db, access.who(), explanation).await?)
}

/// Explains what somebody may do in a workspace with pages that say nothing.
///
/// # Errors
/// Only the database's.
pub async fn in_workspace<P: Allows>(db: &impl ConnectionTrait, access: &Access<P>, user: UserId) -> Result<Explanation, Error> {
    let home = access.workspace();
    let Some(standing) = access::standing(db, user, home).await? else {
        return Ok(nobody(user));
    };
    let mut reasons = Vec::new();
    if standing.role >= Role::Admin {
        reasons.push(Reason::new(Source::Role, Level::Manage));
    }
    reasons.extend(grants(db, user, home, &[]).await?.iter().map(granted));
    if standing.role > Role::Guest {
        reasons.push(Reason::new(Source::WorkspaceDefault, standing.default));
    }
    Ok(Explanation {
        user,
        role: Some(standing.role),
        level: access::explained_level(&standing, &[]),
        reasons,
        restricted_at: None,
        is_archived: standing.is_archived,
    })
}

/// Whether somebody is of a workspace, so that they may be asked about.
///
/// # Errors
/// [`Error::UserNotFound`] when not.
pub async fn check_member(db: &impl ConnectionTrait, workspace: WorkspaceId, user: UserId) -> Result<(), Error> {
    let row = member::Entity::find_by_id((workspace, user)).one(db).await?;
    row.map(drop).ok_or(Error::UserNotFound)
}

fn nobody(user: UserId) -> Explanation {
    Explanation {
        user,
        role: None,
        level: Level::None,
        reasons: Vec::new(),
        restricted_at: None,
        is_archived: false,
    }
}

/// The nearest page above that they manage, when nothing restricted is in between.
fn manages_above(standing: &Standing, chain: &[Said]) -> Option<Reason> {
    if standing.role >= Role::Admin {
        return None;
    }
    let below = chain.iter().take_while(|said| !said.is_restricted).count();
    let manages = |at: &usize| access::rule::level_of(standing, &chain[*at..]) == Level::Manage;
    let at = (1..chain.len().min(below + 1)).find(manages)?;
    let document = Some(chain[at].id);
    let reason = Reason::new(Source::ManagesAbove, Level::Manage);
    Some(Reason { document, ..reason })
}

fn granted(row: &grant::Model) -> Reason {
    let source = if row.group_id.is_some() {
        Source::GroupGrant
    } else {
        Source::Grant
    };
    Reason {
        document: row.document_id,
        grant: Some(row.id),
        group: row.group_id,
        ..Reason::new(source, row.level)
    }
}

/// What somebody or their groups were granted on these pages and on the whole workspace.
async fn grants(db: &impl ConnectionTrait, user: UserId, home: WorkspaceId, chain: &[Said]) -> Result<Vec<grant::Model>, DbErr> {
    let groups = group_member::Entity::find()
        .select_only()
        .column(group_member::Column::GroupId)
        .filter(group_member::Column::WorkspaceId.eq(home))
        .filter(group_member::Column::UserId.eq(user))
        .into_query();
    let theirs = Condition::any()
        .add(grant::Column::UserId.eq(user))
        .add(grant::Column::GroupId.in_subquery(groups));
    let here = Condition::any()
        .add(grant::Column::DocumentId.is_null())
        .add(grant::Column::DocumentId.is_in(chain.iter().map(|said| said.id)));
    let rows = grant::Entity::find()
        .filter(grant::Column::WorkspaceId.eq(home))
        .filter(theirs)
        .filter(here);
    rows.order_by_asc(grant::Column::Id).all(db).await
}

/// Takes out which pages above say something, where whoever asks may not see them.
async fn as_seen_by(db: &impl ConnectionTrait, who: Who, mut explanation: Explanation) -> Result<Explanation, DbErr> {
    let mut pages: Vec<DocumentId> = explanation.reasons.iter().filter_map(|reason| reason.document).collect();
    pages.extend(explanation.restricted_at);
    let levels = access::levels(db, who, &pages).await?;
    let is_seen = |id: &DocumentId| levels.get(id).is_some_and(|level| *level >= Level::View);
    for reason in &mut explanation.reasons {
        reason.document = reason.document.filter(is_seen);
    }
    explanation.restricted_at = explanation.restricted_at.filter(is_seen);
    Ok(explanation)
}
