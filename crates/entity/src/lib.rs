//! The tables, one file each, as sea-orm sees them. The schema itself is made by `migration` alone.
//!
//! Rows are not responses: nothing here serialises for the outside.

pub mod access_request;
pub mod access_version;
pub mod account_deletion;
pub mod account_export;
pub mod administrator;
pub mod api_key;
pub mod attachment;
pub mod avatar;
pub mod document;
pub mod document_actor;
pub mod document_archive;
pub mod document_change;
pub mod document_head;
pub mod document_lock;
pub mod document_projection;
pub mod document_snapshot;
pub mod event;
pub mod event_chain;
pub mod event_checkpoint;
pub mod grant;
pub mod group;
pub mod group_member;
pub mod identity;
pub mod invitation;
pub mod invite_link;
pub mod job;
pub mod member;
pub mod mfa_challenge;
pub mod oidc_flow;
pub mod recovery_code;
pub mod refresh_token;
pub mod report;
pub mod report_subscription;
pub mod schedule;
pub mod search_entry;
pub mod session;
pub mod share_link;
pub mod socket_ticket;
pub mod totp_factor;
pub mod user;
pub mod user_token;
pub mod workspace;
pub mod workspace_settings;
