//! The layers, and what a mistake in each of them says.

use super::*;
use secrecy::ExposeSecret;

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), text).expect("written");
    file
}

fn refusal(text: &str, environment: &[(&str, &str)]) -> String {
    format!(
        "{:#}",
        load(Some(file(text).path()), &env(environment), &Overrides::default()).expect_err("refused")
    )
}

#[test]
fn each_layer_beats_the_one_below() {
    let config = defaults().expect("the defaults");
    assert_eq!(config.server.listen.port(), 8000);
    let file = file("[server]\nlisten = \"127.0.0.1:1\"\nworkers = 3\n[redis]\nurl = \"redis://file\"");
    let flags = Overrides(vec![("server.listen", "127.0.0.1:3".to_owned())]);
    let vars = env(&[
        ("SHEAF__SERVER__LISTEN", "127.0.0.1:2"),
        ("SHEAF__REDIS__URL", "redis://environment"),
    ]);
    let config = load(Some(file.path()), &vars, &flags).expect("all layers");
    assert_eq!(config.server.listen.port(), 3);
    assert_eq!(config.redis.url.expose_secret(), "redis://environment");
    assert_eq!(config.server.workers, 3);
}

#[test]
fn a_mistake_is_named() {
    assert!(refusal("[server]\nlistn = 1", &[]).contains("server.listn"));
    assert!(refusal("[sever]\nlisten = 1", &[]).contains("sever.listen"));
    assert!(refusal("[server]\nworkers = \"many\"", &[]).contains("workers"));
    assert!(refusal("", &[("SHEAF__SERVER__LISTN", "x")]).contains("SHEAF__SERVER__LISTN"));
    assert!(refusal("", &[("SHEAF__SERVER__LISTEN", "nowhere")]).contains("server.listen"));
    assert!(refusal("", &[("SHEAF__DATABASE__SYNCHRONOUS", "maybe")]).contains("synchronous"));
    assert!(refusal("not toml [", &[]).contains("TOML"));
}

#[test]
fn secrets_are_never_printed() {
    let vars = env(&[
        ("SHEAF__AUTH__SIGNING_KEYS", "canary:c2VjcmV0"),
        ("SHEAF__DATABASE__URL", "postgres://user:canary@host/db"),
        ("SHEAF__REDIS__URL", "redis://:canary@host"),
    ]);
    let config = load(Some(Path::new("/dev/null")), &vars, &Overrides::default()).expect("the configuration");
    assert!(!format!("{config:?}").contains("canary"));
    assert!(!crate::show::text(&config).contains("canary"));
    assert!(crate::show::text(&config).contains("postgres://user:***@host/db"));
}
