//! `mailshelf apply`: a site as a file declares it, all of it or nothing.

use std::path::PathBuf;

use jiff::Timestamp;
use mailshelf::site::declaration::{Declaration, Fault, Lines, key, read};
use mailshelf::site::plan::{Carried, NotRemoved, Plan};
use mailshelf_storage::failpoint::reached;

use super::{Context, DONE, WRONG, complain, wrong};

pub mod export;
mod show;
mod source;
mod warn;

use warn::Warning;

/// Make the libraries, users, groups and rights of the site those that a file declares
///
/// All of it happens, or nothing. What the file names becomes as it says there, and otherwise as by default: settings,
/// addresses, members. What it does not name stays, unless --prune is given; a library that holds documents is never
/// removed. `mailshelf export` prints the site as such a file, with every setting.
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub struct Apply {
    /// What is wanted, as TOML; `-` is standard input
    file: PathBuf,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Remove libraries, users, groups and rights that the file does not name
    #[arg(long)]
    prune: bool,
}

/// What such a file looks like.
const HELP: &str = "\
A file:
  [user.alice]
  addresses = [\"alice@example.org\"]

  [group.accounting]
  members = [\"alice\"]                   # or \"group:NAME\"

  [library.invoices]
  alias = \"invoices\"
  save-original = true
  grants = { \"group:accounting\" = \"contributor\" }

Example: mailshelf apply site.toml --dry-run";

/// So many faults of a file are told.
const FAULTS: usize = 100;

impl Apply {
    pub fn run(&self, context: &Context) -> anyhow::Result<u8> {
        let text = source::read(&self.file)?;
        if self.prune && is_blank(&text) {
            // What a pipe gives whose other end has failed; the export of an empty site is not without a word.
            let what =
                format!("{}: it is empty, and --prune would remove all there is", source::name(&self.file));
            return Err(wrong(what, Some("a comment in it shows that this is meant: # nothing".to_owned())));
        }
        let (written, faults) = match read(&text) {
            Ok(read) => read,
            Err(_) if text.trim_start().starts_with('{') => {
                let what = format!("{}: a declaration is TOML, and this is none", source::name(&self.file));
                let hint = "`mailshelf export` without --json prints one".to_owned();
                return Err(wrong(what, Some(hint)));
            }
            Err(faults) => return Ok(self.refuse(&text, &faults)),
        };
        let site = context.site()?;
        // From here on nobody else changes the site: what is shown is what happens.
        let mut writer = site.catalog.write()?;
        let now = Declaration::of(&*writer)?;
        let plan = Plan::new(&now, &written.declaration, self.prune);
        let faults = all(faults, plan.check(&now, &written, &site.config.site));
        if !faults.is_empty() {
            return Ok(self.refuse(&text, &faults));
        }
        let mut warnings = warn::of_aliases(&site, &*writer, &now, &plan)?;
        if let Carried::Not(libraries) = plan.carry_out(&mut *writer, Timestamp::now())? {
            return Ok(self.keep(&libraries));
        }
        reached("applied", "");
        warnings.extend(warn::warnings(&site.config, &*writer, &now, &plan)?);
        if self.dry_run || plan.is_empty() {
            // Nobody waits for us while somebody reads.
            drop(writer);
        } else {
            writer.commit()?;
        }
        show::show(&context.out, &plan, self.dry_run)?;
        warnings.iter().for_each(|Warning { what, hint }| complain(what, Some(hint)));
        Ok(DONE)
    }

    /// Tells what is wrong with the file.
    fn refuse(&self, text: &str, faults: &[Fault]) -> u8 {
        let (name, lines) = (source::name(&self.file), Lines::of(text));
        for Fault { at, why, hint } in faults.iter().take(FAULTS) {
            let (line, column) = lines.place(*at);
            complain(&format!("{name}: line {line}, column {column}: {why}"), hint.as_deref());
        }
        let more = match faults.len().saturating_sub(FAULTS) {
            0 => String::new(),
            more => format!("{more} more faults; "),
        };
        complain(&format!("{name}: {more}nothing is changed"), None);
        WRONG
    }

    /// Tells which libraries stand in the way.
    fn keep(&self, libraries: &[NotRemoved]) -> u8 {
        let name = source::name(&self.file);
        for NotRemoved { library, why } in libraries {
            let section = key(library.as_str());
            let hint = format!("name [library.{section}] in the file; `mailshelf export` shows it as it is");
            complain(&format!("{why}, and --prune would remove it: the file lacks it"), Some(&hint));
        }
        complain(&format!("{name}: nothing is changed"), None);
        WRONG
    }
}

/// Whether no table and no comment stands in a text, whatever a byte order mark makes of its length.
fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c == '\u{feff}')
}

/// All faults, in the order of the text.
fn all(mut faults: Vec<Fault>, more: Vec<Fault>) -> Vec<Fault> {
    faults.extend(more);
    faults.sort_by_key(|fault| fault.at);
    faults
}
