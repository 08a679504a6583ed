//! The words of every mail.

use super::*;

const EVIL: &str = "<script>alert(\"x\")</script>";

fn added(workspace: &str, by: &str) -> Mail {
    Mail::MemberAdded {
        workspace: workspace.to_owned(),
        by: by.to_owned(),
        role: "member".to_owned(),
        url: "/workspaces/7".to_owned(),
    }
}

fn revoked(user_agent: &str) -> Mail {
    Mail::SessionRevoked {
        at: "2026-03-01 10:00 UTC".to_owned(),
        user_agent: user_agent.to_owned(),
    }
}

fn report(people: &[(&str, u64)], pages: &[(&str, u64)]) -> Mail {
    let owned = |rows: &[(&str, u64)]| rows.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    Mail::WeeklyReport {
        workspace: "Garden & Co".to_owned(),
        from: "2026-03-02".to_owned(),
        to: "2026-03-08".to_owned(),
        edits: 12,
        active: 3,
        created: 4,
        people: owned(people),
        pages: owned(pages),
        url: "https://sheaf.example/workspaces/7/reports".to_owned(),
    }
}

#[test]
fn a_new_member_reads_who_added_them_and_where() {
    let mail = render(&added("Garden & Co", "Ada").at("https://sheaf.example/")).unwrap();
    assert_eq!(mail.subject, "Ada added you to Garden & Co");
    let expected = "\
Hello,

Ada added you to Garden & Co. Your role there: member.

Open the workspace:
https://sheaf.example/workspaces/7

--
You get this mail because somebody added your account to a workspace.
";
    assert_eq!(mail.text, expected);
    assert!(mail.html.contains("<strong>Garden &amp; Co</strong>"), "{}", mail.html);
    assert!(link(&mail.html).contains("sheaf.example"), "{}", mail.html);
}

fn invited(by: &str, message: &str) -> Mail {
    Mail::Invitation {
        workspace: "Garden & Co".to_owned(),
        by: by.to_owned(),
        role: "guest".to_owned(),
        message: message.to_owned(),
        url: "/open/#invitation=c0ffee".to_owned(),
    }
}

#[test]
fn whoever_is_invited_reads_by_whom_and_follows_a_link() {
    let mail = render(&invited("Ada", "Come <b>and</b> see\nthe garden").at("https://sheaf.example/")).unwrap();
    assert_eq!(mail.subject, "Ada invites you to Garden & Co");
    let expected = "\
Hello,

Ada invites you to Garden & Co. Your role there would be: guest.

Come <b>and</b> see
the garden

See the invitation:
https://sheaf.example/open/#invitation=c0ffee

--
You get this mail because somebody gave your address for an invitation. The link is good
for seven days and for this address alone. If you expect none, do nothing.
";
    assert_eq!(mail.text, expected);
    assert!(mail.html.contains("Come &lt;b&gt;and&lt;&#x2f;b&gt; see"), "{}", mail.html);
    assert!(link(&mail.html).ends_with("#invitation=c0ffee"), "{}", mail.html);
    let without = render(&invited("Ada", "").at("https://sheaf.example")).unwrap();
    assert!(without.text.contains("would be: guest.\n\nSee the invitation:"), "{}", without.text);
}

#[test]
fn a_login_that_was_ended_is_described() {
    let mail = render(&revoked("Firefox 140")).unwrap();
    assert_eq!(mail.subject, "We ended one of your logins");
    let expected = "\
Hello,

On 2026-03-01 10:00 UTC a key of one of your logins was used a second time. That can mean
that somebody copied it, so we ended that login everywhere.

The login: Firefox 140

Please log in again. If you do not know this device, change your password too.

--
You get this mail because it concerns the safety of your account.
";
    assert_eq!(mail.text, expected);
    assert!(mail.html.contains(">Firefox 140</p>"), "{}", mail.html);
}

#[test]
fn who_closes_an_account_reads_until_when_it_can_be_kept() {
    let mail = Mail::AccountClosed {
        erased_at: "2026-03-15".to_owned(),
        url: "/".to_owned(),
    };
    let mail = render(&mail.at("https://sheaf.example/")).unwrap();
    assert_eq!(mail.subject, "Your account will be erased on 2026-03-15");
    assert!(mail.text.contains("keeps it:\nhttps://sheaf.example/\n"), "{}", mail.text);
    assert!(link(&mail.html).contains("sheaf.example"), "{}", mail.html);
}

#[test]
fn whoever_asked_for_their_data_reads_where_they_are_and_how_long() {
    let mail = Mail::ExportReady {
        until: "2026-03-08".to_owned(),
        url: "/api/v1/users/me/export/file/".to_owned(),
    };
    let mail = render(&mail.at("https://sheaf.example")).unwrap();
    assert_eq!(mail.subject, "Your data are ready");
    assert!(mail.text.contains("Until 2026-03-08"), "{}", mail.text);
    assert!(
        mail.text.contains("\nhttps://sheaf.example/api/v1/users/me/export/file/\n"),
        "{}",
        mail.text
    );
}

#[test]
fn a_login_without_a_name_leaves_no_gap() {
    let mail = render(&revoked("")).unwrap();
    assert!(mail.text.contains("everywhere.\n\nPlease log in again."), "{}", mail.text);
    assert!(!mail.html.contains("overflow-wrap"), "{}", mail.html);
}

#[test]
fn a_report_lists_people_and_pages() {
    let mail = render(&report(&[("Ada", 9), ("Bob", 3)], &[("Plans", 7)])).unwrap();
    assert_eq!(mail.subject, "Garden & Co: 2026-03-02 to 2026-03-08");
    let expected = "\
The week in Garden & Co
2026-03-02 to 2026-03-08

Pages edited:  12
Pages made:    4
People active: 3

Busiest people
- Ada: 9
- Bob: 3

Busiest pages
- Plans: 7

See the whole report:
https://sheaf.example/workspaces/7/reports

--
You get this mail because you asked for the weekly report of this workspace.
";
    assert_eq!(mail.text, expected);
    for part in [">12</div>", ">4</div>", ">3</div>", ">Ada</td>", ">Bob</td>", ">Plans</td>"] {
        assert!(mail.html.contains(part), "{part} is missing in {}", mail.html);
    }
}

#[test]
fn a_quiet_week_has_no_empty_tables() {
    let mail = render(&report(&[], &[])).unwrap();
    assert!(mail.text.contains("People active: 3\n\nSee the whole report:"), "{}", mail.text);
    assert!(!mail.html.contains("Busiest"), "{}", mail.html);
}

#[test]
fn what_people_typed_is_text_and_never_markup() {
    let mails = [
        added(EVIL, "Ada"),
        added("Garden", EVIL),
        revoked(EVIL),
        report(&[(EVIL, 1)], &[]),
        report(&[], &[(EVIL, 1)]),
    ];
    for mail in mails {
        let written = render(&mail).unwrap();
        assert!(!written.html.contains("<script"), "{}", written.html);
        assert!(written.html.contains("&lt;script&gt;"), "{}", written.html);
        assert!(
            written.text.contains("<script>") || written.subject.contains("<script>"),
            "{}",
            written.text
        );
    }
}

#[test]
fn a_link_cannot_leave_its_attribute() {
    let mut mail = added("Garden", "Ada");
    if let Mail::MemberAdded { url, .. } = &mut mail {
        *url = "https://sheaf.example/\"><script>".to_owned();
    }
    let html = render(&mail).unwrap().html;
    assert!(!html.contains("<script") && !html.contains("\"><s"), "{html}");
}

#[test]
fn a_page_has_one_frame_and_loads_nothing() {
    let mails = [added("Garden", "Ada"), revoked("Firefox"), report(&[("Ada", 1)], &[("Plans", 1)])];
    for mail in mails.into_iter().chain(of_accounts()) {
        let html = render(&mail.at("https://sheaf.example")).unwrap().html;
        assert!(html.trim_start().starts_with("<!doctype html>"), "{html}");
        assert_eq!(html.matches("</html>").count(), 1, "{html}");
        assert!(!html.contains("&lt;"), "markup of ours was escaped: {html}");
        for remote in ["src=", "<link", "@import", "url("] {
            assert!(!html.contains(remote), "{remote} in {html}");
        }
    }
}

/// The letters that guard an account.
fn of_accounts() -> Vec<Mail> {
    let url = || "/open/#verify=5f0c".to_owned();
    let at = || "2026-03-01 10:00 UTC".to_owned();
    vec![
        Mail::VerifyEmail { url: url() },
        Mail::ChangeEmail { url: url() },
        Mail::ResetPassword { url: url() },
        Mail::EmailChanging {
            at: at(),
            email: "new@example.com".to_owned(),
        },
        Mail::AccountNotice {
            what: "Your password was changed".to_owned(),
            at: at(),
        },
    ]
}

#[test]
fn letters_about_an_account_say_what_to_do_if_it_was_somebody_else() {
    for mail in of_accounts() {
        let written = render(&mail.at("https://sheaf.example/")).unwrap();
        assert!(!written.subject.is_empty() && !written.subject.contains('\n'));
        for text in [&written.text, &written.html] {
            assert!(text.contains("was not"), "{text}");
        }
        let has_link = matches!(
            mail,
            Mail::VerifyEmail { .. } | Mail::ChangeEmail { .. } | Mail::ResetPassword { .. }
        );
        let link = "https://sheaf.example/open/#verify=5f0c\n";
        assert_eq!(written.text.contains(link), has_link, "{}", written.text);
        assert_eq!(written.html.contains("href="), has_link, "{}", written.html);
    }
}

#[test]
fn a_mail_survives_as_a_job_s_payload() {
    let mail = report(&[("Ada", 9)], &[]);
    let stored = serde_json::to_value(&mail).unwrap();
    assert_eq!(stored["template"], "weekly_report");
    assert_eq!(stored["people"], serde_json::json!([["Ada", 9]]));
    assert_eq!(serde_json::from_value::<Mail>(stored).unwrap(), mail);
}

#[test]
fn a_whole_link_stays_as_it_is() {
    let mail = report(&[], &[]);
    assert_eq!(mail.at("https://elsewhere.example"), mail);
}

/// The address of the page's button.
fn link(html: &str) -> &str {
    html.split("href=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a link")
}
