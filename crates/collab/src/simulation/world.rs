//! The schedule: what happens when, drawn from a seed.

use super::{
    json_client::{Copy, JsonClient},
    node::{Ended, Log, Node},
    replica::Replica,
};
use crate::room::Input;
use documents::{lock::Holder, patches};
use rand::{RngExt, SeedableRng, rngs::StdRng};

const NODES: usize = 2;

/// Everything there is.
pub struct World {
    rng: StdRng,
    log: Log,
    nodes: Vec<Node>,
    json: Vec<JsonClient>,
    replicas: Vec<Replica>,
    /// Inputs on their way to each node.
    wires: Vec<Vec<Input>>,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let log = Log::new();
        let nodes = (0..NODES).map(|_| Node::open(&log, StdRng::from_rng(&mut rng))).collect();
        let json = (0..3).map(JsonClient::new).collect();
        let replicas = (0..2).map(|i| Replica::new(i, &mut rng)).collect();
        Self {
            rng,
            log,
            nodes,
            json,
            replicas,
            wires: (0..NODES).map(|_| Vec::new()).collect(),
        }
    }

    /// Plays a number of steps, then brings everybody together and compares.
    pub fn play(mut self, steps: usize) {
        for _ in 0..steps {
            self.step();
        }
        self.come_together();
        self.compare();
    }

    fn step(&mut self) {
        match self.rng.random_range(0..100) {
            0..30 => {
                let i = self.rng.random_range(0..self.json.len());
                let inputs = self.json[i].edit(&mut self.rng);
                self.wires[self.json[i].node].extend(inputs);
            }
            30..50 => {
                let i = self.rng.random_range(0..self.replicas.len());
                self.replicas[i].edit(&mut self.rng);
                let inputs = self.replicas[i].say();
                self.wires[self.replicas[i].node].extend(inputs);
            }
            50..70 => {
                let node = self.rng.random_range(0..NODES);
                self.deliver(node, false);
            }
            70..80 => self.everybody_reads(0.5),
            80..85 => {
                let node = self.rng.random_range(0..NODES);
                self.nodes[node].read_on(&self.log);
            }
            85..93 => self.reconnect_somebody(),
            93..95 => self.disconnect_somebody(),
            95..97 => self.lock_or_unlock(),
            _ => {
                let node = self.rng.random_range(0..NODES);
                self.deliver(node, true);
            }
        }
    }

    /// Somebody takes the page or gives it back, an operation of the product does, or time passes over all of them.
    fn lock_or_unlock(&mut self) {
        let i = self.rng.random_range(0..self.json.len());
        match self.rng.random_range(0..6) {
            0..2 => {
                let inputs = self.json[i].lock();
                self.wires[self.json[i].node].extend(inputs);
            }
            2 => {
                let inputs = self.json[i].unlock();
                self.wires[self.json[i].node].extend(inputs);
            }
            // Whoever has it keeps it.
            3 => drop(self.log.take(Holder::Server(self.json[i].user))),
            4 => self.log.locks.clear(),
            _ => {
                let node = self.rng.random_range(0..NODES);
                self.nodes[node].look_at_locks(&self.log);
            }
        }
    }

    /// Hands a node what is on its wire. With `crash` it dies at some point of it.
    fn deliver(&mut self, node: usize, crash: bool) {
        let inputs = std::mem::take(&mut self.wires[node]);
        if self.nodes[node].handle(&mut self.log, inputs, crash) == Ended::Crashed || crash {
            self.nodes[node] = Node::open(&self.log, StdRng::from_rng(&mut self.rng));
            self.wires[node].clear();
            self.json
                .iter_mut()
                .filter(|client| client.node == node)
                .for_each(|client| client.conn = None);
            self.replicas
                .iter_mut()
                .filter(|replica| replica.node == node)
                .for_each(|replica| replica.conn = None);
        }
    }

    fn everybody_reads(&mut self, share: f64) {
        for i in 0..self.json.len() {
            if self.rng.random_bool(share) {
                self.json[i].read();
            }
        }
        for i in 0..self.replicas.len() {
            if self.rng.random_bool(share) {
                self.replicas[i].read();
                self.nothing_was_told_before_it_was_committed(i);
                let inputs = self.replicas[i].say();
                self.wires[self.replicas[i].node].extend(inputs);
            }
        }
    }

    /// Whatever a replica holds that it did not make itself is in the log.
    fn nothing_was_told_before_it_was_committed(&mut self, i: usize) {
        let replica = &mut self.replicas[i];
        let own = replica.doc.get_actor().clone();
        let heard: Vec<_> = replica
            .doc
            .get_changes(&[])
            .into_iter()
            .filter(|change| change.actor_id() != &own)
            .collect();
        for change in heard {
            let is_logged = self.log.rows.iter().any(|row| row.change_hash[..] == change.hash().0[..]);
            assert!(
                is_logged,
                "{} by {} was told and is not in the log",
                change.hash(),
                change.actor_id()
            );
        }
    }

    fn reconnect_somebody(&mut self) {
        let node = self.rng.random_range(0..NODES);
        let i = self.rng.random_range(0..self.json.len() + self.replicas.len());
        self.leave(i);
        let inputs = match i.checked_sub(self.json.len()) {
            None => self.json[i].connect(node),
            Some(i) => self.replicas[i].connect(node),
        };
        self.wires[node].extend(inputs);
    }

    fn disconnect_somebody(&mut self) {
        let i = self.rng.random_range(0..self.json.len() + self.replicas.len());
        self.leave(i);
    }

    /// A connection goes away; what it had not read is lost with it.
    fn leave(&mut self, i: usize) {
        let (conn, node) = match i.checked_sub(self.json.len()) {
            None => (self.json[i].conn.take(), self.json[i].node),
            Some(i) => (self.replicas[i].conn.take(), self.replicas[i].node),
        };
        if let Some(conn) = conn {
            self.wires[node].push(Input::Leave(conn));
        }
    }

    fn come_together(&mut self) {
        for i in 0..self.json.len() {
            self.leave(i);
            let inputs = self.json[i].connect(i % NODES);
            self.wires[i % NODES].extend(inputs);
        }
        for i in 0..self.replicas.len() {
            self.leave(self.json.len() + i);
            let inputs = self.replicas[i].connect(i % NODES);
            self.wires[i % NODES].extend(inputs);
        }
        // Nothing is lost any more: after enough rounds nobody has anything left to say.
        for round in 0..30 {
            if round == 20 {
                // Whatever a crash has left unsettled goes with the next edit.
                let inputs = self.json[0].types();
                self.wires[self.json[0].node].extend(inputs);
            }
            self.log.locks.clear();
            for node in 0..NODES {
                self.nodes[node].look_at_locks(&self.log);
                self.deliver(node, false);
                self.nodes[node].read_on(&self.log);
            }
            self.everybody_reads(1.0);
            self.send_again();
        }
    }

    /// Clients whose edits met an unavailable room come again.
    fn send_again(&mut self) {
        for i in 0..self.json.len() {
            if self.json[i].conn.is_none() || !self.json[i].pending.is_empty() {
                self.leave(i);
                let inputs = self.json[i].connect(i % NODES);
                self.wires[i % NODES].extend(inputs);
            }
        }
        for i in 0..self.replicas.len() {
            if self.replicas[i].conn.is_none() {
                let inputs = self.replicas[i].connect(i % NODES);
                self.wires[i % NODES].extend(inputs);
            }
        }
    }

    fn compare(mut self) {
        let truth = self.log.page(StdRng::seed_from_u64(0));
        let snapshot = patches::snapshot(truth.mirror());
        assert!(!truth.is_unsettled(), "the page says otherwise than it is seen");
        for node in &self.nodes {
            assert_eq!(node.room.head(), &self.log.head, "a room stands elsewhere");
            assert_eq!(node.room.page().heads(), truth.heads(), "a room has other heads");
            assert_eq!(patches::snapshot(node.room.page().mirror()), snapshot, "a room shows another page");
        }
        for replica in &mut self.replicas {
            let mut heads = replica.doc.get_heads();
            heads.sort();
            assert_eq!(heads, truth.heads(), "a replica has other heads");
        }
        let expected: Copy = snapshot["blocks"]
            .as_array()
            .expect("blocks")
            .iter()
            .map(|block| {
                let word = |key: &str| block[key].as_str().unwrap_or_default().to_owned();
                (word("id"), (word("text").encode_utf16().collect(), word("parent"), word("order")))
            })
            .collect();
        for client in &self.json {
            assert!(
                client.pending.is_empty(),
                "{}: {:?} was never answered",
                client.name,
                client.pending
            );
            assert_eq!(client.seq, Some(self.log.head.seq), "{} stands elsewhere", client.name);
            assert_eq!(client.copy, expected, "{} sees another page", client.name);
            for id in &client.acked {
                let rows = self
                    .log
                    .rows
                    .iter()
                    .filter(|row| row.message_id.as_ref().is_some_and(|key| key.ends_with(&format!(":{id}"))))
                    .count();
                assert!(rows <= 1, "{id} is in the log {rows} times");
            }
        }
    }
}
