//! One run: everybody joins, the writers write by a schedule that does not wait for the server, everything that
//! arrives is counted, and the last edits get a moment to arrive. One thread, one poll, and an end to every wait.

use crate::{
    args::{Args, Protocol},
    client::{Client, Phase, Plan, Ready},
    process::{self, Usage},
    server::Servers,
    setup::Setup,
    speech::{Around, Gone, Speech},
    tally::{Clock, Sheet, Tally},
    tip::Tip,
};
use anyhow::{Result, bail};
use mio::{Events, Interest, Poll, Token};
use std::time::Duration;

const SECOND: u64 = 1_000_000;
/// Connections that are being made at the same time.
const JOINING_AT_ONCE: usize = 64;
/// How long a visitor stays.
const VISIT: u64 = SECOND;
/// A frame of the usual size fits many times; a large one comes in parts.
const BUFFER: usize = 256 << 10;
/// Edits that are written between two looks at the sockets: who is behind still listens.
const EDITS: usize = 32;
/// Sockets that are served between two looks at the schedule.
const EVENTS: usize = 256;

/// A run in progress.
pub struct Load<'a> {
    args: &'a Args,
    servers: &'a Servers,
    tokens: Vec<String>,
    clock: Clock,
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
    sheets: Vec<Sheet>,
    /// The clients first, then the visitors, by the number that the poll knows them by.
    clients: Vec<Option<Client>>,
    joining: usize,
    tally: Tally,
}

/// What a run gives.
pub struct Outcome {
    /// The counts.
    pub tally: Tally,
    /// What it cost, from the beginning of the measurement until the last edit had arrived.
    pub usage: Usage,
    /// Seconds of that.
    pub window_secs: f64,
    /// Memory of the servers while everybody was there, in megabytes: the most, and the present.
    pub peak_mb: Option<f64>,
    /// See `peak_mb`.
    pub now_mb: Option<f64>,
    /// Clients that were there at the end.
    pub clients_left: usize,
}

impl<'a> Load<'a> {
    /// Everything that is needed, and nobody connected yet.
    pub fn new(args: &'a Args, servers: &'a Servers, setup: Setup) -> Result<Self> {
        let writers = args.writers as usize;
        let tip = || (args.protocol != Protocol::Json && writers > 0).then(Tip::default);
        Ok(Self {
            args,
            servers,
            tokens: setup.tokens,
            clock: Clock::start(),
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS),
            buffer: vec![0; BUFFER],
            sheets: setup.pages.into_iter().map(|page| Sheet::new(page, writers, tip())).collect(),
            clients: Vec::new(),
            joining: 0,
            tally: Tally::default(),
        })
    }

    /// Runs it from the first connection to the last edit.
    pub fn run(mut self) -> Result<Outcome> {
        self.join()?;
        self.idle_for(SECOND / 2)?;
        let begin = self.clock.now();
        let measured = begin + self.args.warmup * SECOND;
        let mut schedule = Schedule::new(self.args, begin);
        self.write_until(&mut schedule, measured)?;
        let before = Usage::now(&self.servers.pids);
        self.tally.since = Some(self.clock.now());
        let started = self.clock.now();
        self.write_until(&mut schedule, measured + self.args.seconds * SECOND)?;
        self.tally.unsent += schedule.left(measured + self.args.seconds * SECOND);
        let drained = self.clock.now() + self.args.drain * SECOND;
        while !self.tally.is_complete() && self.clock.now() < drained {
            self.turn(self.clock.now() + SECOND / 100)?;
        }
        let usage = Usage::now(&self.servers.pids).since(&before);
        let window_secs = (self.clock.now() - started) as f64 / SECOND as f64;
        let clients_left = self.sheets.iter().map(|sheet| sheet.readers as usize).sum();
        let [peak_mb, now_mb] = ["VmHWM", "VmRSS"].map(|key| process::memory_mb(&self.servers.pids, key));
        self.clients.drain(..).flatten().for_each(Client::leave);
        Ok(Outcome {
            tally: self.tally,
            usage,
            window_secs,
            peak_mb,
            now_mb,
            clients_left,
        })
    }

    /// Lets all clients join, some at a time.
    fn join(&mut self) -> Result<()> {
        let until = self.clock.now() + self.args.join_within * SECOND;
        let all = self.args.all_clients();
        while self.clients.len() < all || self.joining > 0 {
            while self.clients.len() < all && self.joining < JOINING_AT_ONCE {
                self.open(self.clients.len(), false);
            }
            self.turn(self.clock.now() + SECOND / 100)?;
            if self.clock.now() > until {
                let what = format!("client not joined within {} s", self.args.join_within);
                *self.tally.errors.entry(what).or_default() += self.joining as u64;
                break;
            }
        }
        if self.sheets.iter().all(|sheet| sheet.readers == 0) {
            bail!("nobody could join: {:?}", self.tally.errors);
        }
        Ok(())
    }

    /// Begins a connection at a place in the list.
    fn open(&mut self, place: usize, is_visitor: bool) {
        let plan = self.plan(place, is_visitor);
        let token = Token(place);
        let opened = Client::open(plan, self.clock.now()).and_then(|mut client| {
            self.poll
                .registry()
                .register(&mut client.socket, token, Interest::READABLE | Interest::WRITABLE)?;
            Ok(client)
        });
        let client = opened.map_err(|error| self.tally.error(format!("cannot connect: {error}"))).ok();
        self.joining += usize::from(client.is_some() && !is_visitor);
        match self.clients.get_mut(place) {
            Some(free) => *free = client,
            None => self.clients.push(client),
        }
    }

    /// Clients are dealt out over the pages in turn; the first ones of a page write, the last one is its ear.
    fn plan(&self, place: usize, is_visitor: bool) -> Plan {
        let sheet = place % self.sheets.len();
        let number = (place / self.sheets.len()) as u32;
        let page = &self.sheets[sheet].page;
        let token = &self.tokens[place % self.tokens.len()];
        let name = format!("{place}-{}", self.clock.now());
        Plan {
            to: self.servers.addresses[place % self.servers.addresses.len()],
            path: format!("/ws/documents/{}?token={token}", page.id),
            sheet,
            speech: Speech::of(self.args.protocol, page, &name),
            writer: (!is_visitor && number < self.args.writers).then_some(number),
            is_ear: !is_visitor && number + 1 == self.args.clients,
            writers: if is_visitor { 0 } else { self.args.writers },
        }
    }

    fn idle_for(&mut self, micros: u64) -> Result<()> {
        let until = self.clock.now() + micros;
        while self.clock.now() < until {
            self.turn(until)?;
        }
        Ok(())
    }

    /// Writes what is due and hears what comes, until a moment.
    fn write_until(&mut self, schedule: &mut Schedule, end: u64) -> Result<()> {
        loop {
            let now = self.clock.now();
            if now >= end {
                return Ok(());
            }
            for (place, due) in std::iter::from_fn(|| schedule.next_edit(now)).take(EDITS) {
                self.write(place, due);
            }
            for _ in 0..schedule.visitors(now) {
                let free = self.clients.iter().skip(self.args.all_clients()).position(Option::is_none);
                self.open(free.map_or(self.clients.len(), |at| at + self.args.all_clients()), true);
            }
            self.turn(schedule.next_due().min(end))?;
            self.end_visits();
        }
    }

    fn write(&mut self, place: usize, due: u64) {
        let Some(client) = self
            .clients
            .get_mut(place)
            .and_then(Option::as_mut)
            .filter(|client| client.phase == Phase::Live)
        else {
            self.tally.unsent += u64::from(self.tally.since.is_some());
            return;
        };
        let sheet = &mut self.sheets[client.plan.sheet];
        let mut around = Around {
            tally: &mut self.tally,
            sheet,
            now: self.clock.now(),
            is_ear: client.plan.is_ear,
        };
        if let Err(gone) = client.write(due, self.args.keep, &mut around) {
            self.lose(place, gone);
        }
    }

    /// Waits for sockets until a moment at most, and serves those that are ready.
    fn turn(&mut self, until: u64) -> Result<()> {
        let wait = Duration::from_micros(until.saturating_sub(self.clock.now()));
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            let to_write = event.is_writable();
            let ended = event.is_read_closed() || event.is_error();
            self.serve(
                event.token().0,
                Ready {
                    to_write,
                    to_read: event.is_readable(),
                    ended,
                },
            );
        }
        self.events = events;
        Ok(())
    }

    fn serve(&mut self, place: usize, ready: Ready) {
        let Some(client) = self.clients.get_mut(place).and_then(Option::as_mut) else {
            return;
        };
        let was = client.phase;
        let now = self.clock.now();
        let sheet = &mut self.sheets[client.plan.sheet];
        let mut around = Around {
            tally: &mut self.tally,
            sheet,
            now,
            is_ear: client.plan.is_ear,
        };
        let served = client.on_ready(ready, &mut self.buffer, &mut around);
        if was != Phase::Live && client.phase == Phase::Live {
            let took = now - client.began;
            if place < self.args.all_clients() {
                self.joining -= 1;
                sheet.readers += 1;
                self.tally.joins.add(took);
            } else {
                client.began = now;
                self.tally.visits.add(took);
            }
        }
        if let Err(gone) = served {
            self.lose(place, gone);
        }
    }

    /// A client is gone that should not be. What it still had to get stays due: it did not get it.
    fn lose(&mut self, place: usize, gone: Gone) {
        if let Some(client) = self.clients.get_mut(place).and_then(Option::take) {
            if place < self.args.all_clients() && client.phase != Phase::Live {
                self.joining -= 1;
            } else if place < self.args.all_clients() {
                let sheet = &mut self.sheets[client.plan.sheet];
                sheet.readers -= 1;
            }
            let who = if place < self.args.all_clients() { "client" } else { "visitor" };
            self.tally.error(format!("{who} lost: {}", gone.0));
        }
    }

    fn end_visits(&mut self) {
        let now = self.clock.now();
        for visitor in self.clients.iter_mut().skip(self.args.all_clients()) {
            let is_over = |visitor: &Client| visitor.phase == Phase::Live && now - visitor.began > VISIT;
            if visitor.as_ref().is_some_and(is_over)
                && let Some(visitor) = visitor.take()
            {
                visitor.leave();
            }
        }
    }
}

/// When whose edit is due: evenly spread over time and over the writers of all pages, whatever the server does.
struct Schedule {
    begin: u64,
    writers: usize,
    edits_per_sec: f64,
    edits: u64,
    visits_per_sec: f64,
    visits: u64,
}

impl Schedule {
    fn new(args: &Args, begin: u64) -> Self {
        let writers = args.writers as usize * args.pages;
        let edits_per_sec = writers as f64 * args.rate;
        Self {
            begin,
            writers,
            edits_per_sec,
            edits: 0,
            visits_per_sec: args.churn,
            visits: 0,
        }
    }

    fn due(&self, count: u64, per_sec: f64) -> u64 {
        if per_sec > 0.0 {
            self.begin + (count as f64 / per_sec * SECOND as f64) as u64
        } else {
            u64::MAX
        }
    }

    /// The next edit that is due by now: the client's place and the moment.
    fn next_edit(&mut self, now: u64) -> Option<(usize, u64)> {
        let due = self.due(self.edits, self.edits_per_sec);
        (due < now).then(|| {
            let place = (self.edits % self.writers as u64) as usize;
            self.edits += 1;
            (place, due)
        })
    }

    /// How many edits before a moment were never written, beyond those of the last blink.
    fn left(&self, end: u64) -> u64 {
        let due = (end.saturating_sub(SECOND / 20 + self.begin) as f64 / SECOND as f64 * self.edits_per_sec) as u64;
        due.saturating_sub(self.edits)
    }

    /// How many visitors come now.
    fn visitors(&mut self, now: u64) -> usize {
        let mut come = 0;
        while self.due(self.visits, self.visits_per_sec) < now {
            self.visits += 1;
            come += 1;
        }
        come
    }

    /// When there is something to do again; a while from now at most.
    fn next_due(&self) -> u64 {
        self.due(self.edits, self.edits_per_sec)
            .min(self.due(self.visits, self.visits_per_sec))
    }
}

#[cfg(test)]
mod tests;
