//! `mailshelf rejected`: mail that was refused and kept aside.

use jiff::Timestamp;
use mailshelf::dispose::aside::{self, Kept};
use mailshelf::outcome::Reason;
use mailshelf::site::Look;
use mailshelf_storage::DeliveryId;
use mailshelf_storage::model::{KeptEnd, OutcomeKind};

use super::mail::{find, show};
use super::{Context, DONE, prefix, when, wrong};
use mailshelf::record::words::time;

mod list;
mod purge;
mod replay;

/// Rejected mail that was kept aside: list, show, replay, purge
///
/// It is kept where `drop.rejected` says so, and always where the reason may be a fault of the mail server, or the library
/// was full, for `drop.keep_rejected`; then a pass deletes it. What became of it stays on record.
#[derive(clap::Subcommand)]
pub enum Rejected {
    /// Show what is kept, oldest first, why, and until when
    #[command(after_help = "Example: mailshelf rejected list --reason unsafe-server")]
    List {
        /// Only mail that was rejected for this reason, for some recipient
        #[arg(long)]
        reason: Option<String>,
    },
    /// Show everything on record of one, and what became of it
    #[command(after_help = "Example: mailshelf rejected show 01KAJ4R5XQ")]
    Show {
        /// As `list` shows it; its beginning will do, from 8 characters on
        id: String,
    },
    /// Give mail back to the drop, where the next pass decides anew by the settings of then
    ///
    /// It gets a new id; what is on record of the old one stays. It goes back for those recipients that it was rejected
    /// for: what was filed is not filed again. Where the library is full as ever it is kept again; no --anonymous-quota
    /// holds for it.
    #[command(after_help = "Example: mailshelf rejected replay --reason quota-exceeded")]
    Replay {
        /// As `list` shows it; its beginning will do, from 8 characters on
        #[arg(value_name = "ID")]
        ids: Vec<String>,
        /// All that is kept
        #[arg(long, conflicts_with = "ids")]
        all: bool,
        /// All that was rejected for this reason, for some recipient
        #[arg(long, conflicts_with = "ids")]
        reason: Option<String>,
    },
    /// Delete kept mail before its term
    #[command(after_help = format!("{}\n\
        Example: mailshelf rejected purge --older-than 7d", when::FORMS))]
    Purge {
        /// As `list` shows it; its beginning will do, from 8 characters on
        #[arg(value_name = "ID")]
        ids: Vec<String>,
        /// All that has been kept since before then
        #[arg(long, value_name = "TIME", value_parser = when::before_now, conflicts_with = "ids")]
        older_than: Option<Timestamp>,
        /// All that is kept
        #[arg(long, conflicts_with_all = ["ids", "older_than"])]
        all: bool,
        /// Only mail that was rejected for this reason, for some recipient
        #[arg(long, conflicts_with = "ids")]
        reason: Option<String>,
    },
}

impl Rejected {
    pub fn run(&self, context: &Context) -> anyhow::Result<u8> {
        match self {
            Rejected::List { reason } => list::list(&context.look()?, &context.out, reason.as_deref()),
            Rejected::Show { id } => {
                let site = context.look()?;
                check_kept(&site, id)?;
                show::show(&site, &context.out, id)?;
                Ok(DONE)
            }
            Rejected::Replay { ids, all, reason } => replay::replay(context, ids, *all, reason.as_deref()),
            Rejected::Purge { ids, older_than, all, reason } => {
                purge::purge(context, ids, *older_than, *all, reason.as_deref())
            }
        }
    }
}

const SHOWN: &str = "`mailshelf rejected list` shows those there are";

/// Everything that is kept, oldest first.
fn kept(site: &Look) -> anyhow::Result<Vec<Kept>> {
    let mut kept = aside::kept_in(&site.config.drop.kept)?.collect::<Result<Vec<_>, _>>()?;
    kept.sort_by(|a, b| (a.kept_at, &a.path).cmp(&(b.kept_at, &b.path)));
    Ok(kept)
}

/// Those that were rejected for a reason, for whichever recipient; all, where none is named.
fn for_reason(site: &Look, kept: Vec<Kept>, reason: Option<&str>) -> anyhow::Result<Vec<Kept>> {
    let Some(reason) = reason else { return Ok(kept) };
    if Reason::of(reason).is_none() {
        let known: Vec<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        let hint = format!("those there are: {}", known.join(" "));
        return Err(wrong(format!("reason {reason}: there is no such reason"), Some(hint)));
    }
    let reader = site.catalog.read()?;
    let mut found = Vec::new();
    for one in kept {
        let outcomes = one.id.map(|id| reader.outcomes(id)).transpose()?.unwrap_or_default();
        let mut refused = outcomes.iter().filter(|outcome| outcome.kind == OutcomeKind::Rejected);
        if refused.any(|outcome| outcome.reason.as_deref() == Some(reason)) {
            found.push(one);
        }
    }
    Ok(found)
}

/// The mails that are named. Nothing is done to any of them before all are known.
fn choose(site: &Look, kept: Vec<Kept>, named: &[String]) -> anyhow::Result<Vec<Kept>> {
    let mut chosen = std::collections::BTreeSet::new();
    for name in named {
        let begins = |prefix: &str| {
            let ids = kept.iter().filter_map(|kept| kept.id);
            Ok(ids.filter(|id| id.to_string().starts_with(prefix)).collect::<Vec<_>>())
        };
        match prefix::find(name, SHOWN, begins)? {
            Some(id) => chosen.insert(id),
            None => return Err(not_kept(site, name)?),
        };
    }
    Ok(kept.into_iter().filter(|kept| kept.id.is_some_and(|id| chosen.contains(&id))).collect())
}

/// Why a mail that is named does not stand there.
fn not_kept(site: &Look, named: &str) -> anyhow::Result<anyhow::Error> {
    let reader = site.catalog.read()?;
    let id = find(&*reader, named)?;
    let hint = || Some(format!("`mailshelf mail show {id}` tells what became of it"));
    Ok(match reader.kept_end(id)? {
        Some(end) => wrong(format!("mail {id}: {}", left(&end)), hint()),
        None => wrong(format!("mail {id}: it is not kept aside"), hint()),
    })
}

/// How a mail left the folder, in words.
fn left(end: &KeptEnd) -> String {
    format!("it was {} {}: {}", end.fate, time(end.at), end.why)
}

/// Whether a mail that is named is, or was, kept aside.
fn check_kept(site: &Look, named: &str) -> anyhow::Result<()> {
    let id: DeliveryId = find(&*site.catalog.read()?, named)?;
    let is_there = kept(site)?.iter().any(|kept| kept.id == Some(id));
    if is_there || site.catalog.read()?.kept_end(id)?.is_some() {
        Ok(())
    } else {
        Err(not_kept(site, named)?)
    }
}
