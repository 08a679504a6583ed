//! The layers, and what a mistake in each of them says.

use super::*;
use secrecy::ExposeSecret;
use std::path::Path;

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), text).expect("written");
    file
}

fn flags(pairs: &[(&'static str, &str)]) -> Overrides {
    Overrides(pairs.iter().map(|(key, value)| (*key, (*value).to_owned())).collect())
}

/// What is said about three layers; the file goes by the name `FILE`.
fn refusal(text: &str, environment: &[(&str, &str)], set: &[(&'static str, &str)]) -> String {
    let file = file(text);
    let said = load(Some(file.path()), &env(environment), &flags(set)).expect_err("refused");
    format!("{said:#}").replace(&file.path().display().to_string(), "FILE")
}

fn file_is_refused(text: &str, with: &str) {
    let said = refusal(text, &[], &[]);
    assert!(said.contains(with), "{said}");
    assert!(said.contains("FILE"), "{said}");
}

fn variable_is_refused(name: &str, value: &str, with: &str) {
    // Another variable, which is fine, is not blamed.
    let said = refusal("", &[("SHEAF__LOG__FORMAT", "json"), (name, value)], &[]);
    assert!(said.contains(with), "{said}");
    assert!(said.contains(name), "{said}");
    assert!(!said.contains("SHEAF__LOG__FORMAT"), "{said}");
}

#[test]
fn each_layer_beats_the_one_below() {
    let config = defaults().expect("the defaults");
    assert_eq!(config.server.listen.port(), 8000);
    let file = file("[server]\nlisten = \"127.0.0.1:1\"\nworkers = 3\n[redis]\nurl = \"redis://file\"");
    let vars = env(&[
        ("SHEAF__SERVER__LISTEN", "127.0.0.1:2"),
        ("SHEAF__REDIS__URL", "redis://environment"),
    ]);
    let config = load(Some(file.path()), &vars, &flags(&[("server.listen", "127.0.0.1:3")])).expect("all layers");
    assert_eq!(config.server.listen.port(), 3);
    assert_eq!(config.redis.url.expose_secret(), "redis://environment");
    assert_eq!(config.server.workers, 3);
}

#[test]
fn the_example_for_production_is_usable() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/production.toml");
    let config = load(Some(&example), &[], &Overrides::default()).expect("the example");
    assert!(!config.worker.enabled);
}

#[test]
fn a_mistake_in_the_file_is_named() {
    file_is_refused("[server]\nlistn = 1", "server.listn");
    file_is_refused("[sever]", "sever");
    file_is_refused("workers = 1", "workers");
    file_is_refused("[server.listen]\nport = 1", "server.listen");
    file_is_refused("[server]\nworkers = \"many\"", "server.workers");
    file_is_refused("[server]\nworkers = 2.7", "server.workers");
    file_is_refused("[server]\nworkers = -1", "server.workers");
    file_is_refused("[worker]\nenabled = 1", "worker.enabled");
    file_is_refused("[log]\nlevel = \"info,=\"", "log.level");
    file_is_refused("[log]\nformat = \"xml\"", "log.format");
    file_is_refused("[server]\npublic_url = \"sheaf.example.com\"", "server.public_url");
    file_is_refused("[log]\n\nnot toml [", "line 3");
    for (key, bad) in [
        ("trusted_proxies", "10.0.0.0/8, proxy.example.com"),
        ("allowed_hosts", "sheaf.example.com, https://sheaf.example.com"),
        ("allowed_hosts", "sheaf.example.com:8000"),
        ("cors_origins", "https://app.example.com, app.example.com"),
        ("cors_origins", "https://app.example.com/path"),
        ("cors_origins", "*, https://app.example.com"),
        ("cors_origins", "ftp://app.example.com"),
    ] {
        file_is_refused(&format!("[server]\n{key} = \"{bad}\""), &format!("server.{key}"));
    }
    file_is_refused("[limits]\nauth_per_minute = 0", "limits.auth_per_minute");
}

#[test]
fn a_mistake_in_the_environment_is_named() {
    variable_is_refused("SHEAF__SERVER__LISTN", "x", "no configuration key");
    variable_is_refused("SHEAF__SHEAF__SERVER__LISTEN", "127.0.0.1:1", "no configuration key");
    variable_is_refused("SHEAF__SERVER__LISTEN", "nowhere", "server.listen");
    variable_is_refused("SHEAF__SERVER__WORKERS", "true", "server.workers");
    variable_is_refused("SHEAF__DATABASE__SYNCHRONOUS", "maybe", "database.synchronous");
    variable_is_refused("SHEAF__DATABASE__MAX_CONNECTIONS", "1", "between 2 and");
    variable_is_refused("SHEAF__AUTH__REFRESH_TTL_DAYS", "9000000000000000000", "auth.refresh_ttl_days");
}

#[test]
fn a_mistake_in_a_flag_is_named_and_one_below_it_is_not_hidden() {
    let said = refusal("", &[], &[("server.listen", "nowhere")]);
    assert!(said.contains("the flag for server.listen"), "{said}");
    let said = refusal("[server]\nlisten = \"nowhere\"", &[], &[("server.listen", "127.0.0.1:1")]);
    assert!(said.contains("FILE"), "{said}");
}

#[test]
fn who_is_let_in_is_read_from_lists() {
    let file = file(
        "[server]\npublic_url = \"https://sheaf.example.com/\"\ntrusted_proxies = \"10.0.0.0/8, ::1\"\nallowed_hosts = \
         \"sheaf.example.com,[::1]\"\ncors_origins = \"https://app.example.com, http://localhost:5173/\"",
    );
    let config = load(Some(file.path()), &[], &Overrides::default()).expect("the configuration");
    let edge = crate::limits::api(&config).edge;
    assert_eq!(edge.trusted_proxies.len(), 2);
    assert_eq!(edge.allowed_hosts, ["sheaf.example.com", "[::1]"]);
    assert_eq!(edge.cors_origins, ["https://app.example.com", "http://localhost:5173"]);
    assert_eq!(
        (edge.own_origin.as_deref(), edge.is_https),
        (Some("https://sheaf.example.com"), true)
    );
    let plain = crate::limits::api(&defaults().expect("the defaults")).edge;
    assert!(plain.allowed_hosts.is_empty() && plain.cors_origins.is_empty() && !plain.is_https && plain.rates.is_on);
}

#[test]
fn values_that_do_not_fit_each_other_are_named() {
    let said = refusal("[collab]\noutbox_soft_bytes = 10\noutbox_hard_bytes = 9", &[], &[]);
    assert!(said.contains("collab.outbox_soft_bytes"), "{said}");
    let said = refusal(
        "",
        &[("SHEAF__AUTH__HASH_MEMORY_KIB", "8"), ("SHEAF__AUTH__HASH_PARALLELISM", "2")],
        &[],
    );
    assert!(said.contains("auth.hash_memory_kib"), "{said}");
}

#[test]
fn a_store_of_files_that_cannot_work_is_named() {
    let refused = |text: &str, with: &str| {
        let said = refusal(text, &[], &[]);
        assert!(said.contains(with) && !said.contains("canary"), "{said}");
    };
    refused("[files]\nkind = \"ftp\"", "ftp");
    refused("[files]\nkind = \"s3\"", "files.bucket");
    refused("[files]\nsecret_key = \"canary\"", "files.access_key");
    refused("[files]\nendpoint = \"http://localhost:9000\"", "files.allow_http");
    refused("[files]\nendpoint = \"https://user:canary@host\"", "files.endpoint");
    refused("[files]\nmax_bytes = 0", "files.max_bytes");
    let keys = [("SHEAF__FILES__ACCESS_KEY", "canary"), ("SHEAF__FILES__SECRET_KEY", "canary")];
    let config = load(Some(Path::new("/dev/null")), &env(&keys), &flags(&[])).expect("usable");
    assert!(!show::text(&config).expect("shown").contains("canary") && !format!("{config:?}").contains("canary"));
}

#[test]
fn a_text_stays_as_it_was_written() {
    let vars = env(&[("SHEAF__AUTH__AUDIENCE", "007"), ("SHEAF__AUTH__ISSUER", "true")]);
    let config = load(Some(Path::new("/dev/null")), &vars, &Overrides::default()).expect("the configuration");
    assert_eq!((config.auth.audience.as_str(), config.auth.issuer.as_str()), ("007", "true"));
}

#[test]
fn providers_of_logins_are_read_from_the_file_and_from_the_environment() {
    let one = "[[oidc]]\nid = \"acme\"\nname = \"Acme\"\nissuer = \"https://acme.example\"\nclient_id = \"x\"\n";
    let ids = |config: &Config| {
        let all = users::oidc::Provider::list(config.oidc.providers.expose_secret()).expect("read");
        all.into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    let file = file(&format!("{one}{}", one.replace("acme", "other")));
    let config = load(Some(file.path()), &[], &flags(&[])).expect("usable");
    assert_eq!(ids(&config), ["acme", "other"]);
    let json = r#"[{"id":"third","name":"3","issuer":"http://localhost:1","client_id":"x","client_secret":"hush"}]"#;
    let config = load(Some(file.path()), &env(&[("SHEAF__OIDC__PROVIDERS", json)]), &flags(&[])).expect("usable");
    assert_eq!(ids(&config), ["third"]);
    assert!(!show::text(&config).expect("shown").contains("hush") && !format!("{config:?}").contains("hush"));
    file_is_refused(&one.replace("https", "http"), "no https:// address");
    file_is_refused(&one.replace("acme\"\nname", "A b\"\nname"), "small letters");
    file_is_refused(&format!("{one}{one}"), "two providers");
    file_is_refused(&format!("{one}secret = \"hush\"\n"), "unknown field");
    file_is_refused(&one.replace("client_id = \"x\"", ""), "missing field");
    for bad in ["{}", "[7]", r#"[{"client_secret":"hush"}]"#, "hush"] {
        variable_is_refused("SHEAF__OIDC__PROVIDERS", bad, "no list of providers");
        assert!(!refusal("", &[("SHEAF__OIDC__PROVIDERS", bad)], &[]).contains("hush"));
    }
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
    let shown = show::text(&config).expect("it can be shown");
    assert!(!shown.contains("canary"), "{shown}");
    assert!(shown.contains("url = \"postgres://user:***@host/db\""), "{shown}");
    assert!(shown.contains("signing_keys = \"(set)\""), "{shown}");
    assert!(!format!("{:?}", flags(&[("redis.url", "redis://:canary@host")])).contains("canary"));
}

#[test]
fn secrets_are_not_in_what_a_mistake_says() {
    for text in [
        "[auth]\nsigning_keys = \"k:canary\n",
        "[auth]\nsigning_keys = k:canary\n",
        "[auth]\nsigning_keys = [\"canary\"]",
        "[database]\nurl = \"postgres://user:can#canary@host/db\"",
        "[database]\nurl = \"canary\"",
        "[database]\nurl = \"canary://host/db\"",
    ] {
        let said = refusal(text, &[], &[]);
        assert!(said.contains("FILE") && !said.contains("canary"), "{said}");
    }
}

#[test]
fn everything_is_shown_under_the_name_it_is_set_by() {
    let shown = show::text(&defaults().expect("the defaults")).expect("it can be shown");
    let shown: toml::Table = toml::from_str(&shown).expect("TOML");
    let known: toml::Table = toml::from_str(DEFAULTS).expect("TOML");
    let keys = |table: &toml::Table| -> Vec<String> {
        let of = |(section, keys): (&String, &toml::Value)| {
            let keys = keys.as_table().expect("a section").keys();
            keys.map(|key| format!("{section}.{key}")).collect::<Vec<_>>()
        };
        let mut keys: Vec<String> = table.iter().flat_map(of).collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(&shown), keys(&known));
}
