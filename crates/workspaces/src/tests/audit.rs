//! The audit log: everything, for those who may read it.

use super::{Stage, activity::kinds};
use crate::{
    access::{self, Access, ReadAudit},
    activity::Wanted,
    audit,
};
use backends::db::write;
use events::{Change, checkpoint::Seals, verify::FaultKind};
use kernel::{error::Explain, id::*};
use sea_orm::{ConnectionTrait, DatabaseTransaction};

fn some(limit: u64) -> Wanted {
    Wanted {
        limit,
        ..Wanted::default()
    }
}

#[tokio::test]
async fn the_audit_log_has_everything_newest_first_and_for_exports_oldest_first() {
    let stage = Stage::new().await;
    let session = SessionId::new();
    let signed_in = Change::MemberSignedIn {
        member: stage.member,
        session,
    };
    stage.happens(Some(stage.member), [signed_in]).await;
    let failed = Change::JobFailed {
        job: JobId::new(),
        kind: "export".to_owned(),
    };
    stage.happens(None, [failed]).await;
    let access: Access<ReadAudit> = stage.enters(stage.admin).await;
    write(stage.db(), async |tx: &DatabaseTransaction| audit::exported(tx, &access).await)
        .await
        .expect("appends");
    stage.stamps().await;

    let newest = ["audit_log.exported", "job.failed", "member.signed_in", "workspace.created"];
    let all = audit::list(stage.db(), &access, &some(4)).await.expect("reads");
    assert_eq!((kinds(&all.events), all.next), (newest.to_vec(), None));
    assert_eq!(all.events[0].user_id, Some(stage.admin));
    let mut wanted = some(3);
    let first = audit::list(stage.db(), &access, &wanted).await.expect("reads");
    assert_eq!((kinds(&first.events), first.next), (newest[..3].to_vec(), Some(2)));
    wanted.before = first.next;
    let rest = audit::list(stage.db(), &access, &wanted).await.expect("reads");
    assert_eq!((kinds(&rest.events), rest.next), (newest[3..].to_vec(), None));

    let exported = audit::after(stage.db(), &access, &wanted, 1, 2).await.expect("reads");
    assert_eq!(kinds(&exported), ["member.signed_in", "job.failed"]);
    wanted.user = Some(stage.member);
    let exported = audit::after(stage.db(), &access, &wanted, 0, 100).await.expect("reads");
    assert_eq!(kinds(&exported), ["member.signed_in"]);
}

#[tokio::test]
async fn admins_and_owners_alone_read_the_audit_log_and_of_their_workspace_alone() {
    let mut stage = Stage::new().await;
    for (user, code) in [
        (stage.member, "forbidden"),
        (stage.guest, "forbidden"),
        (stage.stranger, "not_found"),
    ] {
        let refused = access::enter::<ReadAudit>(stage.db(), user, stage.workspace).await;
        assert_eq!(refused.err().map(|error| error.code()), Some(code));
    }
    stage.stamps().await;
    stage.workspace = stage.makes("Other", stage.stranger).await.expect("makes").id;
    stage
        .happens(
            Some(stage.stranger),
            [Change::WorkspaceUpdated {
                workspace: stage.workspace,
            }],
        )
        .await;
    stage.stamps().await;
    let access: Access<ReadAudit> = stage.enters(stage.stranger).await;
    let all = audit::list(stage.db(), &access, &some(100)).await.expect("reads");
    assert_eq!(kinds(&all.events), ["workspace.updated", "workspace.created"]);
    assert!(all.events.iter().all(|event| event.workspace_id == Some(stage.workspace)));
}

#[tokio::test]
async fn a_log_that_was_tampered_with_does_not_verify() {
    let stage = Stage::new().await;
    stage
        .happens(
            Some(stage.owner),
            [Change::WorkspaceUpdated {
                workspace: stage.workspace,
            }],
        )
        .await;
    stage.stamps().await;
    let access: Access<ReadAudit> = stage.enters(stage.owner).await;
    let seals = Seals::new(vec![("a".to_owned(), [7; 32])]);
    let verdict = audit::verify(stage.db(), &access, &seals).await.expect("reads");
    assert_eq!((verdict.fault, verdict.entries), (None, 2));

    let sql = "UPDATE events SET user_id = NULL WHERE seq = 2";
    stage.db().execute_unprepared(sql).await.expect("the database obeys");
    let fault = audit::verify(stage.db(), &access, &seals).await.expect("reads").fault;
    assert_eq!(fault.map(|fault| (fault.seq, fault.kind)), Some((2, FaultKind::Altered)));
}
