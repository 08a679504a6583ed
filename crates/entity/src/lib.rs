//! The tables, one file each, as sea-orm sees them. The schema itself is made by `migration` alone.
//!
//! Rows are not responses: nothing here serialises for the outside.

pub mod administrator;
pub mod document;
pub mod document_actor;
pub mod document_archive;
pub mod document_change;
pub mod document_head;
pub mod document_projection;
pub mod document_snapshot;
pub mod event;
pub mod event_chain;
pub mod event_checkpoint;
pub mod job;
pub mod member;
pub mod refresh_token;
pub mod report;
pub mod report_subscription;
pub mod schedule;
pub mod session;
pub mod user;
pub mod workspace;
