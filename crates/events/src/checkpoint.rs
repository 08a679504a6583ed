//! Checkpoints: the hash of one entry, signed with a key that is not in the database. Whoever can write to the database
//! could compute a whole new chain, but not sign it; and what was cut off is vouched for by the checkpoint where it was
//! cut.

use crate::{
    chain::{self, Hash},
    read,
};
use entity::{
    event,
    event_checkpoint::{self, Reason},
};
use hmac::{Hmac, KeyInit, Mac};
use kernel::{clock, id::*};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, sea_query::OnConflict};
use sha2::Sha256;

const DOMAIN: &[u8] = b"sheaf checkpoint 1";

/// The keys that sign checkpoints: the first signs, all verify.
#[derive(Clone)]
pub struct Seals {
    keys: Vec<(String, [u8; 32])>,
}

impl Seals {
    /// Keys by their ids.
    pub fn new(keys: Vec<(String, [u8; 32])>) -> Self {
        Self { keys }
    }

    fn signature(key: &[u8; 32], row: &event_checkpoint::Model) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
        mac.update(DOMAIN);
        mac.update(row.workspace_id.0.as_bytes());
        mac.update(&row.seq.to_be_bytes());
        mac.update(if row.reason == Reason::Cut { b"cut " } else { b"seal" });
        mac.update(&row.hash);
        Some(mac)
    }

    /// Whether a checkpoint is one of ours.
    pub fn judge(&self, row: &event_checkpoint::Model) -> Judgement {
        let Some((_, key)) = self.keys.iter().find(|(kid, _)| *kid == row.key_id) else {
            return Judgement::UnknownKey;
        };
        match Self::signature(key, row).map(|mac| mac.verify_slice(&row.signature)) {
            Some(Ok(())) => Judgement::Good,
            _ => Judgement::Forged,
        }
    }
}

/// What a checkpoint's signature is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Signed with a key of ours.
    Good,
    /// Signed with a key that is no longer configured: nobody can tell.
    UnknownKey,
    /// Not signed by whom it says.
    Forged,
}

/// Signs a place of a chain. Signing it again is no harm.
pub(crate) async fn sign(
    tx: &impl ConnectionTrait,
    seals: &Seals,
    (workspace, seq, hash): (WorkspaceId, i64, Hash),
    reason: Reason,
) -> Result<(), DbErr> {
    let (key_id, key) = seals
        .keys
        .first()
        .ok_or_else(|| DbErr::Custom("there is no key to sign with".to_owned()))?;
    let mut row = event_checkpoint::Model {
        workspace_id: workspace,
        seq,
        reason,
        hash: hash.to_vec(),
        key_id: key_id.clone(),
        signature: Vec::new(),
        created_at: clock::now(),
    };
    let mac = Seals::signature(key, &row).ok_or_else(|| DbErr::Custom("the key cannot sign".to_owned()))?;
    row.signature = mac.finalize().into_bytes().to_vec();
    let same = OnConflict::columns([
        event_checkpoint::Column::WorkspaceId,
        event_checkpoint::Column::Seq,
        event_checkpoint::Column::Reason,
    ])
    .do_nothing()
    .to_owned();
    event_checkpoint::Entity::insert(row.into_active_model())
        .on_conflict(same)
        .exec_without_returning(tx)
        .await
        .map(drop)
}

/// Seals where up to `limit` chains stand, of those that have grown since their last seal, behind `after` in the order of
/// their ids. Gives the last one, to go on from.
///
/// # Errors
/// Only the database's.
pub async fn seal(tx: &impl ConnectionTrait, seals: &Seals, after: Option<WorkspaceId>, limit: u64) -> Result<Option<WorkspaceId>, DbErr> {
    let chains = read::chains(tx, after, limit).await?;
    for chain in &chains {
        let place = (chain.workspace_id, chain.seq, chain::from_bytes(&chain.hash));
        sign(tx, seals, place, Reason::Seal).await?;
    }
    Ok(chains.last().map(|chain| chain.workspace_id))
}

/// The hash that stands at an entry.
pub(crate) async fn hash_at(db: &impl ConnectionTrait, workspace: WorkspaceId, seq: i64) -> Result<Option<Hash>, DbErr> {
    let row = read::of_chain(event::Entity::find(), workspace)
        .filter(event::Column::Seq.eq(seq))
        .one(db)
        .await?;
    Ok(row.and_then(|row| row.hash).map(|hash| chain::from_bytes(&hash)))
}
