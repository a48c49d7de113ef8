//! `mailshelf run`: what a timer calls.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use mailshelf::confine::Reach;
use mailshelf::drop::DropError;
use mailshelf::pass::{self, Completed, Scope};
use mailshelf::site::{Site, Trusting};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::output::Output;
use super::{Context, DONE, FAILED, complain, confine, open};

/// Empty the drop, then exit: what a timer calls
///
/// Makes a pass for each 10,000 mails, and at least one. Each writes an event to the event log.
#[derive(clap::Args)]
#[command(after_help = "Exit code 1: something failed or was deferred. 75: another pass holds this drop.\n\
                        Example: mailshelf run --json | jq '.mails[] | select(.recipients[].outcome != \"filed\")'")]
pub struct Run {}

impl Run {
    pub fn run(&self, context: &Context) -> anyhow::Result<u8> {
        let site = open(context.config_of_ours()?)?;
        // Before there is any other thread.
        confine::enter(|| Reach::of(&site.config, site.program.as_deref()))?;
        site.warn_of_trust(Trusting::default());
        run(&site, &context.out, |completed| text(&context.out, completed))
    }
}

/// Runs passes until the drop is empty. The first SIGINT or SIGTERM ends it after the batch in hand, a second one
/// at once: that loses nothing either.
pub fn run(
    site: &Site,
    out: &Output,
    mut show: impl FnMut(&Completed) -> anyhow::Result<()>,
) -> anyhow::Result<u8> {
    let stop = stop_on_signals()?;
    let mut code = DONE;
    let mut shown = Ok(());
    let drop = match site.open_drop() {
        Ok(drop) => drop,
        Err(error) => return unable(site, out, error),
    };
    pass::run(site, &drop, Scope::Everything, &stop, |completed| {
        for fault in &completed.faults {
            complain(fault, None);
        }
        if has_failed(&completed) {
            code = FAILED;
        }
        let mut lines = completed.lines.iter();
        let now = if out.is_json() { lines.try_for_each(|line| out.line(line)) } else { show(&completed) };
        // Mail is filed whether or not anybody reads of it here.
        shown = std::mem::replace(&mut shown, Ok(())).and(now);
    })?;
    shown.map(|()| code)
}

/// Set by the first SIGINT or SIGTERM; the second one ends the program at once.
pub fn stop_on_signals() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stop))?;
        flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}

/// Whether a pass left something to be done.
pub fn has_failed(completed: &Completed) -> bool {
    let event = &completed.event;
    event.deferred > 0 || event.interrupted || !completed.faults.is_empty()
}

/// Without its drop folder there is no pass. The event log says so too, unless all is well and another has it.
fn unable(site: &Site, out: &Output, why: DropError) -> anyhow::Result<u8> {
    if !matches!(why, DropError::Held { .. }) {
        match pass::unable(site, &why) {
            Ok(completed) if out.is_json() => completed.lines.iter().try_for_each(|line| out.line(line))?,
            Ok(_) => {}
            Err(error) => complain(&error.to_string(), None),
        }
    }
    Err(why.into())
}

/// A pass for people: what is wrong, the sentence, the counts, and the mails that were not filed for all.
pub fn text(out: &Output, completed: &Completed) -> anyhow::Result<()> {
    let event = &completed.event;
    completed.warnings.iter().try_for_each(|warning| out.line(&warning.text()))?;
    out.line(&event.text())?;
    if event.processed > 0 {
        out.line(&event.summary())?;
    }
    not_filed(out, completed)
}

/// A line for each recipient of each mail that somebody did not get.
pub fn not_filed(out: &Output, completed: &Completed) -> anyhow::Result<()> {
    let event = &completed.event;
    let filed = |outcome: &str| outcome == "filed" || outcome == "duplicate";
    for mail in &event.mails {
        if mail.recipients.is_empty() || mail.recipients.iter().any(|r| !filed(&r.outcome)) {
            out.lines(&mail.lines())?;
        }
    }
    Ok(())
}
