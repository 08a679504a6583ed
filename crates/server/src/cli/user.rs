//! `sheaf user`: accounts, from the machine that runs the instance.

use crate::{config::Config, keys, limits, say, store};
use anyhow::{Context, anyhow, bail};
use clap::Subcommand;
use kernel::error::Explain;
use std::io::Read;
use users::{Accounts, account};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make an account
    Create {
        /// Their address
        #[arg(long)]
        email: String,
        /// What others see; the part of the address before the @ when left out
        #[arg(long)]
        name: Option<String>,
        /// They administer the whole instance
        #[arg(long)]
        admin: bool,
        /// Read the password from standard input; otherwise one is made up and printed once
        #[arg(long)]
        password_stdin: bool,
    },
    /// Let somebody administer the whole instance
    GrantAdmin { email: String },
    /// Let somebody administer the instance no more
    RevokeAdmin { email: String },
}

pub(super) async fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    let db = store::migrated(config).await?;
    match command {
        Command::Create {
            email,
            name,
            admin,
            password_stdin,
        } => {
            let ring = keys::ring(&config.auth.signing_keys, &config.server.data_dir)?;
            let accounts = Accounts::new(db, ring, limits::users(config));
            let given = if password_stdin { Some(from_stdin()?) } else { None };
            let password = given.clone().unwrap_or_else(|| kernel::secret::token()[..24].to_owned());
            let name = name.unwrap_or_else(|| email.split('@').next().unwrap_or_default().to_owned());
            let new = account::NewUser {
                email,
                password: password.clone(),
                display_name: name,
            };
            let row = account::create(&accounts, new, admin).await.map_err(|error| told(&error))?;
            say::line(&format!(
                "made {} ({}){}",
                row.email,
                row.id,
                if admin { ", who administers this instance" } else { "" }
            ));
            if given.is_none() {
                say::line(&format!("password: {password}"));
            }
            Ok(())
        }
        Command::GrantAdmin { email } => set_admin(&db, &email, true).await,
        Command::RevokeAdmin { email } => set_admin(&db, &email, false).await,
    }
}

fn from_stdin() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin()
        .take(4096)
        .read_to_string(&mut text)
        .context("cannot read the password")?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// The error with every field that is wrong.
fn told(error: &users::Error) -> anyhow::Error {
    let fields: Vec<String> = error
        .fields()
        .iter()
        .map(|field| format!("{} {}", field.pointer.trim_start_matches('/'), field.detail))
        .collect();
    match fields.is_empty() {
        true => anyhow!("{error}"),
        false => anyhow!("{}", fields.join("; ")),
    }
}

async fn set_admin(db: &sea_orm::DatabaseConnection, email: &str, is_admin: bool) -> anyhow::Result<()> {
    if !account::set_admin(db, email, is_admin).await? {
        bail!("there is no account with the address {email}");
    }
    say::line(&format!(
        "{email} {} this instance",
        if is_admin { "administers" } else { "does not administer" }
    ));
    Ok(())
}
