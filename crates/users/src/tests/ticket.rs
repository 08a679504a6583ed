//! Tickets: good once, for their page, and only while the login goes on.

use super::Stage;
use crate::{Caller, Error, session, ticket};
use entity::socket_ticket;
use kernel::{clock, id::*};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, sea_query::Expr};
use std::time::Duration;

async fn ada(stage: &Stage) -> (Caller, String) {
    let signed_in = stage.ada().await;
    let caller = stage.accounts.person(&signed_in.access_token).await.expect("signed in");
    (caller, signed_in.refresh_token)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_come_with_one_ticket_one_gets_in() {
    let stage = Stage::new().await;
    let (ada, _) = ada(&stage).await;
    let ticket = ticket::issue(&stage.accounts, &ada, None).await.expect("a ticket");
    let mut tries = Vec::new();
    for _ in 0..8 {
        let (accounts, ticket) = (stage.accounts.clone(), ticket.clone());
        tries.push(tokio::task::spawn(async move {
            ticket::redeem(&accounts, &ticket, Some(DocumentId::new())).await
        }));
    }
    let mut callers = Vec::new();
    for one in tries {
        callers.extend(one.await.expect("no panic").ok());
    }
    assert_eq!(callers.len(), 1);
    assert_eq!((callers[0].user, callers[0].session()), (ada.user, ada.session()));
    assert_eq!(socket_ticket::Entity::find().count(stage.db()).await.expect("counted"), 0);
}

#[tokio::test]
async fn a_ticket_for_a_page_opens_that_page_alone() {
    let stage = Stage::new().await;
    let (ada, _) = ada(&stage).await;
    let page = DocumentId::new();
    for (place, opens) in [(Some(page), true), (Some(DocumentId::new()), false), (None, false)] {
        let ticket = ticket::issue(&stage.accounts, &ada, Some(page)).await.expect("a ticket");
        assert_eq!(ticket::redeem(&stage.accounts, &ticket, place).await.is_ok(), opens, "{place:?}");
        assert!(ticket::redeem(&stage.accounts, &ticket, Some(page)).await.is_err(), "used up");
    }
}

#[tokio::test]
async fn a_late_ticket_and_one_of_an_ended_login_are_refused() {
    let stage = Stage::new().await;
    let (ada, refresh) = ada(&stage).await;
    let late = ticket::issue(&stage.accounts, &ada, None).await.expect("a ticket");
    let unused = ticket::issue(&stage.accounts, &ada, None).await.expect("a ticket");
    socket_ticket::Entity::update_many()
        .col_expr(socket_ticket::Column::ExpiresAt, Expr::value(clock::now() - Duration::from_secs(1)))
        .filter(socket_ticket::Column::UserId.eq(ada.user))
        .exec(stage.db())
        .await
        .expect("changed");
    let ended = ticket::issue(&stage.accounts, &ada, None).await.expect("a ticket");
    assert!(matches!(
        ticket::redeem(&stage.accounts, &late, None).await,
        Err(Error::Unauthenticated)
    ));
    session::purge(stage.db()).await.expect("purged");
    assert!(matches!(
        ticket::redeem(&stage.accounts, &unused, None).await,
        Err(Error::Unauthenticated)
    ));
    assert_eq!(socket_ticket::Entity::find().count(stage.db()).await.expect("counted"), 1);
    session::logout(&stage.accounts, &refresh).await.expect("out");
    assert!(matches!(
        ticket::redeem(&stage.accounts, &ended, None).await,
        Err(Error::Unauthenticated)
    ));
    assert!(matches!(
        ticket::redeem(&stage.accounts, "nonsense", None).await,
        Err(Error::Unauthenticated)
    ));
}
