//! The product from the outside: one binary, a fresh product per test, real databases, real sockets.
//!
//! The whole suite runs in the form that `SHEAF_TEST_FORM` names: `embedded` (an SQLite file and memory) or `full`
//! (PostgreSQL and Redis).

mod support;

mod commands;
mod faults;
mod hostile;
mod live;
mod rest;
mod secrets;
mod startup;
mod stream;
mod traces;
mod visitor;
