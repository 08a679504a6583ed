//! What a run needs before it starts: accounts, a workspace and its pages, made over REST as anybody would.

use crate::{args::Args, http};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    time::{SystemTime, UNIX_EPOCH},
};

/// A page to write on.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its id.
    pub id: String,
    /// What stands in automerge-repo's frames for it.
    pub automerge_id: String,
    /// The ids of its blocks, in order.
    pub blocks: Vec<String>,
}

/// What was made.
pub struct Setup {
    /// One access token per account; the first one owns everything.
    pub tokens: Vec<String>,
    /// The pages.
    pub pages: Vec<Page>,
}

/// Makes it all on the server.
pub fn prepare(server: SocketAddr, args: &Args) -> Result<Setup> {
    let once = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("the clock is before 1970")?
        .as_nanos();
    let email = |i: usize| format!("load-{once}-{i}@example.com");
    let tokens: Vec<String> = (0..args.users).map(|i| register(server, &email(i))).collect::<Result<_>>()?;
    let owner = tokens.first().context("at least one user is needed")?;
    let workspace = text(
        &http::post(server, "/api/v1/workspaces/", Some(owner), &json!({ "name": "Load" }))?,
        "id",
    )?;
    for i in 1..args.users {
        let member = json!({ "email": email(i), "role": "member" });
        http::post(server, &format!("/api/v1/workspaces/{workspace}/members/"), Some(owner), &member)?;
    }
    let pages = (0..args.pages)
        .map(|i| page(server, owner, (&workspace, i, args.blocks)))
        .collect::<Result<_>>()?;
    Ok(Setup { tokens, pages })
}

fn register(server: SocketAddr, email: &str) -> Result<String> {
    let body = json!({ "email": email, "password": "correct horse battery staple", "display_name": "Load" });
    text(&http::post(server, "/api/v1/auth/register/", None, &body)?, "access_token")
}

fn page(server: SocketAddr, token: &str, page: (&str, usize, usize)) -> Result<Page> {
    let (workspace, number, blocks) = page;
    let blocks = vec![json!({ "type": "paragraph", "text": "" }); blocks];
    let body = json!({ "workspace_id": workspace, "title": format!("Page {number}"), "blocks": blocks });
    let made = http::post(server, "/api/v1/documents/", Some(token), &body)?;
    let ids = made["blocks"].as_array().context("a page has blocks")?;
    let url = text(&made, "automerge_url")?;
    Ok(Page {
        id: text(&made, "id")?,
        automerge_id: url.trim_start_matches("automerge:").to_owned(),
        blocks: ids.iter().map(|block| text(block, "id")).collect::<Result<_>>()?,
    })
}

fn text(value: &Value, key: &str) -> Result<String> {
    value[key]
        .as_str()
        .map(str::to_owned)
        .with_context(|| format!("an answer has no {key:?}: {value}"))
}
