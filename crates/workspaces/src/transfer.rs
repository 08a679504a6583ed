//! Handing a workspace on: a member owns it, and who owned it is an admin from then on.

use crate::{
    Error,
    access::{Access, DeleteWorkspace},
    member,
};
use entity::{member as rows, user};
use events::Change;
use kernel::{id::*, role::Role};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter};

/// Makes a member the owner in the caller's place, at once. Other owners stay what they are.
///
/// # Errors
/// [`Error::NotFound`] for whoever is no member or has closed their account, [`Error::RoleTooHigh`] when the caller owns it
/// no more, [`Error::Invalid`] for the caller's own id.
pub async fn transfer(tx: &DatabaseTransaction, access: &Access<DeleteWorkspace>, to: UserId) -> Result<(), Error> {
    if member::role_under_lock(tx, access).await? != Role::Owner {
        return Err(Error::RoleTooHigh);
    }
    if to == access.user() {
        let field = kernel::error::Field::new("/user_id", "invalid", "is you");
        return Err(Error::Invalid(vec![field]));
    }
    let account = user::Entity::find_by_id(to).filter(user::Column::DeletedAt.is_null());
    account.one(tx).await?.ok_or(Error::NotFound)?;
    let was = set(tx, access.workspace(), to, Role::Owner).await?;
    set(tx, access.workspace(), access.user(), Role::Admin).await?;
    if was != Role::Owner {
        let raised = Change::MemberRoleChanged {
            member: to,
            from: was,
            to: Role::Owner,
        };
        events::append(tx, access.by(), raised).await?;
    }
    let lowered = Change::MemberRoleChanged {
        member: access.user(),
        from: Role::Owner,
        to: Role::Admin,
    };
    events::append(tx, access.by(), lowered).await?;
    let handed_on = Change::OwnershipTransferred {
        member: to,
        from: access.user(),
    };
    events::append(tx, access.by(), handed_on).await?;
    Ok(())
}

/// Sets a member's role, and gives what they were.
async fn set(tx: &DatabaseTransaction, workspace: WorkspaceId, user: UserId, role: Role) -> Result<Role, Error> {
    let row = rows::Entity::find_by_id((workspace, user)).one(tx).await?.ok_or(Error::NotFound)?;
    let was = row.role;
    let mut row = row.into_active_model();
    row.role = Set(role);
    row.update(tx).await?;
    Ok(was)
}
