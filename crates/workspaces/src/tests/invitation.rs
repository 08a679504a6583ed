//! Invitations by mail and by link: who may make them, for whom they are, and that each lets in whom it should, once.

use super::{Stage, make_user};
use crate::{
    Error, Quotas,
    access::{Access, ManageMembers, ReadMembers},
    invitation::{self, Joined, NewInvitations, Outcome, Ticket},
    invite_link::{self, NewLink},
    preview::preview,
    settings,
};
use backends::db::write;
use entity::{grant, invitation as rows, user};
use kernel::{clock, error::Explain, id::*, role::*, secret::Mint};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, DatabaseTransaction, EntityTrait, IntoActiveModel};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

fn mint() -> Mint {
    Mint::new([[7; 32]])
}

fn code<T>(result: Result<T, Error>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(error) => error.code(),
    }
}

fn to(email: &str, role: Role) -> NewInvitations {
    NewInvitations {
        emails: vec![email.to_owned()],
        role: Some(role),
        ..NewInvitations::default()
    }
}

impl Stage {
    async fn invites(&self, who: UserId, new: NewInvitations) -> Result<Vec<(String, Outcome)>, Error> {
        let access: Access<ReadMembers> = self.enters(who).await;
        write(self.db(), async |tx: &DatabaseTransaction| {
            invitation::invite(tx, &access, &mint(), &new).await
        })
        .await
    }

    /// Invites one address. Gives the invitation and the token of its letter.
    async fn invited(&self, who: UserId, email: &str, role: Role) -> (InvitationId, String) {
        let outcomes = self.invites(who, to(email, role)).await.expect("they may");
        let Outcome::Invited(row) = &outcomes[0].1 else {
            panic!("{outcomes:?}")
        };
        (row.id, self.token(row.id).await.expect("a letter"))
    }

    async fn token(&self, id: InvitationId) -> Option<String> {
        let letter = invitation::letter(self.db(), &mint(), id).await.expect("reads");
        letter.map(|letter| letter.token)
    }

    async fn user(&self, id: UserId) -> user::Model {
        user::Entity::find_by_id(id).one(self.db()).await.expect("reads").expect("is there")
    }

    async fn accepts(&self, who: UserId, ticket: &Ticket) -> Result<Joined, Error> {
        let user = self.user(who).await;
        write(self.db(), async |tx: &DatabaseTransaction| {
            invitation::accept(tx, &user, ticket, &Quotas::default()).await
        })
        .await
    }

    async fn opens(&self, who: UserId, token: &str) -> Result<Joined, Error> {
        self.accepts(who, &Ticket::Token(token.to_owned())).await
    }

    async fn changes(&self, id: InvitationId, change: impl FnOnce(&mut rows::ActiveModel)) {
        let row = rows::Entity::find_by_id(id).one(self.db()).await.expect("reads").expect("is there");
        let mut row = row.into_active_model();
        change(&mut row);
        row.update(self.db()).await.expect("updates");
    }

    async fn verifies(&self, who: UserId) {
        let mut row = self.user(who).await.into_active_model();
        row.email_verified_at = Set(Some(clock::now()));
        row.update(self.db()).await.expect("updates");
    }

    async fn link(&self, new: NewLink) -> Result<(InviteLinkId, String), Error> {
        let access: Access<ManageMembers> = self.enters(self.admin).await;
        let row = write(self.db(), async |tx: &DatabaseTransaction| {
            invite_link::create(tx, &access, &mint(), new).await
        })
        .await?;
        Ok((row.id, invite_link::token(&mint(), &row).expect("the key is there")))
    }
}

fn plain_link() -> NewLink {
    NewLink {
        role: Role::Member,
        email_domain: None,
        max_uses: None,
        expires_at: None,
    }
}

#[tokio::test]
async fn a_letter_lets_its_address_in_once() {
    let stage = Stage::new().await;
    let (id, token) = stage.invited(stage.admin, " Stranger@Example.org ", Role::Member).await;
    assert_eq!(preview(stage.db(), &token).await.expect("open").inviter.as_deref(), Some("admin"));
    let other = UserId::new();
    make_user(stage.db(), other, "other").await;
    assert_eq!(code(stage.opens(other, &token).await), "wrong_address");
    assert_eq!(code(stage.opens(stage.stranger, "00").await), "not_found");
    let joined = stage.opens(stage.stranger, &token).await.expect("for them");
    assert_eq!((joined.role, joined.proves_address), (Role::Member, true));
    assert_eq!(stage.role(stage.stranger).await, Some(Role::Member));
    assert_eq!(code(stage.opens(stage.stranger, &token).await), "already_member");
    stage.removes(stage.owner, stage.stranger).await.expect("an owner may");
    assert_eq!(
        code(stage.opens(stage.stranger, &token).await),
        "invitation_used",
        "it brings nobody back"
    );
    assert_eq!(code(preview(stage.db(), &token).await), "invitation_used");
    assert_eq!(stage.token(id).await, None, "and no letter is sent for it any more");
    assert_eq!(
        (stage.happened("invitation.accepted").await, stage.happened("member.added").await),
        (1, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_that_come_at_once_one_gets_in() {
    let stage = Stage::new().await;
    let (_, token) = stage.invited(stage.owner, "stranger@example.org", Role::Guest).await;
    let answers = futures_all(10, || stage.opens(stage.stranger, &token)).await;
    let let_in = answers.iter().filter(|answer| answer.is_ok()).count();
    let late = answers.into_iter().map(code).filter(|code| *code == "already_member").count();
    assert_eq!((let_in, late), (1, 9));
    assert_eq!(stage.happened("member.added").await, 1);
}

/// Polls some futures at once, on one connection each.
async fn futures_all<F: Future>(count: usize, make: impl Fn() -> F) -> Vec<F::Output> {
    let mut running: Vec<_> = (0..count).map(|_| (Box::pin(make()), None)).collect();
    std::future::poll_fn(|cx| {
        let mut is_over = true;
        for (future, output) in &mut running {
            if output.is_none() {
                match future.as_mut().poll(cx) {
                    std::task::Poll::Ready(value) => *output = Some(value),
                    std::task::Poll::Pending => is_over = false,
                }
            }
        }
        if is_over {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    running.into_iter().filter_map(|(_, output)| output).collect()
}

#[tokio::test]
async fn nobody_invites_above_themselves() {
    let stage = Stage::new().await;
    let try_as = async |who, role| code(stage.invites(who, to(&format!("{}@example.org", UserId::new()), role)).await);
    for (who, answers) in [
        (stage.member, ["forbidden", "forbidden", "forbidden", "forbidden"]),
        (stage.admin, ["ok", "ok", "role_too_high", "role_too_high"]),
        (stage.owner, ["ok", "ok", "ok", "ok"]),
    ] {
        for (role, answer) in [Role::Guest, Role::Member, Role::Admin, Role::Owner].into_iter().zip(answers) {
            assert_eq!(try_as(who, role).await, answer, "{role:?}");
        }
    }
    let access = stage.enters(stage.admin).await;
    let changes = settings::Changes {
        member_invites: Some(true),
        ..settings::Changes::default()
    };
    write(stage.db(), async |tx: &DatabaseTransaction| {
        settings::change(tx, &access, changes).await
    })
    .await
    .expect("an admin may");
    assert_eq!(try_as(stage.member, Role::Member).await, "ok");
    assert_eq!(try_as(stage.member, Role::Admin).await, "role_too_high");
}

#[tokio::test]
async fn what_an_inviter_promised_is_void_when_they_could_not_promise_it_now() {
    let stage = Stage::new().await;
    let (_, token) = stage.invited(stage.admin, "stranger@example.org", Role::Member).await;
    let (_, link) = stage.link(plain_link()).await.expect("an admin may");
    stage
        .changes_role(stage.owner, stage.admin, Role::Member)
        .await
        .expect("an owner may");
    assert_eq!(code(stage.opens(stage.stranger, &token).await), "invitation_void");
    assert_eq!(code(stage.opens(stage.stranger, &link).await), "invitation_void");
    assert_eq!(stage.role(stage.stranger).await, None);
}

#[tokio::test]
async fn an_address_is_told_apart_by_what_the_workspace_knows_of_it() {
    let stage = Stage::new().await;
    let new = NewInvitations {
        emails: ["member@example.org", "new@example.org", "NEW@example.org", "stranger@example.org"]
            .map(str::to_owned)
            .to_vec(),
        ..NewInvitations::default()
    };
    let statuses = async || {
        let all = stage.invites(stage.admin, new.clone()).await.expect("an admin may");
        all.into_iter()
            .map(|(_, outcome)| match outcome {
                Outcome::Invited(_) => "invited",
                Outcome::AlreadyInvited(_) => "already_invited",
                Outcome::AlreadyMember => "already_member",
                Outcome::TooMany => "too_many_letters",
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        statuses().await,
        ["already_member", "invited", "invited"],
        "with an account or without"
    );
    assert_eq!(statuses().await, ["already_member", "already_invited", "already_invited"]);
    let bad = NewInvitations {
        emails: vec!["ok@example.org".to_owned(), "bad".to_owned(), "a\nb@c.de".to_owned()],
        message: Some("x".repeat(1_001)),
        ..NewInvitations::default()
    };
    let fields = stage.invites(stage.admin, bad).await.expect_err("is refused").fields();
    let pointers: Vec<&str> = fields.iter().map(|field| &*field.pointer).collect();
    assert_eq!(pointers, ["/emails/1", "/emails/2", "/message"]);
}

#[tokio::test]
async fn another_letter_kills_the_token_before() {
    let stage = Stage::new().await;
    let (id, first) = stage.invited(stage.admin, "stranger@example.org", Role::Member).await;
    let access: Access<ManageMembers> = stage.enters(stage.owner).await;
    let resend = async || {
        write(stage.db(), async |tx: &DatabaseTransaction| {
            invitation::resend(tx, &access, &mint(), id).await
        })
        .await
    };
    assert_eq!(code(resend().await), "too_soon");
    stage.changes(id, |row| row.sent_at = Set(clock::now() - MINUTE * 2)).await;
    resend().await.expect("a minute later");
    let second = stage.token(id).await.expect("a letter");
    assert_ne!(first, second);
    assert_eq!(code(stage.opens(stage.stranger, &first).await), "not_found");
    assert_eq!(code(stage.opens(stage.stranger, &second).await), "ok");
}

#[tokio::test]
async fn what_ran_out_was_taken_back_or_declined_opens_nothing() {
    let stage = Stage::new().await;
    let (id, token) = stage.invited(stage.admin, "stranger@example.org", Role::Member).await;
    stage.changes(id, |row| row.expires_at = Set(clock::now() - MINUTE)).await;
    assert_eq!(code(stage.opens(stage.stranger, &token).await), "invitation_expired");
    assert_eq!(code(preview(stage.db(), &token).await), "invitation_expired");

    let (id, token) = stage.invited(stage.admin, "stranger@example.org", Role::Member).await;
    let access: Access<ManageMembers> = stage.enters(stage.admin).await;
    let revoke = async || {
        write(stage.db(), async |tx: &DatabaseTransaction| {
            invitation::revoke(tx, &access, id).await
        })
        .await
    };
    assert_eq!(code(revoke().await), "ok");
    assert_eq!(code(revoke().await), "not_found");
    assert_eq!(code(stage.opens(stage.stranger, &token).await), "invitation_revoked");

    let (_, token) = stage.invited(stage.admin, "stranger@example.org", Role::Member).await;
    let decline = async || {
        write(stage.db(), async |tx: &DatabaseTransaction| {
            invitation::decline(tx, None, &Ticket::Token(token.clone())).await
        })
        .await
    };
    assert_eq!(code(decline().await), "ok");
    assert_eq!(code(decline().await), "invitation_used");
    assert_eq!(code(stage.opens(stage.stranger, &token).await), "invitation_used");
    assert_eq!(stage.role(stage.stranger).await, None);
}

#[tokio::test]
async fn one_s_own_are_there_for_a_proven_address_alone() {
    let stage = Stage::new().await;
    let (id, _) = stage.invited(stage.admin, "stranger@example.org", Role::Member).await;
    let own = async || {
        invitation::own(stage.db(), &stage.user(stage.stranger).await)
            .await
            .expect("lists")
            .len()
    };
    assert_eq!(own().await, 0);
    assert_eq!(code(stage.accepts(stage.stranger, &Ticket::Id(id)).await), "not_found");
    stage.verifies(stage.stranger).await;
    assert_eq!(own().await, 1);
    let other = UserId::new();
    make_user(stage.db(), other, "other").await;
    stage.verifies(other).await;
    assert_eq!(code(stage.accepts(other, &Ticket::Id(id)).await), "not_found");
    assert_eq!(code(stage.accepts(stage.stranger, &Ticket::Id(id)).await), "ok");
}

#[tokio::test]
async fn the_role_of_a_member_is_not_changed_by_an_invitation() {
    let stage = Stage::new().await;
    let (_, token) = stage.invited(stage.owner, "stranger@example.org", Role::Guest).await;
    let (_, link) = stage.link(plain_link()).await.expect("an admin may");
    stage.joins(stage.stranger, Role::Admin).await;
    assert_eq!(code(stage.opens(stage.stranger, &token).await), "already_member");
    assert_eq!(code(stage.opens(stage.stranger, &link).await), "already_member");
    assert_eq!(stage.role(stage.stranger).await, Some(Role::Admin));
}

#[tokio::test]
async fn a_promised_page_is_granted_while_the_inviter_manages_it() {
    let stage = Stage::new().await;
    let page = stage.page(None, None).await;
    let new = NewInvitations {
        grant: Some((page, Level::Comment)),
        ..to("stranger@example.org", Role::Guest)
    };
    let outcomes = stage.invites(stage.admin, new).await.expect("an admin may");
    let Outcome::Invited(row) = &outcomes[0].1 else {
        panic!("{outcomes:?}")
    };
    let token = stage.token(row.id).await.expect("a letter");
    stage.opens(stage.stranger, &token).await.expect("for them");
    let granted = grant::Entity::find().all(stage.db()).await.expect("reads");
    assert_eq!(granted.len(), 1);
    assert_eq!(
        (granted[0].document_id, granted[0].user_id, granted[0].level),
        (Some(page), Some(stage.stranger), Level::Comment)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_lets_in_as_many_as_it_says() {
    let stage = Stage::new().await;
    let new = NewLink {
        max_uses: Some(3),
        ..plain_link()
    };
    let (_, token) = stage.link(new).await.expect("an admin may");
    let mut people = Vec::new();
    for i in 0..8 {
        let id = UserId::new();
        make_user(stage.db(), id, &format!("p{i}")).await;
        people.push(id);
    }
    let next = std::cell::Cell::new(0);
    let answers = futures_all(8, || {
        let id = people[next.replace(next.get() + 1)];
        stage.opens(id, &token)
    })
    .await;
    let mut codes: Vec<&str> = answers.into_iter().map(code).collect();
    codes.sort_unstable();
    assert_eq!(codes[..5], ["invitation_used"; 5]);
    assert_eq!(codes[5..], ["ok"; 3]);
    assert_eq!(stage.happened("member.added").await, 3);
}

#[tokio::test]
async fn a_link_of_a_domain_is_for_its_proven_addresses() {
    let stage = Stage::new().await;
    let new = NewLink {
        email_domain: Some("@Example.org".to_owned()),
        ..plain_link()
    };
    let (_, token) = stage.link(new).await.expect("an admin may");
    assert_eq!(code(stage.opens(stage.stranger, &token).await), "email_not_verified");
    let other = UserId::new();
    make_user(stage.db(), other, "other").await;
    let mut row = stage.user(other).await.into_active_model();
    row.email = Set("other@evil-example.org".to_owned());
    row.update(stage.db()).await.expect("updates");
    stage.verifies(other).await;
    assert_eq!(code(stage.opens(other, &token).await), "email_not_verified");
    stage.verifies(stage.stranger).await;
    assert_eq!(code(stage.opens(stage.stranger, &token).await), "ok");
}

#[tokio::test]
async fn a_link_makes_no_admins_and_ends() {
    let stage = Stage::new().await;
    let bad = NewLink {
        role: Role::Admin,
        email_domain: Some("nonsense".to_owned()),
        max_uses: Some(0),
        expires_at: Some(clock::now() - MINUTE),
    };
    let fields = stage.link(bad).await.expect_err("is refused").fields();
    assert_eq!(fields.len(), 4, "{fields:?}");
    let new = NewLink {
        expires_at: Some(clock::now() + Duration::from_millis(20)),
        ..plain_link()
    };
    let (id, token) = stage.link(new).await.expect("an admin may");
    while preview(stage.db(), &token).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert_eq!(code(stage.opens(stage.stranger, &token).await), "invitation_expired");
    let access: Access<ManageMembers> = stage.enters(stage.admin).await;
    write(stage.db(), async |tx: &DatabaseTransaction| {
        invite_link::revoke(tx, &access, id).await
    })
    .await
    .expect("an admin may");
    assert_eq!(code(stage.opens(stage.stranger, &token).await), "invitation_revoked");
    assert_eq!(invite_link::list(stage.db(), &access).await.expect("lists"), []);
}

#[tokio::test]
async fn nobody_comes_into_a_workspace_that_is_archived_or_in_the_trash() {
    let stage = Stage::new().await;
    let (_, token) = stage.invited(stage.admin, "stranger@example.org", Role::Member).await;
    let access = stage.enters(stage.owner).await;
    write(stage.db(), async |tx: &DatabaseTransaction| {
        crate::workspace::archive(tx, &access, true).await
    })
    .await
    .expect("an owner may");
    assert_eq!(code(stage.opens(stage.stranger, &token).await), "workspace_archived");
    stage.trashes().await;
    assert_eq!(code(stage.opens(stage.stranger, &token).await), "not_found");
    assert_eq!(code(preview(stage.db(), &token).await), "not_found");
}

#[tokio::test]
async fn nobody_is_written_to_again_and_again_by_who_takes_invitations_back() {
    let stage = Stage::new().await;
    let new = NewInvitations {
        emails: vec!["victim@example.org".to_owned()],
        ..NewInvitations::default()
    };
    for letter in 0..6 {
        let outcome = stage.invites(stage.admin, new.clone()).await.expect("an admin may").pop();
        match outcome {
            Some((_, Outcome::Invited(row))) if letter < 5 => {
                let mut row = row.into_active_model();
                row.revoked_at = Set(Some(clock::now()));
                row.update(stage.db()).await.expect("taken back");
            }
            Some((_, Outcome::TooMany)) if letter == 5 => {}
            other => panic!("letter {letter}: {other:?}"),
        }
    }
}
