//! What a page was, who made it so, and what has changed: read out of the page's own history, of which nothing is copied.
//!
//! [`moment`] says which state is meant, [`ledger`] who made each change and when, [`difference`] what differs between
//! two states, [`blame`] whose each character is, and [`changes`] what happened since a state.

pub mod blame;
pub mod changes;
pub mod difference;
pub mod ledger;
pub mod moment;
#[cfg(test)]
mod tests;
