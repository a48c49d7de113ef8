//! The configuration: defaults in one value, validation in one function.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mailshelf_storage::address::canonical_domain;
use serde::Deserialize;
use toml::de::DeTable;

pub mod apart;
mod fault;
mod keys;
mod limits;
mod raw;
mod sender;
mod servers;
pub mod term;
mod unit;

use crate::service::clock;
use apart::Overlap;
use fault::Fault;
use raw::Raw;

pub use fault::ConfigError;
pub(crate) use keys::{kind, nearest};
pub use sender::{Require, Resolver, ResultsAt, Sender, Verify};
pub use servers::Servers;
pub use unit::{Size, Span};

/// The configuration as shipped: every key, its meaning and its default.
pub const TEMPLATE: &str = include_str!("../packaging/mailshelf.toml");

/// A checked configuration; paths are absolute or relative to the working folder.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it was read from.
    pub file: PathBuf,
    /// `[site]`
    pub site: Site,
    /// `[drop]`
    pub drop: Drop,
    /// `[limits]`
    pub limits: Limits,
    /// `[sender]`
    pub sender: Sender,
    /// `[storage]`
    pub storage: Storage,
    /// `[events] file`
    pub events: PathBuf,
    /// `[schedule]`
    pub schedule: Schedule,
}

/// `[site]`: who we are.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Site {
    /// In canonical form; never empty.
    pub domains: Vec<String>,
    /// This worker's name; never empty.
    pub node: String,
    /// Put before every alias, lower case.
    pub alias_prefix: String,
    /// Outranks every library's sender policy.
    pub authenticated_only: bool,
    /// Creates what no user has sent.
    pub system_account: String,
    /// How long an alias that was changed still leads to its library; zero: not at all.
    #[serde(deserialize_with = "unit::span")]
    pub former_alias: Duration,
}

/// What becomes of rejected mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rejected {
    /// Deleted, once it is on record.
    Delete,
    /// Moved to the folder `kept`.
    Keep,
    /// Deleted whatever the reason: it is a copy, and its source still has it. No setting; a replay says so.
    #[serde(skip)]
    Copied,
}

/// How the drop is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DropFormat {
    /// One file a mail.
    Folder,
    /// `new/`, `cur/`, `tmp/`.
    Maildir,
    /// Whichever it looks like.
    Auto,
}

/// `[drop]`: where mail comes from and what is left of it.
#[derive(Debug, Clone)]
pub struct Drop {
    /// The folder.
    pub path: PathBuf,
    /// How it is laid out.
    pub format: DropFormat,
    /// How long a file must have stood still, where nothing else proves it finished.
    pub settle: Duration,
    /// The servers that mail may come from.
    pub safe_servers: Servers,
    /// What becomes of rejected mail.
    pub rejected: Rejected,
    /// How long it is kept, if it is.
    pub keep_rejected: Duration,
    /// Where it is kept.
    pub kept: PathBuf,
    /// Where mail goes that could not be dealt with.
    pub badmail: PathBuf,
}

/// `[limits]`: the largest things that are taken, in bytes and pieces.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a message.
    pub message: u64,
    /// Bytes of an attachment.
    pub attachment: u64,
    /// Parts of a message.
    pub parts: usize,
    /// Levels of parts in parts.
    pub depth: usize,
    /// Extensions that are never filed: in lower case, without the dot before them.
    pub blocked_types: Vec<String>,
}

/// `[storage]`: where things are kept.
#[derive(Debug, Clone)]
pub struct Storage {
    /// The catalog's file.
    pub catalog: PathBuf,
    /// The contents' folder.
    pub contents: PathBuf,
    /// How long removed documents can be restored.
    pub recycle: Duration,
}

/// How the service learns of new mail before its next pass is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WatchMode {
    /// Whichever the file system lets it.
    Auto,
    /// The system tells it.
    Inotify,
    /// It looks every few seconds.
    Poll,
    /// It does not.
    Off,
}

/// `[schedule]`: when the service makes a pass.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Schedule {
    /// A cron expression of six fields, seconds first, in UTC.
    pub cron: String,
    /// And before that, when mail arrives.
    pub watch: WatchMode,
}

impl Default for Schedule {
    fn default() -> Schedule {
        Schedule { cron: "0 * * * * *".to_owned(), watch: WatchMode::Auto }
    }
}

impl Default for Site {
    fn default() -> Site {
        Site {
            domains: Vec::new(),
            node: String::new(),
            alias_prefix: String::new(),
            authenticated_only: false,
            system_account: "System Account".to_owned(),
            former_alias: Duration::from_secs(90 * 86_400),
        }
    }
}

impl Config {
    /// Reads and checks a file.
    pub fn load(file: &Path) -> Result<Config, ConfigError> {
        let text = fs::read_to_string(file).map_err(|error| ConfigError::unread(file, &error))?;
        Config::read(file, &text)
    }

    /// Checks the text of a file; its name is what paths are relative to.
    pub fn read(file: &Path, text: &str) -> Result<Config, ConfigError> {
        Config::parse(file, text).map_err(|fault| fault.told(file, text))
    }

    fn parse(file: &Path, text: &str) -> Result<Config, Fault> {
        let toml_fault = |error: toml::de::Error| {
            let fault = Fault::new(error.message().trim());
            error.span().map(|span| span.start).into_iter().fold(fault, Fault::at)
        };
        let table = DeTable::parse(text).map_err(toml_fault)?;
        keys::check_keys(table.get_ref())?;
        let raw: Raw = toml::from_str(text).map_err(|error| {
            let at = error.span().map(|span| span.start);
            let key = at.and_then(|at| keys::name(table.get_ref(), at));
            Fault { why: wrong_value(key.as_deref(), error.message()), ..toml_fault(error) }
        })?;
        validate(file, raw).map_err(|fault| {
            let at = fault.keys.iter().find_map(|key| keys::place(table.get_ref(), key));
            at.into_iter().fold(fault, Fault::at)
        })
    }
}

/// What serde says of a value that no choice has, in our words; of any other, with its key.
fn wrong_value(key: Option<&str>, message: &str) -> String {
    let message = message.trim();
    let Some(key) = key.filter(|key| !message.starts_with(key)) else { return message.to_owned() };
    let variant = message.strip_prefix("unknown variant `").and_then(|rest| rest.split_once("`, expected "));
    match variant {
        Some((value, choices)) => {
            let choices = choices.strip_prefix("one of ").unwrap_or(choices).replace('`', "\"");
            format!("{key} is one of {}, not {value:?}", choices.replace(" or ", ", "))
        }
        None => format!("{key}: {message}"),
    }
}

fn validate(file: &Path, raw: Raw) -> Result<Config, Fault> {
    let base = file.parent().unwrap_or(Path::new(""));
    let mut site = raw.site;
    check_site(&mut site)?;
    let path = |path: PathBuf, key: &'static str| match path.as_os_str().is_empty() {
        true => Err(Fault::new(format!("{key} is empty")).of(key)),
        false => Ok(base.join(path)),
    };
    let config = Config {
        file: file.to_owned(),
        drop: Drop {
            path: path(raw.drop.path, "drop.path")?,
            format: raw.drop.format,
            settle: raw.drop.settle.0,
            safe_servers: check_servers(&raw.drop.safe_servers)?,
            rejected: raw.drop.rejected,
            keep_rejected: check_term(&raw.drop.keep_rejected, "drop.keep_rejected", KEEP_REJECTED)?,
            kept: path(raw.drop.kept, "drop.kept")?,
            badmail: path(raw.drop.badmail, "drop.badmail")?,
        },
        limits: limits::check(&raw.limits)?,
        sender: sender::check(raw.sender, &site.domains)?,
        storage: Storage {
            catalog: base.join(address(&raw.storage.catalog, "sqlite:", "storage.catalog")?),
            contents: base.join(address(&raw.storage.contents, "file:", "storage.contents")?),
            recycle: check_term(&raw.storage.recycle, "storage.recycle", RECYCLE)?,
        },
        events: path(raw.events.file, "events.file")?,
        schedule: check_schedule(raw.schedule)?,
        site,
    };
    match apart::as_written(&config) {
        None => Ok(config),
        Some(overlap) => {
            let fault = Fault::new(overlap.to_string()).of(overlap.inner).of(overlap.outer);
            Err(fault.hint(Overlap::HINT))
        }
    }
}

fn check_schedule(schedule: Schedule) -> Result<Schedule, Fault> {
    match clock::check(&schedule.cron) {
        Ok(()) => Ok(schedule),
        Err(why) => {
            let fault = Fault::new(format!("schedule.cron {:?}: {why}", schedule.cron)).of("schedule.cron");
            Err(fault.hint("six fields, seconds first, in UTC: \"0 * * * * *\" is each minute"))
        }
    }
}

/// Nothing is kept for no time: whoever writes that may mean for ever.
fn check_term(term: &Span, key: &'static str, hint: &str) -> Result<Duration, Fault> {
    match term.0.is_zero() {
        false => Ok(term.0),
        true => Err(Fault::new(format!("{key} is a time from 1s on")).of(key).hint(hint)),
    }
}

const KEEP_REJECTED: &str =
    "rejected = \"delete\" keeps nothing that need not be kept; keep_rejected = \"36500d\" keeps it for good";
const RECYCLE: &str =
    "`mailshelf document purge` deletes at once; recycle = \"36500d\" keeps what is removed for good";

fn check_servers(list: &[String]) -> Result<Servers, Fault> {
    Servers::parse(list).map_err(|bad| {
        Fault::new(format!("drop.safe_servers: {}", bad.why)).of("drop.safe_servers").hint(bad.hint)
    })
}

/// The path of an address of this scheme. Of any other only the scheme is told: the rest may hold a password.
fn address<'a>(text: &'a str, scheme: &str, key: &'static str) -> Result<&'a str, Fault> {
    match text.strip_prefix(scheme) {
        Some("") => Err(Fault::new(format!("{key} names no path after \"{scheme}\"")).of(key)),
        Some(path) => Ok(path),
        None => {
            let is_word = |word: &&str| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+');
            let other = text.split_once("://").map(|(other, _)| other).filter(is_word);
            let other = other.map(|other| format!(", not \"{other}://…\"")).unwrap_or_default();
            Err(Fault::new(format!("{key} is \"{scheme}PATH\" in this version{other}")).of(key))
        }
    }
}

fn check_site(site: &mut Site) -> Result<(), Fault> {
    if site.domains.is_empty() {
        return Err(Fault::new("site.domains names no domain").of("site.domains").hint(
            "name the domain that your libraries' addresses end in: domains = [\"docs.example.org\"]",
        ));
    }
    for domain in &mut site.domains {
        *domain = check_domain(domain)
            .map_err(|why| Fault::new(format!("site.domains: {why}")).of("site.domains"))?;
    }
    let mut seen = std::collections::BTreeSet::new();
    site.domains.retain(|domain| seen.insert(domain.clone()));
    if site.node.is_empty() {
        site.node = host_name();
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if site.node.len() > 64 || site.node.starts_with('.') || !site.node.chars().all(plain) {
        let why = format!("site.node {:?}: a name has 1 to 64 characters of a-z 0-9 . _ -", site.node);
        return Err(Fault::new(why).of("site.node").hint("name this worker yourself: node = \"worker1\""));
    }
    site.alias_prefix.make_ascii_lowercase();
    if !site.alias_prefix.chars().all(plain) || site.alias_prefix.starts_with('.') {
        return Err(Fault::new("site.alias_prefix is made of a-z 0-9 . _ -").of("site.alias_prefix"));
    }
    if site.system_account.trim().is_empty() || site.system_account.chars().any(char::is_control) {
        let why = "site.system_account is a name, such as \"System Account\"";
        return Err(Fault::new(why).of("site.system_account"));
    }
    Ok(())
}

/// A domain in canonical form, as addresses have it.
pub fn check_domain(domain: &str) -> Result<String, String> {
    canonical_domain(domain)
        .ok_or_else(|| format!("{domain:?} is no domain; one looks like docs.example.org"))
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
