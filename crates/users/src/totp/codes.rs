//! Recovery codes: eighty random bits each, kept as hashes, good once.

use super::by;
use entity::recovery_code;
use events::Change;
use kernel::{clock, id::*, secret};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, sea_query::Expr};

/// Codes of one set.
const COUNT: usize = 10;
/// Hexadecimal digits of a code, and of a group in it.
const DIGITS: usize = 20;
const GROUP: usize = 5;

/// Makes a set in place of the one before, and gives it as it is shown: `5f0c1-9b2e4-…`.
pub(super) async fn make(tx: &impl ConnectionTrait, user: UserId) -> Result<Vec<String>, DbErr> {
    remove(tx, user).await?;
    let codes: Vec<String> = (0..COUNT).map(|_| secret::token()[..DIGITS].to_owned()).collect();
    let rows = codes.iter().map(|code| {
        recovery_code::Model {
            id: RecoveryCodeId::new(),
            user_id: user,
            code_hash: secret::hash(code),
            used_at: None,
        }
        .into_active_model()
    });
    recovery_code::Entity::insert_many(rows).exec_without_returning(tx).await?;
    Ok(codes.iter().map(|code| grouped(code)).collect())
}

fn grouped(code: &str) -> String {
    let groups: Vec<&str> = (0..code.len()).step_by(GROUP).map(|at| &code[at..at + GROUP]).collect();
    groups.join("-")
}

pub(super) async fn remove(tx: &impl ConnectionTrait, user: UserId) -> Result<(), DbErr> {
    recovery_code::Entity::delete_many()
        .filter(recovery_code::Column::UserId.eq(user))
        .exec(tx)
        .await
        .map(drop)
}

/// Uses a code up. Of several who bring it at once, one does.
pub(super) async fn take(tx: &impl ConnectionTrait, user: UserId, code: &str) -> Result<bool, DbErr> {
    let used = recovery_code::Entity::update_many()
        .col_expr(recovery_code::Column::UsedAt, Expr::value(Some(clock::now())))
        .filter(recovery_code::Column::UserId.eq(user))
        .filter(recovery_code::Column::CodeHash.eq(secret::hash(code)))
        .filter(recovery_code::Column::UsedAt.is_null())
        .exec(tx)
        .await?;
    if used.rows_affected == 0 {
        return Ok(false);
    }
    events::append(tx, by(user), Change::RecoveryCodeUsed { user }).await?;
    Ok(true)
}

/// How many codes somebody has left.
///
/// # Errors
/// Only the database's.
pub async fn left(db: &impl ConnectionTrait, user: UserId) -> Result<u64, DbErr> {
    recovery_code::Entity::find()
        .filter(recovery_code::Column::UserId.eq(user))
        .filter(recovery_code::Column::UsedAt.is_null())
        .count(db)
        .await
}
