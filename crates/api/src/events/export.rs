//! The audit log as a download: read and written a batch at a time, so that its size does not matter.

use super::audit::Format;
use actix_web::{HttpResponse, error::ErrorInternalServerError, http::header};
use bytes::Bytes;
use entity::event;
use futures::stream::unfold;
use kernel::clock;
use sea_orm::DatabaseConnection;
use serde_json::{Value, json};
use workspaces::{
    access::{self, Access, AccessError, ReadAudit},
    activity::Wanted,
    audit,
};

/// Entries read at once.
const AT_ONCE: u64 = 500;

const COLUMNS: [&str; 8] = ["seq", "id", "created_at", "type", "user_id", "subject_id", "payload", "hash"];

struct Export {
    db: DatabaseConnection,
    access: Access<ReadAudit>,
    wanted: Wanted,
    format: Format,
    at: i64,
    has_begun: bool,
    is_over: bool,
}

/// The download. Before every batch it is asked again whether they may; who may not any more gets no more, and a connection
/// that breaks off.
pub(super) fn answer(db: DatabaseConnection, access: Access<ReadAudit>, wanted: Wanted, format: Format) -> HttpResponse {
    let (kind, ending) = match format {
        Format::Ndjson => ("application/x-ndjson", "ndjson"),
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
    };
    let name = format!("audit-log-{}.{ending}", clock::now().format("%Y-%m-%d"));
    let export = Export {
        db,
        access,
        wanted,
        format,
        at: 0,
        has_begun: false,
        is_over: false,
    };
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .streaming(unfold(export, Export::next))
}

impl Export {
    async fn read(&mut self) -> Result<Vec<event::Model>, AccessError> {
        self.access = access::enter_again(&self.db, &self.access).await?;
        Ok(audit::after(&self.db, &self.access, &self.wanted, self.at, AT_ONCE).await?)
    }

    async fn next(mut self) -> Option<(Result<Bytes, actix_web::Error>, Self)> {
        if self.is_over {
            return None;
        }
        let read = self.read().await;
        let entries = match read {
            Ok(entries) => entries,
            // The connection is cut: half an export must not look like a whole one.
            Err(error) => {
                tracing::warn!(%error, "an export of the audit log broke off");
                self.is_over = true;
                return Some((Err(ErrorInternalServerError("the export broke off")), self));
            }
        };
        self.is_over = (entries.len() as u64) < AT_ONCE;
        self.at = entries.last().and_then(|last| last.seq).unwrap_or(self.at);
        let head = (!self.has_begun).then_some(COLUMNS);
        self.has_begun = true;
        let bytes = match self.format {
            Format::Ndjson => entries
                .iter()
                .map(|entry| format!("{}\n", object(entry)))
                .collect::<String>()
                .into(),
            Format::Csv => Bytes::from(table(head, &entries)),
        };
        Some((Ok(bytes), self))
    }
}

fn cells(entry: &event::Model) -> [String; 8] {
    [
        entry.seq.unwrap_or_default().to_string(),
        entry.id.to_string(),
        entry.created_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        entry.kind.clone(),
        entry.user_id.map(|id| id.to_string()).unwrap_or_default(),
        entry.subject_id.map(|id| id.to_string()).unwrap_or_default(),
        entry.payload.clone(),
        entry.hash.as_deref().map(hex::encode).unwrap_or_default(),
    ]
}

fn object(entry: &event::Model) -> Value {
    let [seq, id, created_at, kind, user_id, subject_id, payload, hash] = cells(entry);
    let payload: Value = serde_json::from_str(&payload).unwrap_or_default();
    let none_if_empty = |text: String| if text.is_empty() { Value::Null } else { Value::String(text) };
    json!({
        "seq": seq.parse::<i64>().unwrap_or_default(), "id": id, "created_at": created_at, "type": kind,
        "user_id": none_if_empty(user_id), "subject_id": none_if_empty(subject_id), "payload": payload, "hash": hash,
    })
}

fn table(head: Option<[&str; 8]>, entries: &[event::Model]) -> Vec<u8> {
    let mut out = csv::Writer::from_writer(Vec::new());
    let head = head.map(|names| names.map(str::to_owned));
    for cells in head.into_iter().chain(entries.iter().map(cells)) {
        // Writing to memory does not fail, and every record has eight cells.
        drop(out.write_record(cells.map(harmless)));
    }
    out.into_inner().unwrap_or_default()
}

/// A cell that a spreadsheet would take for a formula is made a text.
fn harmless(cell: String) -> String {
    match cell.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => format!("'{cell}"),
        _ => cell,
    }
}

#[cfg(test)]
mod tests;
