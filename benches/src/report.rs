//! What a run says in the end: one line of a table, and all figures as JSON.

use crate::{args::Args, histogram::Histogram, load::Outcome, process, server::Servers};
use anyhow::{Context, Result};
use serde::Serialize;
use std::{collections::BTreeMap, fmt::Display, path::Path};

/// Errors that are named below the line; the JSON has all.
const NAMED: usize = 5;

/// Durations, in milliseconds; nothing where nothing was timed.
#[derive(Serialize)]
pub struct Times {
    p50: Option<f64>,
    p99: Option<f64>,
    max: Option<f64>,
}

impl From<&Histogram> for Times {
    fn from(histogram: &Histogram) -> Self {
        Self {
            p50: histogram.quantile_ms(0.5),
            p99: histogram.quantile_ms(0.99),
            max: histogram.max_ms(),
        }
    }
}

/// All figures of a run. Times are in milliseconds, memory in megabytes, processor time in seconds unless named
/// otherwise.
#[derive(Serialize)]
pub struct Report {
    protocol: &'static str,
    pages: usize,
    clients_per_page: u32,
    writers_per_page: u32,
    edits_per_sec_per_writer: f64,
    seconds: u64,
    /// Edits sent, and those that were due but never written.
    edits: u64,
    unsent: u64,
    /// Arrivals at other clients, by right and in fact, and those that came twice.
    expected: u64,
    received: u64,
    duplicates: u64,
    delivered_share: Option<f64>,
    /// From sending to arrival at each other client.
    propagation_ms: Times,
    /// From sending to the server's word that it is committed.
    acks: u64,
    refused: u64,
    ack_ms: Times,
    /// From connecting to having the page: the clients before the load, visitors during it.
    join_ms: Times,
    visit_ms: Times,
    clients_left: usize,
    /// The servers, from the beginning of the measurement until the last arrival.
    window_secs: f64,
    server_cpu_secs: Option<f64>,
    server_cpu_ms_per_1000_deliveries: Option<f64>,
    server_peak_mb: Option<f64>,
    server_now_mb: Option<f64>,
    /// This program and the machine, to judge how far the figures are the server's.
    own_cpu_secs: Option<f64>,
    sent_late_ms: Times,
    load_average: Option<f64>,
    errors: BTreeMap<String, u64>,
    server_log: Vec<String>,
}

impl Report {
    /// Of a run that has ended, while its servers are still there.
    pub fn new(args: &Args, outcome: Outcome, servers: &Servers) -> Self {
        let Outcome {
            tally,
            usage,
            window_secs,
            peak_mb,
            now_mb,
            clients_left,
        } = outcome;
        let per_1000 = |secs: f64| (tally.received > 0).then(|| secs * 1e6 / tally.received as f64);
        Self {
            protocol: args.protocol.name(),
            pages: args.pages,
            clients_per_page: args.clients,
            writers_per_page: args.writers,
            edits_per_sec_per_writer: args.rate,
            seconds: args.seconds,
            edits: tally.edits,
            unsent: tally.unsent,
            expected: tally.expected,
            received: tally.received,
            duplicates: tally.again,
            delivered_share: (tally.expected > 0).then(|| tally.received as f64 / tally.expected as f64),
            propagation_ms: (&tally.propagation).into(),
            acks: tally.acked,
            refused: tally.refused,
            ack_ms: (&tally.acks).into(),
            join_ms: (&tally.joins).into(),
            visit_ms: (&tally.visits).into(),
            clients_left,
            window_secs,
            server_cpu_secs: usage.servers,
            server_cpu_ms_per_1000_deliveries: usage.servers.and_then(per_1000),
            server_peak_mb: peak_mb,
            server_now_mb: now_mb,
            own_cpu_secs: usage.own,
            sent_late_ms: (&tally.late).into(),
            load_average: process::load_average(),
            errors: tally.errors,
            server_log: servers.complaints(),
        }
    }

    /// The line of the table, and what went wrong below it.
    pub fn print(&self) {
        let share = self.delivered_share.map(|share| format!("{:.2}%", (share * 1e4).floor() / 100.0));
        let cells = [
            self.protocol.to_owned(),
            format!("{}x{}", self.pages, self.clients_per_page),
            format!("{}x{}", self.writers_per_page, self.edits_per_sec_per_writer),
            share.unwrap_or_else(|| "-".to_owned()),
            shown(self.propagation_ms.p50, 1),
            shown(self.propagation_ms.p99, 1),
            shown(self.propagation_ms.max, 0),
            shown(self.ack_ms.p50, 1),
            shown(self.ack_ms.p99, 1),
            shown(self.server_cpu_ms_per_1000_deliveries, 2),
            shown(self.server_cpu_secs, 1),
            shown(self.server_peak_mb, 0),
            shown(self.own_cpu_secs, 1),
            shown(self.sent_late_ms.p99, 1),
            shown(self.load_average, 2),
            (self.errors.values().sum::<u64>() + self.unsent).to_string(),
        ];
        line(&row(&cells));
        for (what, count) in self.errors.iter().take(NAMED) {
            line(&format!("  {count} x {what}"));
        }
        if self.edits != self.acks + self.refused {
            line(&format!(
                "  {} edits, {} acknowledged, {} refused, {} unsent",
                self.edits, self.acks, self.refused, self.unsent
            ));
        }
        for complaint in self.server_log.iter().take(NAMED) {
            line(&format!("  server: {}", complaint.trim()));
        }
    }
}

/// The heads of the table, in the order of the cells.
const COLUMNS: [&str; 16] = [
    "protocol",
    "pages x clients",
    "writers x rate",
    "delivered",
    "p50 ms",
    "p99 ms",
    "max ms",
    "ack p50",
    "ack p99",
    "cpu ms/1000",
    "cpu s",
    "peak MB",
    "own cpu s",
    "late p99",
    "load",
    "errors",
];

/// Prints the table's head.
pub fn print_head() {
    line(&row(&COLUMNS.map(str::to_owned)));
}

/// Writes all figures of all runs.
pub fn write_json(path: &Path, reports: &[Report]) -> Result<()> {
    let text = serde_json::to_string_pretty(reports).context("the figures do not serialise")?;
    std::fs::write(path, text + "\n").with_context(|| format!("cannot write {}", path.display()))
}

fn row(cells: &[String; 16]) -> String {
    let padded = cells
        .iter()
        .zip(COLUMNS)
        .map(|(cell, head)| format!("{cell:>width$}", width = head.len().max(if head == COLUMNS[0] { 14 } else { 7 })));
    padded.collect::<Vec<_>>().join("  ")
}

fn shown(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for, and this is where they leave it"
)]
fn line(text: &dyn Display) {
    println!("{text}");
}
