//! A product whose letters are caught, and what stands in them.

use super::TestApp;
use serde_json::Value;
use std::time::Duration;
use testing::MailCatcher;

/// Within this every letter comes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A mail server and what it has got.
pub struct Letters {
    catcher: MailCatcher,
}

impl Letters {
    /// A product that sends its letters here.
    pub async fn app(overrides: &[(&'static str, &str)]) -> (TestApp, Self) {
        let catcher = MailCatcher::start(&[]).await;
        let url = catcher.url();
        let mut all = vec![("mail.url", &*url), ("server.public_url", "https://sheaf.test")];
        all.extend_from_slice(overrides);
        (TestApp::with(&all).await, Self { catcher })
    }

    /// All letters of this subject to this address, in the order of arrival.
    pub async fn all(&self, to: &str, subject: &str) -> Vec<Value> {
        let mut mails = self.catcher.mails().await;
        mails.retain(|mail| mail["to"][0] == to && mail["subject"] == subject);
        mails
    }

    /// Waits for the `count`th letter of this subject to this address.
    pub async fn wait(&self, to: &str, subject: &str, count: usize) -> Value {
        let wanted = async {
            loop {
                let mut mails = self.all(to, subject).await;
                if mails.len() >= count {
                    return mails.swap_remove(count - 1);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, wanted).await {
            Ok(mail) => mail,
            Err(_) => panic!("no letter {subject:?} to {to}: {:#?}", self.catcher.mails().await),
        }
    }

    /// The token in the link of that letter, which stands in its text and its page.
    pub async fn token(&self, to: &str, subject: &str, count: usize) -> String {
        let mail = self.wait(to, subject, count).await;
        let text = mail["text"].as_str().expect("a text");
        let link = text.lines().find(|line| line.starts_with("https://sheaf.test/open/#"));
        let link = link.unwrap_or_else(|| panic!("no link in {text}"));
        assert!(
            mail["html"]
                .as_str()
                .is_some_and(|html| html.contains("sheaf.test/open/") || html.contains("sheaf.test&#x2f;open")),
            "{mail}"
        );
        let (_, token) = link.split_once('=').expect("a token");
        assert_eq!(token.len(), 64);
        token.to_owned()
    }
}
