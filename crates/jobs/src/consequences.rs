//! What follows from facts: letters, words for the search index, thumbnails, and sign-ins in the logs of the workspaces that
//! somebody belongs to. Written in the transaction that stamps the fact, so each follows exactly once.

use crate::{
    Job,
    kinds::{IndexPage, MakeThumbnail, SendInvitation, SendMail, SendToken},
    letter::Mail,
};
use entity::{account_deletion, event, member, session, user, workspace};
use events::{By, Change};
use kernel::id::*;
use queue::{NewJob, Unique};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, QueryTrait};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// Writes what follows from these facts. Gives the queues that got jobs.
pub(crate) async fn of(tx: &impl ConnectionTrait, events: &[event::Model]) -> Result<BTreeSet<&'static str>, queue::Error> {
    sign_ins(tx, events).await?;
    let mut queues = BTreeSet::new();
    for event in events {
        if let Some(mut job) = letter(tx, event).await? {
            job.unique = Unique::Once(format!("mail:{}", event.id));
            job.workspace = event.workspace_id;
            queues.insert(job.queue);
            queue::add(tx, job).await?;
        }
        if let Some(job) = words(event)? {
            queues.insert(job.queue);
            queue::add(tx, job).await?;
        }
        if let Some(mut job) = thumbnail(event)? {
            job.unique = Unique::Once(format!("thumbnail:{}", event.id));
            job.workspace = event.workspace_id;
            queues.insert(job.queue);
            queue::add(tx, job).await?;
        }
    }
    Ok(queues)
}

/// What is said anew is put into the search index. Rooms ask for it themselves when an edited page has come to rest, because
/// only the first of many edits is a fact.
fn words(event: &event::Model) -> Result<Option<NewJob>, queue::Error> {
    let is_new = matches!(
        event.kind.as_str(),
        "document.created" | "document.updated" | "document.restored" | "document.moved_in"
    );
    let page = event.subject_id.filter(|_| is_new);
    let job = page.map(|id| IndexPage::once(DocumentId(id))).transpose()?;
    Ok(job.map(|job| NewJob {
        workspace: event.workspace_id,
        ..job
    }))
}

/// Of a picture that was uploaded thumbnails are made.
fn thumbnail(event: &event::Model) -> Result<Option<NewJob>, queue::Error> {
    if event.kind != "attachment.created" {
        return Ok(None);
    }
    let payload: Value = serde_json::from_str(&event.payload).unwrap_or_default();
    let is_picture = payload["media_type"].as_str().is_some_and(attachments::kind::is_picture);
    let attachment = payload["attachment"].as_str().and_then(|id| id.parse().ok()).filter(|_| is_picture);
    attachment.map(|attachment| MakeThumbnail { attachment }.job()).transpose()
}

/// The letter that follows from a fact.
async fn letter(tx: &impl ConnectionTrait, event: &event::Model) -> Result<Option<NewJob>, queue::Error> {
    let letter = match event.kind.as_str() {
        "member.added" => member_added(tx, event).await?,
        "user.closed" => account_closed(tx, event).await?,
        "session.revoked_on_reuse" => session_revoked(tx, event).await?,
        "invitation.created" | "invitation.resent" => return invitation(event),
        "user.registered" => return SendToken::VerifyEmail { user: event.user_id }.job().map(Some),
        "user.password_changed" => notice(tx, event, "Your password was changed").await?,
        "totp.enabled" => notice(tx, event, "Your account has a second factor now").await?,
        "totp.disabled" => notice(tx, event, "Your account has no second factor any more").await?,
        "recovery_codes.created" => notice(tx, event, "Your account has new recovery codes").await?,
        "recovery_code.used" => notice(tx, event, "A recovery code of your account was used").await?,
        _ => None,
    };
    letter.map(|letter| letter.job()).transpose()
}

/// Whoever was invited gets a letter, whose link is made when it is sent.
fn invitation(event: &event::Model) -> Result<Option<NewJob>, queue::Error> {
    let letter = event.subject_id.map(|id| SendInvitation {
        invitation: InvitationId(id),
    });
    letter.map(|letter| letter.job()).transpose()
}

/// A sign-in belongs to no tenant; every workspace that the person is a member of has it in its own log.
async fn sign_ins(tx: &impl ConnectionTrait, events: &[event::Model]) -> Result<(), DbErr> {
    let sign_ins: Vec<&event::Model> = events.iter().filter(|event| event.kind == "user.signed_in").collect();
    if sign_ins.is_empty() {
        return Ok(());
    }
    let living = workspace::Entity::find()
        .select_only()
        .column(workspace::Column::Id)
        .filter(workspace::Column::DeletedAt.is_null())
        .into_query();
    let members = member::Entity::find()
        .filter(member::Column::UserId.is_in(sign_ins.iter().filter_map(|event| event.user_id)))
        .filter(member::Column::WorkspaceId.in_subquery(living))
        .all(tx)
        .await?;
    let mut homes: HashMap<UserId, Vec<member::Model>> = HashMap::new();
    for member in members {
        homes.entry(member.user_id).or_default().push(member);
    }
    for event in sign_ins {
        let (Some(user), Some(session)) = (event.user_id, event.subject_id) else {
            continue;
        };
        let homes = homes.get(&user).into_iter().flatten();
        // Whoever joined since was a stranger when they signed in, and that is nobody's business.
        for home in homes.filter(|home| home.created_at <= event.created_at) {
            let by = By {
                workspace: Some(home.workspace_id),
                user: Some(user),
            };
            let change = Change::MemberSignedIn {
                member: user,
                session: SessionId(session),
            };
            events::append(tx, by, change).await?;
        }
    }
    Ok(())
}

async fn living_user(tx: &impl ConnectionTrait, id: Option<UserId>) -> Result<Option<user::Model>, DbErr> {
    let Some(id) = id else { return Ok(None) };
    user::Entity::find_by_id(id).filter(user::Column::DeletedAt.is_null()).one(tx).await
}

/// Whoever was made a member by somebody else is told.
async fn member_added(tx: &impl ConnectionTrait, event: &event::Model) -> Result<Option<SendMail>, DbErr> {
    let (Some(home), member) = (event.workspace_id, event.subject_id.map(UserId)) else {
        return Ok(None);
    };
    if member == event.user_id {
        return Ok(None);
    }
    let (to, by) = (living_user(tx, member).await?, living_user(tx, event.user_id).await?);
    let home = workspace::Entity::find_by_id(home).one(tx).await?;
    let (Some(to), Some(home)) = (to, home) else { return Ok(None) };
    let payload: Value = serde_json::from_str(&event.payload).unwrap_or_default();
    Ok(Some(SendMail {
        to: to.email,
        to_name: to.display_name,
        mail: Mail::MemberAdded {
            workspace: home.name,
            by: by.map_or_else(|| "Somebody".to_owned(), |by| by.display_name),
            role: payload["role"].as_str().unwrap_or("member").to_owned(),
            url: format!("/workspaces/{}", home.id),
        },
    }))
}

/// Whoever closes an account is told until when they can keep it; also in case it was not them.
async fn account_closed(tx: &impl ConnectionTrait, event: &event::Model) -> Result<Option<SendMail>, DbErr> {
    let Some(to) = living_user(tx, event.user_id).await? else {
        return Ok(None);
    };
    let Some(deletion) = account_deletion::Entity::find_by_id(to.id).one(tx).await? else {
        return Ok(None);
    };
    Ok(Some(SendMail {
        to: to.email,
        to_name: to.display_name,
        mail: Mail::AccountClosed {
            erased_at: deletion.due_at.format("%Y-%m-%d").to_string(),
            url: "/".to_owned(),
        },
    }))
}

/// A stolen login is worth a letter: its owner should change their password.
async fn session_revoked(tx: &impl ConnectionTrait, event: &event::Model) -> Result<Option<SendMail>, DbErr> {
    let Some(to) = living_user(tx, event.user_id).await? else {
        return Ok(None);
    };
    let login = match event.subject_id {
        Some(id) => session::Entity::find_by_id(SessionId(id)).one(tx).await?,
        None => None,
    };
    Ok(Some(SendMail {
        to: to.email,
        to_name: to.display_name,
        mail: Mail::SessionRevoked {
            at: event.created_at.format("%Y-%m-%d %H:%M UTC").to_string(),
            user_agent: login.map(|login| login.user_agent).unwrap_or_default(),
        },
    }))
}

/// Who guards an account is told that its guard has changed: it may have been somebody else.
async fn notice(tx: &impl ConnectionTrait, event: &event::Model, what: &str) -> Result<Option<SendMail>, DbErr> {
    let to = living_user(tx, event.user_id).await?;
    Ok(to.map(|to| SendMail {
        to: to.email,
        to_name: to.display_name,
        mail: Mail::AccountNotice {
            what: what.to_owned(),
            at: event.created_at.format("%Y-%m-%d %H:%M UTC").to_string(),
        },
    }))
}
