//! `mailshelf demo`: a small site with sample mail, to see what becomes of it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::Timestamp;
use mailshelf::config::Config;
use mailshelf::escape::Escaped;
use mailshelf::pass::Completed;
use mailshelf::site::Site;
use mailshelf_storage::model::{LibrarySettings, Principal, Role, SenderPolicy, TrustFrom};

use super::output::Output;
use super::{Context, init, open, paste, run};

/// Make a small site, put sample mail in its drop, run a pass, and show what became of each mail
#[derive(clap::Args)]
#[command(after_help = "Example: mailshelf demo /tmp/mailshelf-demo")]
pub struct Demo {
    /// Where; made if it is missing, used again if it is a demo already
    #[arg(default_value = "mailshelf-demo")]
    dir: PathBuf,
}

/// Says of a site that it is a demo, so that no other one is ever used for it.
const MARK: &str = ".mailshelf-demo";

/// The files that are put into the drop. The scanner sends the same mail twice.
const MAILS: &[(&str, &str)] = &[
    ("scanner.eml", include_str!("demo/scanner.eml")),
    ("scanner-again.eml", include_str!("demo/scanner.eml")),
    ("march.eml", include_str!("demo/march.eml")),
    ("forged.eml", include_str!("demo/forged.eml")),
    ("stranger.eml", include_str!("demo/stranger.eml")),
    ("lost.eml", include_str!("demo/lost.eml")),
];

impl Demo {
    pub fn run(&self, context: &Context) -> anyhow::Result<u8> {
        let config = self.dir.join("mailshelf.toml");
        let is_marked = self.dir.join(MARK).exists();
        let again = is_marked && config.exists();
        let site = open(if again { Config::load(&config)? } else { self.make(is_marked)? })?;
        furnish(&site)?;
        for (name, text) in MAILS {
            deliver(&site.config.drop.path, name, text)?;
        }
        let out = &context.out;
        if !out.is_json() {
            out.line(&self.introduction(again))?;
        }
        let code = run::run(&site, out, |completed| self.show(out, completed))?;
        if !out.is_json() {
            out.line(&self.next())?;
        }
        Ok(code)
    }

    /// The mark comes first: a demo that is interrupted while it is made can be run again.
    fn make(&self, is_marked: bool) -> anyhow::Result<Config> {
        if !is_marked {
            init::check_room(&self.dir, "demo DIR")?;
            init::make_folder(&self.dir)?;
            let mark = self.dir.join(MARK);
            fs::write(&mark, "A demo site of mailshelf. It may be deleted.\n")
                .with_context(|| format!("file {}: cannot write it", mark.display()))?;
        }
        init::init(&self.dir, &["docs.example.org".to_owned()])
    }

    fn shown(&self) -> String {
        Escaped(&self.dir.display().to_string()).to_string()
    }

    fn introduction(&self, again: bool) -> String {
        let made = if again { "Used again" } else { "Made" };
        format!(
            "{made}: the site {dir}, with three libraries:\n  \
             scans      takes mail from anyone\n  \
             invoices   takes mail from its contributors, and believes the From header (trust-from yes)\n  \
             contracts  takes mail from its contributors, and asks for proof\n\
             One user, alice@example.org, contributes to invoices and contracts. Now {count} mails are put into {dir}/drop,\n\
             as a mail server would, and a pass is run:\n",
            dir = self.shown(),
            count = MAILS.len()
        )
    }

    fn show(&self, out: &Output, completed: &Completed) -> anyhow::Result<()> {
        completed.event.mails.iter().try_for_each(|mail| out.lines(&mail.lines()))?;
        out.line(&format!("\nThe event of this pass (6871):\n  {}", completed.event.text()))
    }

    fn next(&self) -> String {
        let shell = |path: &Path| paste::quoted(&path.display().to_string());
        let program = paste::program();
        let config = format!("--config {}", shell(&self.dir.join("mailshelf.toml")));
        format!(
            "\nTry next:\n  \
             {program} {config} document get invoices March.csv\n  \
             {program} {config} mail list --outcome rejected\n  \
             {program} {config} events --last 1\n  \
             {program} {config} status\n  \
             {program} demo {dir}          # the same mail again: what was filed is recognised",
            dir = shell(&self.dir),
        )
    }
}

/// All in one transaction: where there is something, all was done.
fn furnish(site: &Site) -> anyhow::Result<()> {
    let mut writer = site.catalog.write()?;
    if !writer.libraries()?.is_empty() || !writer.users()?.is_empty() {
        return Ok(());
    }
    let now = Timestamp::now();
    let settings = |sender_policy, trust_from, save_original| LibrarySettings {
        sender_policy,
        trust_from,
        save_original,
        ..LibrarySettings::default()
    };
    let anyone = settings(SenderPolicy::Anyone, TrustFrom::Inherit, true);
    let trusting = settings(SenderPolicy::Permissions, TrustFrom::Yes, false);
    let strict = settings(SenderPolicy::Permissions, TrustFrom::No, false);
    writer.add_user(&"alice".parse()?, &["alice@example.org".parse()?])?;
    writer.add_library(&"scans".parse()?, &"scans".parse()?, &anyone, now)?;
    for (name, settings) in [("invoices", trusting), ("contracts", strict)] {
        let library = writer.add_library(&name.parse()?, &name.parse()?, &settings, now)?;
        writer.grant(library, &Principal::User("alice".parse()?), Role::Contributor)?;
    }
    Ok(writer.commit()?)
}

/// As mail servers do: written under a name that is passed over, then renamed.
fn deliver(drop: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let unfinished = drop.join(format!(".{name}"));
    let finished = drop.join(name);
    fs::write(&unfinished, text.replace('\n', "\r\n"))
        .and_then(|()| fs::rename(&unfinished, &finished))
        .with_context(|| format!("cannot write {}", finished.display()))
}
