//! How the edge behaves.

use super::class::Class;
use ipnet::IpNet;

/// What is let in, and from where.
#[derive(Clone, Debug, Default)]
pub struct Edge {
    /// How much.
    pub rates: Rates,
    /// Proxies whose word about where a request comes from is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// Names that the product answers to; any when there are none.
    pub allowed_hosts: Vec<String>,
    /// Other origins whose pages may call the product; `*` for all, which are never trusted with cookies then.
    pub cors_origins: Vec<String>,
    /// Where people reach the product, as an origin.
    pub own_origin: Option<String>,
    /// Whether they do so over https.
    pub is_https: bool,
}

/// Requests in a minute.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// Whether they are counted at all.
    pub is_on: bool,
    /// Of one caller or one address to what strangers may try secrets on.
    pub auth: u32,
    /// Of one caller, reading.
    pub reads: u32,
    /// Of one caller, everything else.
    pub writes: u32,
    /// Of one address altogether, however many callers share it.
    pub address: u32,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            is_on: true,
            auth: 60,
            reads: 3_000,
            writes: 1_200,
            address: 12_000,
        }
    }
}

impl Rates {
    /// How many of a class one caller may send in a minute.
    pub(super) fn of(&self, class: Class) -> u32 {
        match class {
            Class::Auth => self.auth,
            Class::Read => self.reads,
            Class::Write => self.writes,
        }
    }
}
