//! Every outside system in a real and an embedded form: the database (PostgreSQL or an SQLite file), the bus between
//! nodes (Redis or memory), rates and failures (counted in Redis or memory), outgoing mail (a mail server or a directory) and
//! files (a bucket or a directory). Closed enums, so that the compiler lists the cases.

pub mod bus;
pub mod db;
pub mod files;
pub mod limits;
pub mod mail;
pub mod signal;
