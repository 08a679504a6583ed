//! Invitations by mail: made, mailed again, taken back. Rows hold the hash of a token alone; the letter's job derives the
//! token when it sends it. Whether an address has an account is told to nobody.

mod accept;
mod letter;

pub use accept::{Joined, Ticket, accept, decline};
pub(crate) use accept::{by_token, check_open};
pub use letter::{Letter, letter};

use crate::{
    Error,
    access::{self, Access, ManageMembers, ReadMembers},
    hold, people, settings,
};
use entity::{invitation, member, user, workspace};
use events::Change;
use kernel::{
    clock::{self, Time},
    email,
    error::Field,
    id::*,
    role::{Level, Role},
    secret::Mint,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
};
use std::{collections::HashMap, time::Duration};

/// What tokens are derived for.
const PURPOSE: &str = "invitation";
/// How long an invitation is good after its last letter.
const GOOD_FOR: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How long it takes until the next letter.
const AGAIN_AFTER: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
/// Letters to one address within an hour.
const AN_HOUR: usize = 5;
/// Addresses in one request.
const MAX_AT_ONCE: usize = 50;
/// Invitations of a workspace that wait for an answer.
const MAX_PENDING: u64 = 1_000;
/// The longest message, in characters.
const MAX_MESSAGE: usize = 1_000;

/// Who is to be invited.
#[derive(Clone, Debug, Default)]
pub struct NewInvitations {
    /// The addresses.
    pub emails: Vec<String>,
    /// As what; a member when nothing is said.
    pub role: Option<Role>,
    /// What the inviter says.
    pub message: Option<String>,
    /// A page that is granted with it, at a level.
    pub grant: Option<(DocumentId, Level)>,
}

/// What became of one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A letter is on its way.
    Invited(Box<invitation::Model>),
    /// There is an invitation that waits for an answer.
    AlreadyInvited(InvitationId),
    /// Somebody with that address belongs to the workspace.
    AlreadyMember,
    /// The address got enough letters within the hour.
    TooMany,
}

/// An invitation and who invites, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The row.
    pub row: invitation::Model,
    /// The inviter's name.
    pub inviter: Option<String>,
}

/// Whether somebody of this role may invite as `wanted`: whoever may give it, and members up to their own role where the
/// workspace lets them.
async fn may_invite(tx: &impl ConnectionTrait, workspace: WorkspaceId, role: Option<Role>, wanted: Role) -> Result<(), Error> {
    match role {
        Some(role) if role.may_assign(wanted) => Ok(()),
        Some(Role::Owner | Role::Admin) => Err(Error::RoleTooHigh),
        Some(Role::Member) if settings::of(tx, workspace).await?.member_invites => {
            if wanted <= Role::Member {
                Ok(())
            } else {
                Err(Error::RoleTooHigh)
            }
        }
        _ => Err(Error::Forbidden),
    }
}

/// Whether somebody could still invite as `role`: what they promised when they were more is void.
pub(crate) async fn still_may(tx: &impl ConnectionTrait, workspace: WorkspaceId, inviter: UserId, role: Role) -> Result<(), Error> {
    let now = access::role_in(tx, inviter, workspace).await?;
    match may_invite(tx, workspace, now, role).await {
        Err(Error::RoleTooHigh | Error::Forbidden) => Err(Error::InvitationOver("invitation_void")),
        other => other,
    }
}

/// The addresses as they are kept, each once, or every bad field.
fn parse(new: &NewInvitations) -> Result<(Vec<String>, Option<String>), Error> {
    let (mut emails, mut bad) = (Vec::new(), Vec::new());
    for (i, address) in new.emails.iter().take(MAX_AT_ONCE).enumerate() {
        match email::parse(address) {
            Ok(address) if emails.contains(&address) => {}
            Ok(address) => emails.push(address),
            Err(detail) => bad.push(Field::new(format!("/emails/{i}"), "invalid", detail)),
        }
    }
    if !(1..=MAX_AT_ONCE).contains(&new.emails.len()) {
        bad.push(Field::new("/emails", "out_of_range", format!("takes 1 to {MAX_AT_ONCE} addresses")));
    }
    let message = new.message.as_deref().map(str::trim).filter(|message| !message.is_empty());
    let is_plain = |text: &str| text.chars().count() <= MAX_MESSAGE && !text.chars().any(|c| c.is_control() && c != '\n');
    if message.is_some_and(|message| !is_plain(message)) {
        let detail = format!("takes at most {MAX_MESSAGE} characters of plain text");
        bad.push(Field::new("/message", "invalid", detail));
    }
    if bad.is_empty() {
        Ok((emails, message.map(str::to_owned)))
    } else {
        Err(Error::Invalid(bad))
    }
}

/// Invites people by mail, and says what became of each address. A letter follows from the fact.
///
/// # Errors
/// [`Error::Forbidden`] and [`Error::RoleTooHigh`] for what the caller may not give, [`Error::Invalid`] with every bad
/// field, [`Error::Archived`], [`Error::TooMany`].
pub async fn invite(
    tx: &DatabaseTransaction,
    access: &Access<ReadMembers>,
    mint: &Mint,
    new: &NewInvitations,
) -> Result<Vec<(String, Outcome)>, Error> {
    hold::open(tx, access.workspace()).await?;
    let role = new.role.unwrap_or(Role::Member);
    let own = access::role_in(tx, access.user(), access.workspace()).await?;
    may_invite(tx, access.workspace(), own, role).await?;
    let (emails, message) = parse(new)?;
    let waiting = pending(access.workspace()).count(tx).await?;
    if waiting + emails.len() as u64 > MAX_PENDING {
        return Err(Error::TooMany("invitations"));
    }
    let known = Known::of(tx, (access.workspace(), access.user()), &emails).await?;
    let mut outcomes = Vec::new();
    for email in emails {
        let outcome = match known.outcome(tx, &email).await? {
            Some(outcome) => outcome,
            None => Outcome::Invited(Box::new(
                insert(tx, access, mint, draft(access, new, &email, message.clone())).await?,
            )),
        };
        outcomes.push((email, outcome));
    }
    Ok(outcomes)
}

/// What is known of addresses: who belongs to the workspace, and who was invited.
struct Known {
    members: Vec<String>,
    /// Addresses that got as many letters within the hour as anybody shall.
    pestered: Vec<String>,
    invited: HashMap<String, invitation::Model>,
}

impl Known {
    async fn of(tx: &impl ConnectionTrait, (workspace, inviter): (WorkspaceId, UserId), emails: &[String]) -> Result<Self, DbErr> {
        let here = member::Entity::find()
            .select_only()
            .column(member::Column::UserId)
            .filter(member::Column::WorkspaceId.eq(workspace))
            .into_query();
        let members = user::Entity::find()
            .select_only()
            .column(user::Column::Email)
            .filter(user::Column::Email.is_in(emails))
            .filter(user::Column::Id.in_subquery(here))
            .into_tuple()
            .all(tx)
            .await?;
        let invited = pending(workspace).filter(invitation::Column::Email.is_in(emails)).all(tx).await?;
        Ok(Self {
            members,
            pestered: pestered(tx, (workspace, inviter), emails).await?,
            invited: invited.into_iter().map(|row| (row.email.clone(), row)).collect(),
        })
    }

    /// What there is to say of an address without inviting it. An invitation that has run out makes room for another.
    async fn outcome(&self, tx: &impl ConnectionTrait, email: &str) -> Result<Option<Outcome>, DbErr> {
        if self.members.iter().any(|member| member == email) {
            return Ok(Some(Outcome::AlreadyMember));
        }
        match self.invited.get(email) {
            Some(row) if row.expires_at > clock::now() => Ok(Some(Outcome::AlreadyInvited(row.id))),
            _ if self.pestered.iter().any(|pestered| pestered == email) => Ok(Some(Outcome::TooMany)),
            Some(row) => {
                let mut row = row.clone().into_active_model();
                row.revoked_at = Set(Some(clock::now()));
                row.update(tx).await?;
                Ok(None)
            }
            None => Ok(None),
        }
    }
}

/// Those of these addresses that this workspace or this person has written to too often within the hour, whatever became of
/// it: nobody is to be mailed again and again by who takes invitations back.
async fn pestered(tx: &impl ConnectionTrait, (workspace, inviter): (WorkspaceId, UserId), emails: &[String]) -> Result<Vec<String>, DbErr> {
    let from_here = Condition::any()
        .add(invitation::Column::WorkspaceId.eq(workspace))
        .add(invitation::Column::InvitedBy.eq(inviter));
    let recent: Vec<String> = invitation::Entity::find()
        .select_only()
        .column(invitation::Column::Email)
        .filter(invitation::Column::Email.is_in(emails))
        .filter(from_here)
        .filter(invitation::Column::SentAt.gt(clock::now() - HOUR))
        .into_tuple()
        .all(tx)
        .await?;
    let is_too_often = |email: &&String| recent.iter().filter(|known| known == email).count() >= AN_HOUR;
    Ok(emails.iter().filter(is_too_often).cloned().collect())
}

fn draft(access: &Access<ReadMembers>, new: &NewInvitations, email: &str, message: Option<String>) -> invitation::Model {
    let now = clock::now();
    invitation::Model {
        id: InvitationId::new(),
        workspace_id: access.workspace(),
        email: email.to_owned(),
        role: new.role.unwrap_or(Role::Member),
        document_id: new.grant.map(|(document, _)| document),
        level: new.grant.map(|(_, level)| level),
        message,
        token_hash: String::new(),
        invited_by: access.user(),
        created_at: now,
        sent_at: now,
        expires_at: now + GOOD_FOR,
        accepted_at: None,
        accepted_by: None,
        declined_at: None,
        revoked_at: None,
    }
}

/// Which of its tokens an invitation has: another letter has another.
fn generation(sent_at: Time) -> i64 {
    sent_at.timestamp_micros()
}

async fn insert(
    tx: &DatabaseTransaction,
    access: &Access<ReadMembers>,
    mint: &Mint,
    mut row: invitation::Model,
) -> Result<invitation::Model, DbErr> {
    (_, row.token_hash) = mint.issue(PURPOSE, row.id.0, generation(row.sent_at));
    invitation::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(tx)
        .await?;
    let change = Change::InvitationCreated {
        invitation: row.id,
        role: row.role,
    };
    events::append(tx, access.by(), change).await?;
    Ok(row)
}

/// Invitations that nobody has answered or taken back; some may have run out.
fn unanswered() -> Select<invitation::Entity> {
    invitation::Entity::find()
        .filter(invitation::Column::AcceptedAt.is_null())
        .filter(invitation::Column::DeclinedAt.is_null())
        .filter(invitation::Column::RevokedAt.is_null())
}

fn pending(workspace: WorkspaceId) -> Select<invitation::Entity> {
    unanswered().filter(invitation::Column::WorkspaceId.eq(workspace))
}

/// The invitations of a workspace that nobody has answered, newest first.
///
/// # Errors
/// Only the database's.
pub async fn list(db: &impl ConnectionTrait, access: &Access<ManageMembers>) -> Result<Vec<Listed>, DbErr> {
    let rows = pending(access.workspace())
        .order_by_desc(invitation::Column::Id)
        .limit(MAX_PENDING)
        .all(db)
        .await?;
    let names = people::names(db, rows.iter().map(|row| row.invited_by)).await?;
    let listed = |row: invitation::Model| Listed {
        inviter: names.get(&row.invited_by).cloned(),
        row,
    };
    Ok(rows.into_iter().map(listed).collect())
}

/// The invitations that wait for somebody whose address is proven, each with its workspace, newest first. Others are told
/// of none: an address that nobody has proven may be somebody else's.
///
/// # Errors
/// Only the database's.
pub async fn own(db: &impl ConnectionTrait, user: &user::Model) -> Result<Vec<(Listed, workspace::Model)>, DbErr> {
    if user.email_verified_at.is_none() {
        return Ok(Vec::new());
    }
    let rows = unanswered()
        .filter(invitation::Column::Email.eq(&user.email))
        .filter(invitation::Column::ExpiresAt.gt(clock::now()))
        .order_by_desc(invitation::Column::Id)
        .limit(MAX_PENDING)
        .all(db)
        .await?;
    let homes = workspace::Entity::find()
        .filter(workspace::Column::Id.is_in(rows.iter().map(|row| row.workspace_id)))
        .filter(workspace::Column::DeletedAt.is_null())
        .all(db)
        .await?;
    let homes: HashMap<WorkspaceId, workspace::Model> = homes.into_iter().map(|row| (row.id, row)).collect();
    let names = people::names(db, rows.iter().map(|row| row.invited_by)).await?;
    let listed = rows.into_iter().filter_map(|row| {
        let home = homes.get(&row.workspace_id)?.clone();
        let inviter = names.get(&row.invited_by).cloned();
        Some((Listed { row, inviter }, home))
    });
    Ok(listed.collect())
}

/// The invitation that the caller wants to change, held until the transaction ends.
async fn target(tx: &DatabaseTransaction, access: &Access<ManageMembers>, id: InvitationId) -> Result<invitation::Model, Error> {
    hold::living(tx, access.workspace()).await?;
    let own = access::role_in(tx, access.user(), access.workspace())
        .await?
        .ok_or(Error::NotFound)?;
    let row = pending(access.workspace())
        .filter(invitation::Column::Id.eq(id))
        .one(tx)
        .await?
        .ok_or(Error::NotFound)?;
    if own.may_assign(row.role) {
        Ok(row)
    } else {
        Err(Error::RoleTooHigh)
    }
}

/// Takes an invitation back.
///
/// # Errors
/// [`Error::NotFound`] for one that was answered or is of another workspace, [`Error::RoleTooHigh`].
pub async fn revoke(tx: &DatabaseTransaction, access: &Access<ManageMembers>, id: InvitationId) -> Result<(), Error> {
    let mut row = target(tx, access, id).await?.into_active_model();
    row.revoked_at = Set(Some(clock::now()));
    row.update(tx).await?;
    events::append(tx, access.by(), Change::InvitationRevoked { invitation: id }).await?;
    Ok(())
}

/// Mails an invitation again, with a new token: the one before opens nothing any more. It is good for as long as a new one
/// from then on, and whoever asks for it invites.
///
/// # Errors
/// As [`revoke`], [`Error::TooSoon`] within a minute of the last letter, [`Error::Archived`].
pub async fn resend(tx: &DatabaseTransaction, access: &Access<ManageMembers>, mint: &Mint, id: InvitationId) -> Result<Listed, Error> {
    hold::open(tx, access.workspace()).await?;
    let row = target(tx, access, id).await?;
    let now = clock::now();
    if row.sent_at + AGAIN_AFTER > now {
        return Err(Error::TooSoon);
    }
    let (_, token_hash) = mint.issue(PURPOSE, id.0, generation(now));
    let mut row = row.into_active_model();
    row.token_hash = Set(token_hash);
    row.sent_at = Set(now);
    row.expires_at = Set(now + GOOD_FOR);
    row.invited_by = Set(access.user());
    let row = row.update(tx).await?;
    events::append(tx, access.by(), Change::InvitationResent { invitation: id }).await?;
    let names = people::names(tx, [row.invited_by]).await?;
    Ok(Listed {
        inviter: names.get(&row.invited_by).cloned(),
        row,
    })
}
