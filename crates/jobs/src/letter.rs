//! What the product writes to people: every mail with its data, and how it becomes a subject, a text and a page.
//!
//! The data is what a job keeps; the words are made when the mail is sent. Templates are part of the program. What people
//! typed is escaped in the page, because its template's name ends with `.html`.

use minijinja::{Environment, Error, UndefinedBehavior, Value, context, syntax::SyntaxConfig};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// One mail with its data, one variant a template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "template", rename_all = "snake_case")]
pub enum Mail {
    /// To somebody who was added to a workspace.
    MemberAdded {
        /// The workspace's name.
        workspace: String,
        /// Who did it.
        by: String,
        /// As what: `member`, `admin`.
        role: String,
        /// Where the workspace is.
        url: String,
    },
    /// To somebody who is invited to a workspace. Its link holds a secret: it is made when it is sent, and no job keeps it.
    Invitation {
        /// The workspace's name.
        workspace: String,
        /// Who invites.
        by: String,
        /// As what: `member`, `admin`.
        role: String,
        /// What they say; may be empty.
        message: String,
        /// Where it is accepted.
        url: String,
    },
    /// To somebody whose login was ended because its token was used twice.
    SessionRevoked {
        /// When, for a person to read.
        at: String,
        /// What the login said it was; may be empty.
        user_agent: String,
    },
    /// To somebody who closed their account.
    AccountClosed {
        /// The day it is erased.
        erased_at: String,
        /// Where they sign in, which keeps it.
        url: String,
    },
    /// To somebody whose account was exported.
    ExportReady {
        /// The last day it can be fetched.
        until: String,
        /// Where it is.
        url: String,
    },
    /// To whoever made an account: is this address theirs? The url holds a token, so no job keeps it; nor the next two.
    VerifyEmail {
        /// Where the answer is given.
        url: String,
    },
    /// To the address that an account is to get.
    ChangeEmail {
        /// Where it is confirmed.
        url: String,
    },
    /// To somebody who has lost their password.
    ResetPassword {
        /// Where a new one is set.
        url: String,
    },
    /// To the address that an account has had so far.
    EmailChanging {
        /// When, for a person to read.
        at: String,
        /// The address it is to get.
        email: String,
    },
    /// To somebody whose account is guarded otherwise than before.
    AccountNotice {
        /// What happened, as the subject says it.
        what: String,
        /// When, for a person to read.
        at: String,
    },
    /// To somebody who wants to know how the week was.
    WeeklyReport {
        /// The workspace's name.
        workspace: String,
        /// The first day.
        from: String,
        /// The last day.
        to: String,
        /// Pages that were edited.
        edits: u64,
        /// People who did something.
        active: u64,
        /// Pages that were made.
        created: u64,
        /// The busiest people.
        people: Vec<(String, u64)>,
        /// The busiest pages.
        pages: Vec<(String, u64)>,
        /// Where the whole report is.
        url: String,
    },
}

/// A mail in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// For those who read plain text.
    pub text: String,
    /// The same as a page.
    pub html: String,
}

impl Mail {
    /// The mail with a link that begins at the product's root completed by the address people reach it at.
    #[must_use]
    pub fn at(&self, public_url: &str) -> Self {
        let mut mail = self.clone();
        if let Self::MemberAdded { url, .. }
        | Self::Invitation { url, .. }
        | Self::WeeklyReport { url, .. }
        | Self::AccountClosed { url, .. }
        | Self::ExportReady { url, .. }
        | Self::VerifyEmail { url }
        | Self::ChangeEmail { url }
        | Self::ResetPassword { url } = &mut mail
            && url.starts_with('/')
        {
            *url = format!("{}{url}", public_url.trim_end_matches('/'));
        }
        mail
    }

    /// The templates' name, the subject, and what stands in for the names in them.
    fn parts(&self) -> (&'static str, String, Value) {
        match self {
            Self::MemberAdded { workspace, by, role, url } => (
                "member_added",
                format!("{by} added you to {workspace}"),
                context! { workspace, by, role, url },
            ),
            Self::Invitation {
                workspace,
                by,
                role,
                message,
                url,
            } => (
                "invitation",
                format!("{by} invites you to {workspace}"),
                context! { workspace, by, role, message, url },
            ),
            Self::SessionRevoked { at, user_agent } => (
                "session_revoked",
                "We ended one of your logins".to_owned(),
                context! { at, user_agent },
            ),
            Self::AccountClosed { erased_at, url } => (
                "account_closed",
                format!("Your account will be erased on {erased_at}"),
                context! { erased_at, url },
            ),
            Self::ExportReady { until, url } => ("export_ready", "Your data are ready".to_owned(), context! { until, url }),
            Self::VerifyEmail { url } => ("verify_email", "Is this your e-mail address?".to_owned(), context! { url }),
            Self::ChangeEmail { url } => ("change_email", "Confirm your new e-mail address".to_owned(), context! { url }),
            Self::ResetPassword { url } => ("reset_password", "Set a new password".to_owned(), context! { url }),
            Self::EmailChanging { at, email } => (
                "email_changing",
                "Your account is to get another e-mail address".to_owned(),
                context! { at, email },
            ),
            Self::AccountNotice { what, at } => ("account_notice", what.clone(), context! { what, at }),
            Self::WeeklyReport {
                workspace,
                from,
                to,
                edits,
                active,
                created,
                people,
                pages,
                url,
            } => (
                "weekly_report",
                format!("{workspace}: {from} to {to}"),
                context! { workspace, from, to, edits, active, created, people => rows(people), pages => rows(pages), url },
            ),
        }
    }
}

/// Rows of a table: `row.name`, `row.count`.
fn rows(rows: &[(String, u64)]) -> Value {
    rows.iter().map(|(name, count)| context! { name, count }).collect()
}

/// Puts a mail into words.
///
/// # Errors
/// When a template is wrong, which no data can cause.
pub fn render(mail: &Mail) -> Result<Rendered, Error> {
    let templates = TEMPLATES.as_ref().map_err(|error| Error::new(error.kind(), error.to_string()))?;
    let (name, subject, data) = mail.parts();
    let written = |form: &str| templates.get_template(&format!("{name}.{form}"))?.render(&data);
    Ok(Rendered {
        subject,
        text: written("txt")?,
        html: written("html")?,
    })
}

static TEMPLATES: LazyLock<Result<Environment<'static>, Error>> = LazyLock::new(templates);

fn templates() -> Result<Environment<'static>, Error> {
    let mut templates = Environment::new();
    // A name that stands for nothing is a mistake and not an empty word.
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    // A tag that stands in a line of its own leaves no line behind.
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()?;
    templates.set_syntax(syntax);
    for (name, source) in [
        ("account_closed.html", include_str!("../templates/account_closed.html")),
        ("account_closed.txt", include_str!("../templates/account_closed.txt")),
        ("button.html", include_str!("../templates/button.html")),
        ("export_ready.html", include_str!("../templates/export_ready.html")),
        ("export_ready.txt", include_str!("../templates/export_ready.txt")),
        ("frame.html", include_str!("../templates/frame.html")),
        ("account_notice.html", include_str!("../templates/account_notice.html")),
        ("account_notice.txt", include_str!("../templates/account_notice.txt")),
        ("change_email.html", include_str!("../templates/change_email.html")),
        ("change_email.txt", include_str!("../templates/change_email.txt")),
        ("email_changing.html", include_str!("../templates/email_changing.html")),
        ("email_changing.txt", include_str!("../templates/email_changing.txt")),
        ("reset_password.html", include_str!("../templates/reset_password.html")),
        ("reset_password.txt", include_str!("../templates/reset_password.txt")),
        ("verify_email.html", include_str!("../templates/verify_email.html")),
        ("verify_email.txt", include_str!("../templates/verify_email.txt")),
        ("invitation.html", include_str!("../templates/invitation.html")),
        ("invitation.txt", include_str!("../templates/invitation.txt")),
        ("member_added.html", include_str!("../templates/member_added.html")),
        ("member_added.txt", include_str!("../templates/member_added.txt")),
        ("session_revoked.html", include_str!("../templates/session_revoked.html")),
        ("session_revoked.txt", include_str!("../templates/session_revoked.txt")),
        ("weekly_report.html", include_str!("../templates/weekly_report.html")),
        ("weekly_report.txt", include_str!("../templates/weekly_report.txt")),
    ] {
        templates.add_template(name, source)?;
    }
    Ok(templates)
}

#[cfg(test)]
mod tests;
