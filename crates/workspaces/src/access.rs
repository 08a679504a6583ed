//! The door: the only place that decides what somebody may do.
//!
//! [`Access`] and [`DocumentAccess`] are proofs with private fields, made by [`enter`] and [`open`] alone; domain
//! functions ask for them in their signature. Who may not see a thing is told that it does not exist.

pub(crate) mod level;
mod marker;

pub use level::{level, level_of, levels, restricted_in};
pub use marker::{
    Allows, AtLeast, CommentDocument, CreateDocuments, DeleteWorkspace, EditDocument, EditWorkspace, Grants, ManageDocument, ManageMembers,
    ReadAudit, ReadMembers, ReadReports, ReadWorkspace, ViewDocument,
};
#[cfg(test)]
pub(crate) use marker::{IN_WORKSPACES, ON_DOCUMENTS};

use entity::{document, member, workspace};
use events::By;
use kernel::{
    error::{Explain, Kind},
    id::*,
    role::{Level, Role},
};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, QueryTrait};
use std::marker::PhantomData;

/// Why the door stays shut.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// There is no such thing for this caller.
    #[error("not found")]
    NotFound,
    /// The caller sees it but may not do this.
    #[error("you may see this, but not do that")]
    Forbidden,
    /// The database's own.
    #[error(transparent)]
    Db(#[from] DbErr),
}

impl Explain for AccessError {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::Forbidden => Kind::Forbidden,
            Self::Db(e) => e.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Forbidden => "forbidden",
            Self::Db(e) => e.code(),
        }
    }
}

/// Proof that somebody may do `P` in a workspace. Only [`enter`] makes one.
#[derive(Debug)]
pub struct Access<P> {
    user: UserId,
    workspace: WorkspaceId,
    role: Role,
    proves: PhantomData<P>,
}

impl<P> Access<P> {
    /// Who acts, for the event log.
    pub fn by(&self) -> By {
        By {
            workspace: Some(self.workspace),
            user: Some(self.user),
        }
    }

    /// Who acts.
    pub fn user(&self) -> UserId {
        self.user
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
/// [`AccessError::NotFound`] for whoever is no member, [`AccessError::Forbidden`] for a member of too small a role.
pub async fn enter<P: Allows>(db: &impl ConnectionTrait, user: UserId, workspace: WorkspaceId) -> Result<Access<P>, AccessError> {
    let role = role_in(db, user, workspace).await?.ok_or(AccessError::NotFound)?;
    if role < P::ROLE {
        return Err(AccessError::Forbidden);
    }
    Ok(Access {
        user,
        workspace,
        role,
        proves: PhantomData,
    })
}

/// What somebody is in a living workspace.
pub(crate) async fn role_in(db: &impl ConnectionTrait, user: UserId, workspace: WorkspaceId) -> Result<Option<Role>, DbErr> {
    let alive = workspace::Entity::find_by_id(workspace)
        .select_only()
        .column(workspace::Column::Id)
        .filter(workspace::Column::DeletedAt.is_null())
        .into_query();
    let member = member::Entity::find_by_id((workspace, user))
        .filter(member::Column::WorkspaceId.in_subquery(alive))
        .one(db)
        .await?;
    Ok(member.map(|member| member.role))
}

/// Proof that somebody may do `P` with a page. Only [`open`] and [`open_trashed`] make one.
#[derive(Debug)]
pub struct DocumentAccess<P> {
    user: UserId,
    role: Role,
    level: Level,
    document: document::Model,
    proves: PhantomData<P>,
}

impl<P> DocumentAccess<P> {
    /// Who acts, for the event log.
    pub fn by(&self) -> By {
        By {
            workspace: Some(self.document.workspace_id),
            user: Some(self.user),
        }
    }

    /// Who acts.
    pub fn user(&self) -> UserId {
        self.user
    }

    /// As what in the workspace.
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
            user: self.user,
            role: self.role,
            level: self.level,
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
pub async fn open<P: Grants>(db: &impl ConnectionTrait, user: UserId, id: DocumentId) -> Result<DocumentAccess<P>, AccessError> {
    let seen = see(db, user, id).await?;
    if seen.document.deleted_at.is_some() {
        return Err(AccessError::NotFound);
    }
    seen.may(P::LEVEL)
}

/// Lets somebody at a page that is in the trash, where nobody comes who may not edit it, not even to read.
///
/// # Errors
/// As [`open`], and [`AccessError::NotFound`] for a page that is not in the trash.
pub async fn open_trashed<P: Grants>(db: &impl ConnectionTrait, user: UserId, id: DocumentId) -> Result<DocumentAccess<P>, AccessError> {
    let seen = see(db, user, id).await?;
    if seen.document.deleted_at.is_none() {
        return Err(AccessError::NotFound);
    }
    seen.may(P::LEVEL.max(Level::Edit))
}

/// A page that somebody at least sees.
struct Seen {
    user: UserId,
    role: Role,
    level: Level,
    document: document::Model,
}

impl Seen {
    fn may<P>(self, needed: Level) -> Result<DocumentAccess<P>, AccessError> {
        let Self {
            user,
            role,
            level,
            document,
        } = self;
        if level < needed {
            return Err(AccessError::Forbidden);
        }
        Ok(DocumentAccess {
            user,
            role,
            level,
            document,
            proves: PhantomData,
        })
    }
}

async fn see(db: &impl ConnectionTrait, user: UserId, id: DocumentId) -> Result<Seen, AccessError> {
    let found = level::resolve(db, user, id).await?;
    let (role, level, document) = found.filter(|(_, level, _)| *level >= Level::View).ok_or(AccessError::NotFound)?;
    Ok(Seen {
        user,
        role,
        level,
        document,
    })
}
