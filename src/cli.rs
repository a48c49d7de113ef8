//! Commands: what a person or a script says, and what they get to see. One file for each command.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use mailshelf::config::{Config, ConfigError};
use mailshelf::drop::DropError;
use mailshelf::escape::Escaped;
use mailshelf::pass::PassError;
use mailshelf::site::{Look, Site};

mod access;
mod apply;
mod confine;
mod demo;
mod document;
mod events;
mod filter;
mod explain;
mod grant;
mod group;
mod init;
mod library;
mod log;
mod mail;
mod output;
mod parse_alone;
mod paste;
mod prefix;
mod queue;
mod rejected;
mod replay;
mod run;
mod serve;
mod status;
mod usage;
mod user;
mod verify;
mod when;

pub use log::{Log, panicked};
use output::{Output, Paint, Tone};

/// Files the mail of a drop folder into document libraries: none lost, none twice, none under a false name.
#[derive(Parser)]
#[command(name = "mailshelf", version, max_term_width = 100, subcommand_required = true)]
#[command(
    after_help = "Begin with `mailshelf demo`, or with `mailshelf init DIR --domain docs.example.org`."
)]
pub struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Global {
    /// The configuration [default: $MAILSHELF_CONFIG, ./mailshelf.toml, /etc/mailshelf/mailshelf.toml]
    #[arg(long, global = true, value_name = "FILE", display_order = 100)]
    config: Option<PathBuf>,
    /// Print JSON, one object a line
    #[arg(long, global = true, display_order = 101)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Demo),
    Init(init::Init),
    Run(run::Run),
    Serve(serve::Serve),
    Replay(replay::Replay),
    Explain(explain::Explain),
    Status(status::Status),
    Queue(queue::Queue),
    #[command(subcommand)]
    Rejected(rejected::Rejected),
    Events(events::Events),
    #[command(subcommand)]
    Mail(mail::Mail),
    #[command(subcommand)]
    Document(document::Document),
    #[command(subcommand)]
    Library(library::Library),
    #[command(subcommand)]
    User(user::User),
    #[command(subcommand)]
    Group(group::Group),
    Grant(grant::Grant),
    Revoke(grant::Revoke),
    Access(access::Access),
    Apply(apply::Apply),
    Export(apply::export::Export),
    Verify(verify::Verify),
    #[command(hide = true)]
    ParseAlone(parse_alone::ParseAlone),
}

/// Done.
const DONE: u8 = 0;
/// Something failed or was deferred.
const FAILED: u8 = 1;
/// Wrong usage or configuration.
const WRONG: u8 = 2;
/// Another pass holds this drop (`EX_TEMPFAIL` of sysexits.h).
const HELD: u8 = 75;

/// Reads the command line. `Err` where that is all there is to do: help, version, or wrong usage.
pub fn parse() -> Result<Arguments, ExitCode> {
    Arguments::try_parse().map_err(usage::report)
}

/// Carries out one command and says how it went.
pub fn run(arguments: Arguments) -> ExitCode {
    let out = Output::new(arguments.global.json);
    let context = Context { config: arguments.global.config, out };
    let result = match arguments.command {
        Command::Demo(command) => command.run(&context),
        Command::Init(command) => command.run(&context),
        Command::Run(command) => command.run(&context),
        Command::Serve(command) => command.run(&context),
        Command::Replay(command) => command.run(&context),
        Command::Explain(command) => command.run(&context),
        Command::Status(command) => command.run(&context),
        Command::Queue(command) => command.run(&context),
        Command::Rejected(command) => command.run(&context),
        Command::Events(command) => command.run(&context),
        Command::Mail(command) => command.run(&context),
        Command::Document(command) => command.run(&context),
        Command::Library(command) => command.run(&context),
        Command::User(command) => command.run(&context),
        Command::Group(command) => command.run(&context),
        Command::Grant(command) => command.run(&context),
        Command::Revoke(command) => command.run(&context),
        Command::Access(command) => command.run(&context),
        Command::Apply(command) => command.run(&context),
        Command::Export(command) => command.run(&context),
        Command::Verify(command) => command.run(&context),
        Command::ParseAlone(command) => command.run(),
    };
    ExitCode::from(result.unwrap_or_else(|error| report(&error)))
}

/// What every command is given.
struct Context {
    config: Option<PathBuf>,
    out: Output,
}

impl Context {
    /// The configuration file: the one named, else the first there is.
    fn config(&self) -> anyhow::Result<Config> {
        let exists = |path: &Path| path.exists();
        Ok(Config::load(&choose(self.config.clone(), std::env::var_os("MAILSHELF_CONFIG"), exists))?)
    }

    fn site(&self) -> anyhow::Result<Site> {
        open(self.config()?)
    }

    /// The configuration, for commands that file mail: what root makes in a site that is another user's, that user
    /// cannot use any more.
    fn config_of_ours(&self) -> anyhow::Result<Config> {
        let config = self.config()?;
        let owner = std::fs::metadata(&config.storage.catalog).map(|found| found.uid());
        match owner {
            Ok(owner) if owner != 0 && rustix::process::geteuid().is_root() => {
                let what =
                    format!("site {}: it belongs to user {owner}, and this is root", config.file.display());
                let hint = format!("do it as that user: runuser -u \"$(id -nu {owner})\" -- mailshelf …");
                Err(wrong(what, Some(hint)))
            }
            _ => Ok(config),
        }
    }

    /// The site, to look at and nothing else.
    fn look(&self) -> anyhow::Result<Look> {
        Ok(Look::open(self.config()?)?)
    }
}

fn open(config: Config) -> anyhow::Result<Site> {
    Ok(Site::open(config)?)
}

const HERE: &str = "mailshelf.toml";
const SYSTEM: &str = "/etc/mailshelf/mailshelf.toml";

/// Which configuration: the one named, else that of the environment, else the first there is. An empty variable is
/// none, as shells and units make one.
fn choose(named: Option<PathBuf>, variable: Option<OsString>, exists: impl Fn(&Path) -> bool) -> PathBuf {
    let variable = variable.filter(|value| !value.is_empty()).map(PathBuf::from);
    named.or(variable).unwrap_or_else(|| {
        let (here, system) = (Path::new(HERE), Path::new(SYSTEM));
        if !exists(here) && exists(system) { system.to_owned() } else { here.to_owned() }
    })
}

/// Wrong usage or set-up, and the way out: exit code 2 whatever the error itself would give.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
struct Wrong {
    error: anyhow::Error,
    hint: Option<String>,
}

fn wrong(what: impl std::fmt::Display, hint: Option<String>) -> anyhow::Error {
    Wrong { error: anyhow::anyhow!("{what}"), hint }.into()
}

/// Something that cannot be done, and what could be: exit code 1.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
struct Failed {
    what: String,
    hint: String,
}

fn failed(what: impl std::fmt::Display, hint: impl std::fmt::Display) -> anyhow::Error {
    Failed { what: what.to_string(), hint: hint.to_string() }.into()
}

/// Says on standard error what went wrong, and gives the exit code for it.
fn report(error: &anyhow::Error) -> u8 {
    complain(&format!("{error:#}"), hint(error).as_deref());
    code(error)
}

/// One line, and its hint. Escaped, because errors quote what strangers wrote.
pub fn complain(what: &str, hint: Option<&str>) {
    let (mut err, paint) = (io::stderr(), Paint::stderr());
    // Nobody is left to tell if this cannot be written.
    let _ = writeln!(err, "{} {}", paint.text(Some(Tone::Critical), "mailshelf:"), Escaped(what));
    if let Some(hint) = hint {
        let _ = writeln!(err, "{} {}", paint.text(Some(Tone::Hint), "hint:"), Escaped(hint));
    }
}

fn drop_error(error: &anyhow::Error) -> Option<&DropError> {
    match error.downcast_ref() {
        Some(PassError::Drop(error)) => Some(error),
        _ => error.downcast_ref(),
    }
}

fn storage_error(error: &anyhow::Error) -> Option<&mailshelf_storage::Error> {
    match error.downcast_ref() {
        Some(PassError::Storage(error)) => Some(error),
        _ => error.downcast_ref(),
    }
}

fn hint(error: &anyhow::Error) -> Option<String> {
    use mailshelf_storage::Error;
    if let Some(wrong) = error.downcast_ref::<Wrong>() {
        return wrong.hint.clone().or_else(|| hint(&wrong.error));
    }
    if let Some(failed) = error.downcast_ref::<Failed>() {
        return Some(failed.hint.clone());
    }
    if let Some(error) = error.downcast_ref::<ConfigError>() {
        return error.hint.clone();
    }
    if let Some(error) = drop_error(error) {
        return error.hint();
    }
    match storage_error(error)? {
        Error::TooNew { .. } => {
            Some("use the newer mailshelf that made it, or a copy from before".to_owned())
        }
        Error::NotFound { what, .. } => Some(format!("`mailshelf {what} list` shows those there are")),
        Error::Taken { what: "alias", .. } => {
            Some("choose another, or give that library another first: `mailshelf library set`".to_owned())
        }
        Error::Cycle { .. } => Some("`mailshelf group list` shows who is in which".to_owned()),
        Error::NotEmpty { documents: 0, name, .. } => {
            Some(format!("`mailshelf document purge {name} --all` empties the bin for good"))
        }
        Error::NotEmpty { .. } => {
            Some("`mailshelf library set NAME --enabled no` stops it taking mail".to_owned())
        }
        _ => None,
    }
}

fn code(error: &anyhow::Error) -> u8 {
    if error.is::<Wrong>() || error.is::<ConfigError>() {
        return WRONG;
    }
    match drop_error(error) {
        Some(DropError::Held { .. }) => return HELD,
        Some(error) if error.is_temporary() => return FAILED,
        Some(_) => return WRONG,
        None => {}
    }
    match storage_error(error) {
        Some(error) if !error.is_temporary() => WRONG,
        _ => FAILED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_is_the_first_of_the_search_order() {
        let both: &[&str] = &[HERE, SYSTEM];
        for (named, variable, there, chosen) in [
            (Some("named"), Some("variable"), both, "named"),
            (None, Some("variable"), both, "variable"),
            (None, Some(""), both, HERE),
            (None, None, both, HERE),
            (None, None, &[HERE], HERE),
            (None, None, &[SYSTEM], SYSTEM),
            (None, None, &[], HERE),
        ] {
            let exists = |path: &Path| there.iter().any(|one| path == Path::new(one));
            let found = choose(named.map(PathBuf::from), variable.map(OsString::from), exists);
            assert_eq!(found, Path::new(chosen), "{named:?} {variable:?} {there:?}");
        }
    }
}
