//! `mailshelf queue`: what has not been dealt with, and why.

use mailshelf::dispose::aside;
use mailshelf::drop::look;
use mailshelf::explain::words::thousands;
use mailshelf::replay::spool::Spool;
use mailshelf::site::Look;

use super::output::Output;
use super::{Context, DONE};
use entry::{Entry, Line, State};

pub mod entry;
pub mod retry;

/// Show what stands in the drop, is claimed, deferred or in badmail, and why
///
/// SINCE is when a mail was claimed; in the drop, when it was written. TRIED is how often it failed by a fault that only
/// it shows; faults of the site are tried again for ever. What a replay has left is told too.
#[derive(clap::Args)]
#[command(
    subcommand_value_name = "COMMAND",
    after_help = "States:\n  \
        waiting   in the drop, for the next pass\n  \
        not-mail  in the drop, and left there: it is no mail, or not yet\n  \
        claimed   taken by a worker, and not on record yet\n  \
        deferred  on record as waiting; each pass tries it again\n  \
        suspect   a worker may have died of it; the next pass reads it alone\n  \
        badmail   given up; `mailshelf queue retry` puts it back, unless it is a copy that a replay made\n\n\
        Example: mailshelf queue --json | jq -r 'select(.state == \"deferred\") | .why'"
)]
pub struct Queue {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(clap::Subcommand)]
enum Command {
    Retry(retry::Retry),
}

impl Queue {
    pub fn run(self, context: &Context) -> anyhow::Result<u8> {
        match self.command {
            Some(Command::Retry(command)) => command.run(context),
            None => list(&context.look()?, &context.out),
        }
    }
}

fn list(site: &Look, out: &Output) -> anyhow::Result<u8> {
    let mut listing = Listing::default();
    for found in look::look(&site.config.drop_settings())? {
        listing.add(Entry::standing(found?, Line::Drop, &*site.catalog)?, out)?;
    }
    for kept in aside::kept_in(&site.config.drop.badmail)? {
        listing.add(Entry::badmail(&kept?, Line::Drop, &*site.catalog)?, out)?;
    }
    let replay = Spool::site(&site.config);
    for found in look::claims(&replay.drop.path) {
        listing.add(Entry::standing(found?, Line::Replay, &*site.catalog)?, out)?;
    }
    for kept in aside::kept_in(&replay.drop.badmail)? {
        listing.add(Entry::badmail(&kept?, Line::Replay, &*site.catalog)?, out)?;
    }
    listing.show(out)?;
    Ok(DONE)
}

/// So many waiting mails are shown to people; of the others they read how many there are.
const SHOWN: usize = 100;

/// What people get to see once all is known. What scripts get is printed as it comes.
#[derive(Default)]
struct Listing {
    waiting: Vec<Entry>,
    others: Vec<Entry>,
    counts: [u64; State::ALL.len()],
}

impl Listing {
    fn add(&mut self, entry: Entry, out: &Output) -> anyhow::Result<()> {
        if out.is_json() {
            return out.object(&entry);
        }
        self.counts
            .iter_mut()
            .zip(State::ALL)
            .filter(|(_, state)| *state == entry.state)
            .for_each(|(n, _)| *n += 1);
        if entry.state == State::Waiting {
            self.waiting.push(entry);
            if self.waiting.len() >= 2 * SHOWN {
                self.keep_oldest();
            }
        } else {
            self.others.push(entry);
        }
        Ok(())
    }

    fn keep_oldest(&mut self) {
        self.waiting.sort_by(|a, b| a.order().cmp(&b.order()));
        self.waiting.truncate(SHOWN);
    }

    fn show(mut self, out: &Output) -> anyhow::Result<()> {
        if out.is_json() {
            return Ok(());
        }
        self.keep_oldest();
        let shown = self.waiting.len() as u64;
        self.others.sort_by(|a, b| a.order().cmp(&b.order()));
        let mut rows = self.waiting;
        rows.append(&mut self.others);
        out.list(&rows, "Nothing waits.")?;
        let counts = || self.counts.iter().zip(State::ALL).filter(|(count, _)| **count > 0);
        if let Some((waiting, _)) =
            counts().find(|(count, state)| *state == State::Waiting && **count > shown)
        {
            out.line(&format!("… and {} more waiting", thousands(waiting - shown)))?;
        }
        let counts: Vec<_> =
            counts().map(|(count, state)| format!("{} {state}", thousands(*count))).collect();
        if counts.is_empty() { Ok(()) } else { out.line(&counts.join(", ")) }
    }
}
