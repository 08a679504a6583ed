//! How much a workspace may have, where whoever runs the instance says so. Asked in the transaction that adds something,
//! while nobody else can.

use crate::{
    Error,
    access::{Access, CreateDocuments, DocumentAccess, EditDocument},
    hold, usage,
};
use entity::{document, member};
use kernel::{id::WorkspaceId, role::Role};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter};

/// The limits of every workspace; none where nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quotas {
    /// Members who are no guests.
    pub members: Option<u64>,
    /// Pages, those in the trash too.
    pub documents: Option<u64>,
    /// Bytes of pages, from which on no page is made.
    pub bytes: Option<u64>,
    /// Bytes of files, those that are still coming too.
    pub storage_bytes: Option<u64>,
}

/// Insists that one more of this role may belong to a workspace that is held.
pub(crate) async fn check_member(tx: &DatabaseTransaction, workspace: WorkspaceId, role: Role, quotas: &Quotas) -> Result<(), Error> {
    let Some(most) = quotas.members.filter(|_| role > Role::Guest) else {
        return Ok(());
    };
    let members = member::Entity::find()
        .filter(member::Column::WorkspaceId.eq(workspace))
        .filter(member::Column::Role.ne(Role::Guest));
    if members.count(tx).await? < most {
        Ok(())
    } else {
        Err(Error::QuotaExceeded("members"))
    }
}

/// Insists that a workspace may have one more page, and keeps others from making one until the transaction ends.
///
/// # Errors
/// [`Error::QuotaExceeded`].
pub async fn check_document(tx: &DatabaseTransaction, access: &Access<CreateDocuments>, quotas: &Quotas) -> Result<(), Error> {
    check_documents(tx, access, 1, quotas).await
}

/// The same for several pages at once.
///
/// # Errors
/// [`Error::QuotaExceeded`].
pub async fn check_documents(tx: &DatabaseTransaction, access: &Access<CreateDocuments>, more: u64, quotas: &Quotas) -> Result<(), Error> {
    if quotas.documents.is_none() && quotas.bytes.is_none() {
        return Ok(());
    }
    hold::living(tx, access.workspace()).await?;
    if let Some(most) = quotas.documents {
        let documents = document::Entity::find().filter(document::Column::WorkspaceId.eq(access.workspace()));
        if documents.count(tx).await?.saturating_add(more) > most {
            return Err(Error::QuotaExceeded("documents"));
        }
    }
    match quotas.bytes {
        Some(most) if usage::bytes(tx, access.workspace()).await? >= most => Err(Error::QuotaExceeded("bytes")),
        _ => Ok(()),
    }
}

/// Insists that a workspace may have so many more bytes of files, and keeps others from taking them until the transaction
/// ends.
///
/// # Errors
/// [`Error::QuotaExceeded`].
pub async fn check_storage(
    tx: &DatabaseTransaction,
    access: &DocumentAccess<EditDocument>,
    more: u64,
    quotas: &Quotas,
) -> Result<(), Error> {
    storage(tx, access.workspace(), more, quotas).await
}

/// The same for files of pages that are being made.
///
/// # Errors
/// [`Error::QuotaExceeded`].
pub async fn check_storage_of_new(
    tx: &DatabaseTransaction,
    access: &Access<CreateDocuments>,
    more: u64,
    quotas: &Quotas,
) -> Result<(), Error> {
    storage(tx, access.workspace(), more, quotas).await
}

async fn storage(tx: &DatabaseTransaction, workspace: WorkspaceId, more: u64, quotas: &Quotas) -> Result<(), Error> {
    let Some(most) = quotas.storage_bytes else { return Ok(()) };
    hold::living(tx, workspace).await?;
    if usage::storage_bytes(tx, workspace).await?.saturating_add(more) > most {
        return Err(Error::QuotaExceeded("bytes of files"));
    }
    Ok(())
}
