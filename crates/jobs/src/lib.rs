//! Background work: what is slow, or later, or every night.
//!
//! A job is a row in one table (crate `queue`), written in the transaction of the change that needs it. Workers run on
//! apalis ([`worker`], over our own [`source`]); an [`attempt`] keeps the lease, catches panics and writes down how it
//! ended. A job's effect is committed together with its end where it lies in the database ([`work::Work::commit`]), and can
//! be repeated where it does not. The [`relay`] turns facts into numbered log entries and into jobs; the [`schedule`]s
//! turn times into jobs. Every kind of job is one file in [`kinds`] and one line in its list.

pub mod attempt;
mod consequences;
pub mod job;
pub mod kinds;
pub mod letter;
pub mod relay;
pub mod schedule;
pub mod settings;
pub mod source;
pub mod work;
pub mod worker;

pub use job::{Job, Queue};
pub use settings::{Parts, Settings};
pub use worker::run;

#[cfg(test)]
mod tests;
