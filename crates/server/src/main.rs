//! `sheaf`: the whole product in one binary.

use clap::Parser;
use server::{cli, say};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Before anything opens a connection; a second provider in the tree would make rustls refuse to choose.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        say::problem("the TLS provider was installed twice");
    }
    match cli::run(cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::problem(&format!("sheaf: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
