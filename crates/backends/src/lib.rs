//! Every outside system in a real and an embedded form: the database (PostgreSQL or an SQLite file) and the bus
//! between nodes (Redis or memory). Closed enums, so that the compiler lists the cases.

pub mod bus;
pub mod db;
