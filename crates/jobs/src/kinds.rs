//! Every kind of job there is.

pub mod archive_pages;
pub mod compact_page;
pub mod copy_pages;
pub mod erase_account;
pub mod export_account;
pub mod export_pages;
pub mod forget_imports;
pub mod forget_jobs;
pub mod import_pages;
pub mod index_page;
pub mod keep_events;
pub mod make_report;
pub mod make_thumbnail;
pub mod make_versions;
pub mod purge_exports;
pub mod purge_files;
pub mod purge_locks;
pub mod purge_pages;
pub mod purge_sessions;
pub mod purge_tokens;
pub mod purge_versions;
pub mod purge_workspaces;
pub mod seal_events;
pub mod send_invitation;
pub mod send_mail;
pub mod send_token;
pub mod snapshot_page;
#[cfg(test)]
pub(crate) mod trial;

pub use archive_pages::ArchivePages;
pub use compact_page::{CompactPage, CompactPages};
pub use copy_pages::CopyPages;
pub use erase_account::{EraseAccount, EraseAccounts};
pub use export_account::ExportAccount;
pub use export_pages::ExportPages;
pub use forget_imports::ForgetImports;
pub use forget_jobs::ForgetJobs;
pub use import_pages::ImportPages;
pub use index_page::{IndexPage, IndexPages};
pub use keep_events::KeepEvents;
pub use make_report::{MakeReport, MakeReports};
pub use make_thumbnail::MakeThumbnail;
pub use make_versions::MakeVersions;
pub use purge_exports::PurgeExports;
pub use purge_files::PurgeFiles;
pub use purge_locks::PurgeLocks;
pub use purge_pages::PurgePages;
pub use purge_sessions::PurgeSessions;
pub use purge_tokens::PurgeTokens;
pub use purge_versions::PurgeVersions;
pub use purge_workspaces::PurgeWorkspaces;
pub use seal_events::SealEvents;
pub use send_invitation::SendInvitation;
pub use send_mail::SendMail;
pub use send_token::SendToken;
pub use snapshot_page::{SnapshotPage, SnapshotPages};

use crate::{
    Job,
    job::parse,
    work::{Done, Trouble, Work},
};
#[cfg(test)]
use trial::Trial;

/// The kinds by their names. Another one is one more line.
macro_rules! kinds {
    ($($(#[$when:meta])* $job:ident),* $(,)?) => {
        /// Does what a job's kind says.
        pub(crate) async fn perform(work: &Work) -> Result<Done, Trouble> {
            let claim = work.claim();
            match claim.kind.as_str() {
                $($(#[$when])* <$job as Job>::KIND => parse::<$job>(claim.version, &claim.payload)?.run(work).await,)*
                // A newer version's, during a rolling update: another worker will take it.
                unknown => Err(Trouble::Retry(format!("this worker knows no {unknown:?}"))),
            }
        }

        /// The names of all kinds.
        pub const KINDS: &[&str] = &[$($(#[$when])* <$job as Job>::KIND),*];
    };
}

kinds! {
    SendMail,
    SendToken,
    SendInvitation,
    MakeReports,
    MakeReport,
    SnapshotPages,
    SnapshotPage,
    CompactPages,
    CompactPage,
    IndexPages,
    IndexPage,
    PurgeLocks,
    CopyPages,
    ArchivePages,
    PurgePages,
    MakeVersions,
    PurgeVersions,
    PurgeSessions,
    EraseAccounts,
    EraseAccount,
    ExportAccount,
    ExportPages,
    PurgeExports,
    PurgeTokens,
    PurgeWorkspaces,
    PurgeFiles,
    MakeThumbnail,
    SealEvents,
    KeepEvents,
    ForgetJobs,
    ImportPages,
    ForgetImports,
    #[cfg(test)]
    Trial,
}
