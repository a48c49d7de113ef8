//! `mailshelf init`: a new site.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use mailshelf::config::{Config, TEMPLATE, check_domain};
use mailshelf::escape::Escaped;
use mailshelf_storage::durable::{Existing, NewFile, sync_folder};
use serde::Serialize;

use super::{Context, DONE, open, paste, wrong};

/// Make a new site: its configuration with every key explained, a drop folder, and room for what it keeps
#[derive(clap::Args)]
#[command(after_help = "Example: mailshelf init /srv/mailshelf --domain docs.example.org")]
pub struct Init {
    /// Where; made if it is missing
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// A domain that mail is taken for; may be repeated
    #[arg(long = "domain", required = true, value_name = "DOMAIN")]
    domains: Vec<String>,
}

#[derive(Serialize)]
struct Made {
    config: PathBuf,
    drop: PathBuf,
    domains: Vec<String>,
}

impl Init {
    pub fn run(&self, context: &Context) -> anyhow::Result<u8> {
        let domains = check_domains(&self.domains)?;
        check_room(&self.dir, "init DIR")?;
        let config = init(&self.dir, &domains)?;
        let made = Made {
            config: config.file.clone(),
            drop: config.drop.path.clone(),
            domains: config.site.domains.clone(),
        };
        context.out.value(&made, || text(&made))?;
        Ok(DONE)
    }
}

fn text(made: &Made) -> String {
    let config = made.config.display().to_string();
    let domain = made.domains.first().map(String::as_str).unwrap_or_default();
    format!(
        "Made {}\nNext:\n  \
         {mailshelf} library add invoices --alias invoices --sender-policy anyone\n  \
         (or all libraries, people and rights from one file: `apply FILE`; `apply --help` shows one)\n  \
         let your mail server write the mail for {domain} into {}\n  \
         {mailshelf} run",
        Escaped(&config),
        Escaped(&made.drop.display().to_string()),
        mailshelf = format_args!("{} --config {}", paste::program(), paste::quoted(&config)),
    )
}

fn check_domains(domains: &[String]) -> anyhow::Result<Vec<String>> {
    let mut checked = Vec::new();
    for domain in domains {
        let domain = check_domain(domain).map_err(|why| wrong(format!("--domain: {why}"), None))?;
        if !checked.contains(&domain) {
            checked.push(domain);
        }
    }
    Ok(checked)
}

/// Refuses a folder that is somebody's already: mail that stands in its drop would be filed, and what it keeps would
/// be taken for the new site's.
pub fn check_room(dir: &Path, command: &str) -> anyhow::Result<()> {
    let refuse = |why: String| {
        let hint = format!("name another folder: {} {command}", paste::program());
        Err(wrong(format!("site {}: {why}", dir.display()), Some(hint)))
    };
    let file = dir.join("mailshelf.toml");
    match dir.symlink_metadata() {
        Ok(_) if !dir.is_dir() => return refuse("it is a file, not a folder".to_owned()),
        _ if file.symlink_metadata().is_ok() => {
            return refuse(format!("there is one already ({})", file.display()));
        }
        _ => {}
    }
    for folder in ["drop", "state"].map(|name| dir.join(name)) {
        let found = match folder.read_dir() {
            Ok(mut entries) => entries.next().is_some(),
            Err(_) => folder.symlink_metadata().is_ok(),
        };
        if found {
            return refuse(format!("{} is there already, and is no empty folder", folder.display()));
        }
    }
    Ok(())
}

/// Makes a folder of a site. What the caller named wrongly is wrong usage; a full disk is not.
pub fn make_folder(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).map_err(|error: io::Error| {
        let what = format!("folder {}: cannot make it: {error}", folder.display());
        match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
                wrong(what, Some("name another folder".to_owned()))
            }
            _ => anyhow::anyhow!(what),
        }
    })
}

/// Makes a site in `dir` and opens it once, so that what is wrong shows now. What is there already of a site whose
/// making was interrupted is used.
pub fn init(dir: &Path, domains: &[String]) -> anyhow::Result<Config> {
    for folder in [dir, &dir.join("drop"), &dir.join("state")] {
        make_folder(folder)?;
    }
    let file = dir.join("mailshelf.toml");
    let listed: Vec<_> = domains.iter().map(|domain| format!("{domain:?}")).collect();
    let domains = format!("domains = [{}]", listed.join(", "));
    let text = TEMPLATE.replace("domains = [\"docs.example.org\"]", &domains);
    let mut new = NewFile::create_with_mode(dir, 0o644)?;
    new.write_all(text.as_bytes()).with_context(|| format!("file {}: cannot write it", file.display()))?;
    new.sync()?;
    new.publish(&file, Existing::Refuse)?;
    sync_folder(dir)?;
    let config = Config::load(&file)?;
    open(config.clone())?;
    Ok(config)
}
