//! Reading the layers. Each key is tried on its own with the layer it stands in, so that a mistake is named with its place
//! even where a higher layer hides it.

use super::{Config, rules};
use anyhow::{Context, anyhow, bail};
use config::{Config as Layers, File, FileFormat, Value, ValueKind};
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// Every key, its default and a sentence about it.
pub const DEFAULTS: &str = include_str!("../../../../config/default.toml");
/// Read from the working directory when no file is named.
const FILE: &str = "sheaf.toml";
const PREFIX: &str = "SHEAF__";

/// What flags say; they beat everything else.
#[derive(Clone, Default)]
pub struct Overrides(pub Vec<(&'static str, String)>);

/// Names the keys and keeps the values to itself: a url may hold a password.
impl fmt::Debug for Overrides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(key, _)| key)).finish()
    }
}

/// One key as one layer sets it.
struct Setting {
    key: String,
    /// The layer, as people know it.
    from: String,
    value: ValueKind,
}

/// The variables of the environment that are meant for us. Foreign ones may be anything.
///
/// # Errors
/// Names a variable of ours whose value is not UTF-8.
pub fn environment() -> anyhow::Result<Vec<(String, String)>> {
    let names = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    names
        .filter(|(name, _)| name.starts_with(PREFIX))
        .map(|(name, value)| match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(anyhow!("the environment variable {name} is not UTF-8")),
        })
        .collect()
}

/// Reads all layers.
///
/// # Errors
/// Names the key and the layer that is wrong.
pub fn load(file: Option<&Path>, environment: &[(String, String)], flags: &Overrides) -> anyhow::Result<Config> {
    let known: toml::Table = toml::from_str(DEFAULTS).context("the built-in defaults do not parse")?;
    let file = match file {
        Some(file) => Some(file.to_owned()),
        None => Some(PathBuf::from(FILE)).filter(|file| file.exists()),
    };
    let mut settings = match &file {
        Some(file) => of_file(file, &known)?,
        None => Vec::new(),
    };
    for (name, value) in environment {
        settings.push(of_variable(name, value, &known)?);
    }
    for (key, value) in &flags.0 {
        settings.push(of_text(key, format!("the flag for {key}"), value, &known)?);
    }
    for setting in &settings {
        let alone = build(std::slice::from_ref(setting));
        alone.with_context(|| format!("{} in {} is not usable", setting.key, setting.from))?;
    }
    let config = build(&settings).context("the configuration does not make sense")?;
    match rules::together(&config) {
        Some(problem) => bail!("the configuration does not make sense: {problem}"),
        None => Ok(config),
    }
}

/// The defaults with settings on top of them; the later ones win.
fn build(settings: &[Setting]) -> anyhow::Result<Config> {
    let mut layers = Layers::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
    for setting in settings {
        layers = layers.set_override(&setting.key, Value::new(None, setting.value.clone()))?;
    }
    Ok(layers.build()?.try_deserialize()?)
}

/// What a file sets. Messages about its syntax have the line's number and not the line, which may hold a secret.
fn of_file(file: &Path, known: &toml::Table) -> anyhow::Result<Vec<Setting>> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read the configuration file {name}"))?;
    let table: toml::Table = toml::from_str(&text).map_err(|why| {
        let before = why.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        anyhow!("{name} is no TOML: line {}: {}", before.matches('\n').count() + 1, why.message())
    })?;
    let mut settings = Vec::new();
    for (section, keys) in table {
        if !known.contains_key(&section) {
            bail!("{name}: {section} is no section of the configuration");
        }
        let toml::Value::Table(keys) = as_section(&section, keys) else {
            bail!("{name}: {section} is a section; its keys stand under [{section}]");
        };
        for (key, value) in keys {
            let key = format!("{section}.{key}");
            let default = default_of(&key, known).with_context(|| format!("{name}: {key} is no configuration key"))?;
            settings.push(setting(key, name.clone(), default, value)?);
        }
    }
    Ok(settings)
}

/// `[[oidc]]`, once for each provider, is the list of them in `[oidc]`, as it stands in the environment.
fn as_section(section: &str, value: toml::Value) -> toml::Value {
    let list = match value {
        toml::Value::Array(list) if section == "oidc" => serde_json::to_string(&list).unwrap_or_default(),
        other => return other,
    };
    toml::Table::from_iter([("providers".to_owned(), list.into())]).into()
}

/// `SHEAF__SERVER__LISTEN` is `server.listen`; a name that is no key is refused, it is a typing error.
fn of_variable(name: &str, value: &str, known: &toml::Table) -> anyhow::Result<Setting> {
    let key = name.strip_prefix(PREFIX).unwrap_or(name).to_lowercase().replace("__", ".");
    if default_of(&key, known).is_none() {
        bail!("the environment variable {name} is no configuration key");
    }
    of_text(&key, format!("the environment variable {name}"), value, known)
}

/// A text is read as what its key's default is.
fn of_text(key: &str, from: String, text: &str, known: &toml::Table) -> anyhow::Result<Setting> {
    let default = default_of(key, known).with_context(|| format!("{key} is no configuration key"))?;
    let number = || text.trim().parse().ok().map(toml::Value::Integer);
    let boolean = || text.trim().parse().ok().map(toml::Value::Boolean);
    let value = match default {
        toml::Value::Integer(_) => number(),
        toml::Value::Boolean(_) => boolean(),
        _ => None,
    };
    setting(key.to_owned(), from, default, value.unwrap_or_else(|| text.into()))
}

/// The default of a key; a key that has none does not exist.
fn default_of<'a>(key: &str, known: &'a toml::Table) -> Option<&'a toml::Value> {
    let (section, key) = key.split_once('.')?;
    known.get(section)?.get(key)
}

/// A value that has its key's type and keeps its key's rules.
fn setting(key: String, from: String, default: &toml::Value, value: toml::Value) -> anyhow::Result<Setting> {
    let fits = match (default, value) {
        (toml::Value::Integer(_), toml::Value::Integer(number)) => match rules::number(&key, number) {
            Some(problem) => Err(problem),
            None => Ok(ValueKind::I64(number)),
        },
        (toml::Value::Boolean(_), toml::Value::Boolean(is)) => Ok(ValueKind::Boolean(is)),
        (toml::Value::String(_), toml::Value::String(text)) => match rules::text(&key, &text) {
            Some(problem) => Err(problem),
            None => Ok(ValueKind::String(text)),
        },
        (toml::Value::Integer(_), _) => Err("has to be a whole number".to_owned()),
        (toml::Value::Boolean(_), _) => Err("has to be true or false".to_owned()),
        _ => Err("has to be a text".to_owned()),
    };
    match fits {
        Ok(value) => Ok(Setting { key, from, value }),
        Err(problem) => bail!("{key} in {from} {problem}"),
    }
}

/// The defaults alone, for tests.
///
/// # Errors
/// Never, as long as the defaults are right.
pub fn defaults() -> anyhow::Result<Config> {
    load(Some(Path::new("/dev/null")), &[], &Overrides::default())
}
