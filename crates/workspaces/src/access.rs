//! The door: the only place that decides what somebody may do.
//!
//! [`Access`] and [`DocumentAccess`] are proofs with private fields, made by [`enter`] and [`open`] alone; domain
//! functions ask for them in their signature. Who may not see a thing is told that it does not exist.

mod chain;
mod door;
pub mod fence;
mod inherited;
pub(crate) mod level;
pub mod link;
mod marker;
mod rights;
pub(crate) mod rule;
mod sight;
mod standing;
mod who;

pub use chain::restricted_in;
pub use door::Door;
pub use fence::write;
pub use inherited::{Inherited, inherited};
pub use level::{level, levels, manages_all};
pub use marker::{
    Allows, AtLeast, CommentDocument, CreateDocuments, DeleteWorkspace, EditDocument, EditWorkspace, ExportWorkspace, Grants,
    ManageDocument, ManageMembers, ReadAudit, ReadMembers, ReadReports, ReadWorkspace, ViewDocument,
};
#[cfg(test)]
pub(crate) use marker::{IN_WORKSPACES, ON_DOCUMENTS};
pub use rights::rights;
pub(crate) use rule::{Said, Standing};
pub use sight::{Side, Sight};
pub(crate) use standing::role_in;
pub use who::{Who, still};

use entity::document;
use events::By;
use kernel::{
    error::{Explain, Kind},
    id::*,
    role::{Level, Role},
};
use level::Found;
use sea_orm::{ConnectionTrait, DbErr};
use std::marker::PhantomData;

/// What members may do with pages where nothing else is said.
pub const DEFAULT: Level = Level::Edit;

/// Why the door stays shut.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// There is no such thing for this caller.
    #[error("not found")]
    NotFound,
    /// The caller sees it but may not do this.
    #[error("you may see this, but not do that")]
    Forbidden,
    /// The workspace is archived, so nothing in it is changed.
    #[error("the workspace is archived: it can be read, not changed")]
    Archived,
    /// The page is archived, so nothing of it is changed.
    #[error("the page is archived: it can be read, not changed")]
    DocumentArchived,
    /// Others changed who may do what at the same moment; nothing was done.
    #[error("who may do what was changed at the same moment; try again")]
    Changed,
    /// The database's own.
    #[error(transparent)]
    Db(#[from] DbErr),
}

impl Explain for AccessError {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::Forbidden => Kind::Forbidden,
            Self::Archived | Self::DocumentArchived | Self::Changed => Kind::Conflict,
            Self::Db(e) => e.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Forbidden => "forbidden",
            Self::Archived => "workspace_archived",
            Self::DocumentArchived => "document_archived",
            Self::Changed => "access_changed",
            Self::Db(e) => e.code(),
        }
    }
}

/// Proof that somebody may do `P` in a workspace. Only [`enter`] makes one.
#[derive(Debug)]
pub struct Access<P> {
    who: Who,
    workspace: WorkspaceId,
    role: Role,
    version: i64,
    proves: PhantomData<P>,
}

impl<P> Access<P> {
    /// Who acts, for the event log.
    pub fn by(&self) -> By {
        By {
            workspace: Some(self.workspace),
            user: Some(self.user()),
        }
    }

    /// Who acts, with what they came with.
    pub fn who(&self) -> Who {
        self.who
    }

    /// Who acts.
    pub fn user(&self) -> UserId {
        self.who.user()
    }

    /// Where.
    pub fn workspace(&self) -> WorkspaceId {
        self.workspace
    }

    /// As what.
    pub fn role(&self) -> Role {
        self.role
    }
}

/// Lets somebody into a workspace to do `P`. A workspace in the trash is there for nobody.
///
/// # Errors
/// [`AccessError::NotFound`] for whoever is no member, [`AccessError::Forbidden`] for a member of too small a role,
/// [`AccessError::Archived`] for a write in an archived workspace.
pub async fn enter<P: Allows>(db: &impl ConnectionTrait, who: impl Into<Who>, workspace: WorkspaceId) -> Result<Access<P>, AccessError> {
    let who = who.into();
    let found = standing::standings(db, who, &[workspace]).await?.remove(&workspace);
    let (standing, version) = found.ok_or(AccessError::NotFound)?;
    if standing.role < P::ROLE {
        return Err(AccessError::Forbidden);
    }
    if P::WRITES && standing.is_archived {
        return Err(AccessError::Archived);
    }
    Ok(Access {
        who,
        workspace,
        role: standing.role,
        version,
        proves: PhantomData,
    })
}

/// Asks again, somewhere in long work, whether somebody who was let in still may be there, and whether what they came with
/// still is good.
///
/// # Errors
/// As [`enter`].
pub async fn enter_again<P: Allows>(db: &impl ConnectionTrait, access: &Access<P>) -> Result<Access<P>, AccessError> {
    if !still(db, access.who).await? {
        return Err(AccessError::NotFound);
    }
    enter(db, access.who, access.workspace).await
}

/// Proof that somebody may do `P` with a page. Only [`open`], [`open_trashed`] and [`open_archived`] make one.
#[derive(Debug)]
pub struct DocumentAccess<P> {
    who: Who,
    role: Role,
    level: Level,
    version: i64,
    document: document::Model,
    proves: PhantomData<P>,
}

impl<P> DocumentAccess<P> {
    /// Who acts, for the event log.
    pub fn by(&self) -> By {
        By {
            workspace: Some(self.document.workspace_id),
            user: Some(self.user()),
        }
    }

    /// Who acts, with what they came with.
    pub fn who(&self) -> Who {
        self.who
    }

    /// Who acts.
    pub fn user(&self) -> UserId {
        self.who.user()
    }

    /// Where the workspace's counter of changes of access stood when this was proven.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// As what in the workspace; whoever holds a share link is like a guest.
    pub fn role(&self) -> Role {
        self.role
    }

    /// What they may do with the page at most.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The page's row.
    pub fn document(&self) -> &document::Model {
        &self.document
    }

    /// The page.
    pub fn id(&self) -> DocumentId {
        self.document.id
    }

    /// Its tenant.
    pub fn workspace(&self) -> WorkspaceId {
        self.document.workspace_id
    }

    /// The same proof for something that needs less. The other way does not compile:
    ///
    /// ```compile_fail,E0277
    /// use workspaces::access::{DocumentAccess, EditDocument, ViewDocument};
    /// fn raise(access: DocumentAccess<ViewDocument>) -> DocumentAccess<EditDocument> {
    ///     access.weaken()
    /// }
    /// ```
    pub fn weaken<Q>(self) -> DocumentAccess<Q>
    where
        P: AtLeast<Q>,
    {
        DocumentAccess {
            who: self.who,
            role: self.role,
            level: self.level,
            version: self.version,
            document: self.document,
            proves: PhantomData,
        }
    }
}

/// Lets somebody at a page to do `P`.
///
/// # Errors
/// [`AccessError::NotFound`] for whoever may not see it and for a page in the trash, [`AccessError::Forbidden`] for
/// whoever may see but not do this.
pub async fn open<P: Grants>(db: &impl ConnectionTrait, who: impl Into<Who>, id: DocumentId) -> Result<DocumentAccess<P>, AccessError> {
    see(db, who.into(), id).await?.living()
}

/// Lets somebody at a page that is in the trash, where nobody comes who may not edit it, not even to read.
///
/// # Errors
/// As [`open`], and [`AccessError::NotFound`] for a page that is not in the trash.
pub async fn open_trashed<P: Grants>(
    db: &impl ConnectionTrait,
    who: impl Into<Who>,
    id: DocumentId,
) -> Result<DocumentAccess<P>, AccessError> {
    see(db, who.into(), id).await?.trashed()
}

/// Lets somebody at a page that is archived, as if it were not.
///
/// # Errors
/// As [`open`], and [`AccessError::NotFound`] for a page that is not archived.
pub async fn open_archived<P: Grants>(
    db: &impl ConnectionTrait,
    who: impl Into<Who>,
    id: DocumentId,
) -> Result<DocumentAccess<P>, AccessError> {
    see(db, who.into(), id).await?.archived()
}

/// A page that somebody at least sees.
struct Seen {
    who: Who,
    found: Found,
    version: i64,
    document: document::Model,
}

impl Seen {
    fn new(who: Who, (version, document): (i64, document::Model), found: Option<Found>) -> Result<Self, AccessError> {
        let found = found.filter(|found| found.level >= Level::View).ok_or(AccessError::NotFound)?;
        Ok(Self {
            who,
            found,
            version,
            document,
        })
    }

    fn living<P: Grants>(self) -> Result<DocumentAccess<P>, AccessError> {
        if self.document.deleted_at.is_some() {
            return Err(AccessError::NotFound);
        }
        self.may(P::LEVEL)
    }

    fn trashed<P: Grants>(self) -> Result<DocumentAccess<P>, AccessError> {
        if self.document.deleted_at.is_none() {
            return Err(AccessError::NotFound);
        }
        self.may(P::LEVEL.max(Level::Edit))
    }

    fn archived<P: Grants>(mut self) -> Result<DocumentAccess<P>, AccessError> {
        if !self.document.is_archived() {
            return Err(AccessError::NotFound);
        }
        self.found.level = self.found.left;
        self.may(P::LEVEL)
    }

    fn may<P>(self, needed: Level) -> Result<DocumentAccess<P>, AccessError> {
        let Found { role, level, .. } = self.found;
        if level < needed {
            return Err(self.found.refusal(needed));
        }
        Ok(DocumentAccess {
            who: self.who,
            role,
            level,
            version: self.version,
            document: self.document,
            proves: PhantomData,
        })
    }
}

/// What somebody is in a living workspace, for those who explain what the door decides.
pub(crate) async fn standing(db: &impl ConnectionTrait, user: UserId, workspace: WorkspaceId) -> Result<Option<Standing>, DbErr> {
    let found = standing::standings(db, user.into(), &[workspace]).await?.remove(&workspace);
    Ok(found.map(|(standing, _)| standing))
}

/// What a page and those above it say to somebody.
pub(crate) async fn chain(db: &impl ConnectionTrait, user: UserId, id: DocumentId) -> Result<Vec<Said>, DbErr> {
    Ok(chain::chains(db, user, &[id]).await?.remove(&id).unwrap_or_default())
}

/// The level that comes of both.
pub(crate) fn explained_level(standing: &Standing, chain: &[Said]) -> Level {
    rule::left_of(rule::level_of(standing, chain), standing.is_archived)
}

async fn see(db: &impl ConnectionTrait, who: Who, id: DocumentId) -> Result<Seen, AccessError> {
    let row = level::versioned(db, id).await?.ok_or(AccessError::NotFound)?;
    let found = level::resolve(db, who, &row.document).await?;
    Seen::new(who, (row.access_version, row.document), found)
}
