//! `mailshelf replay`: mail from elsewhere goes down the line.

use std::io::{IsTerminal, stderr};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use mailshelf::escape::Escaped;
use mailshelf::outcome::Reason;
use mailshelf::pass::Completed;
use mailshelf::replay::mbox::Style;
use mailshelf::replay::{Replay as Prepared, ReplayError, Report, Request, Step};
use mailshelf_storage::Address;

use super::output::Output;
use super::run::{has_failed, not_filed, stop_on_signals};
use super::{Context, DONE, FAILED, HELD, complain, confine, wrong};

/// File the mail of a Maildir, an mbox, a folder of .eml files, or one .eml
///
/// Each PATH is left as it is. A folder is searched for *.eml, *.mbox, *.mbx and Maildirs, not following links; a file
/// that is named is an mbox if it begins with a `From ` line, unless it is called *.eml. Sender and recipients come
/// from the envelope block above an .eml, and from Return-Path, X-Original-To, Delivered-To or Envelope-To of other
/// mail. What is rejected is not kept aside: the source has it. A copy that is given up stands in badmail/ of the folder
/// CATALOG-replay; `mailshelf queue` shows it, and as long as it stands there its mail is named and not tried again.
///
/// Who sent a mail is proven as `[sender]` says: by fields that our mail server wrote when the mail came. A file that
/// its owner could write, as in a mailbox with IMAP, may hold such fields of the owner's own: with --unproven they prove
/// nothing, and only signatures that we verify ourselves do. A library with trust_from believes the bare From all the
/// same.
///
/// Repeated, it files nothing twice; interrupted, the same command goes on.
#[derive(clap::Args)]
#[command(after_help = "Exit code 1: something was deferred or could not be read, or it was interrupted. \
                         75: another replay of this site is under way.\n\
                         Example: mailshelf replay ~/Maildir old.mbox --to archive@docs.example.org")]
pub struct Replay {
    /// Where the mail is
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Recipient of the mail whose envelope names none in the site's domains; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    to: Vec<Address>,
    /// How an mbox keeps its mails apart
    #[arg(long, value_enum, default_value = "auto")]
    mbox: MboxStyle,
    /// Believe no header of these mails: for files that others than our mail server may have written
    #[arg(long)]
    unproven: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum MboxStyle {
    /// By a Content-Length that is true; mail without one as rd
    Auto,
    /// >From was quoted, and never more than once
    O,
    /// >From, >>From and so on were quoted by one more >
    Rd,
    /// Nothing was quoted, every mail has its Content-Length
    Cl2,
}

impl From<MboxStyle> for Style {
    fn from(style: MboxStyle) -> Style {
        match style {
            MboxStyle::Auto => Style::Auto,
            MboxStyle::O => Style::O,
            MboxStyle::Rd => Style::Rd,
            MboxStyle::Cl2 => Style::Cl2,
        }
    }
}

impl Replay {
    pub fn run(self, context: &Context) -> anyhow::Result<u8> {
        let request =
            Request { paths: self.paths, to: self.to, style: self.mbox.into(), unproven: self.unproven };
        let asked_for = !request.to.is_empty();
        let replay = match Prepared::open(&context.config_of_ours()?, request) {
            Err(error) => return refused(error),
            Ok(replay) => replay,
        };
        // Before there is any other thread.
        confine::enter(|| replay.reach())?;
        replay.warn_of_trust();
        warn_of_headers(&replay.believes());
        let stop = stop_on_signals()?;
        let shown = Shown::new(&context.out, replay.size);
        let ended = replay.run(&stop, &|step| shown.step(step));
        let tally = shown.end();
        match ended {
            Ok(report) => tally.tell(&context.out, &report, asked_for),
            Err(error) => {
                tally.tell_how_far(&context.out)?;
                refused(error)
            }
        }
    }
}

/// In a live drop only our server writes above our Received; into an old file anybody may have who could write to it.
fn warn_of_headers(believed: &[&str]) {
    if !believed.is_empty() {
        let keys = believed.join(", ");
        let what = format!("replay: headers of these mails prove who sent them, as sender says ({keys})");
        complain(&what, Some("where others than our mail server could write these files: --unproven"));
    }
}

fn refused(error: ReplayError) -> anyhow::Result<u8> {
    let what = error.to_string();
    Err(match error {
        ReplayError::Source { hint, .. } => wrong(what, hint),
        ReplayError::Recipient { hint, .. } => wrong(what, Some(hint)),
        ReplayError::Held(_) => {
            complain(&what, Some("wait for it to end"));
            return Ok(HELD);
        }
        ReplayError::Unproven(_) => {
            wrong(what, Some("replay with --unproven until nothing of it waits".to_owned()))
        }
        // Nobody has set up that folder: hints on how to set up a drop would mislead.
        ReplayError::Copies(_) => anyhow::anyhow!(what),
        ReplayError::Storage(error) => error.into(),
    })
}

/// What is shown while a replay is under way, from its two threads.
struct Shown<'a> {
    out: &'a Output,
    bar: ProgressBar,
    tally: Mutex<Tally>,
}

/// What it came to.
struct Tally {
    begun: Instant,
    copied: u64,
    mails: u64,
    filed: u64,
    duplicate: u64,
    rejected: u64,
    deferred: u64,
    documents: u64,
    bytes: u64,
    /// Mails that named nobody here.
    nameless: u64,
    failed: bool,
    /// Why output could not be written.
    printed: anyhow::Result<()>,
}

impl Shown<'_> {
    fn new(out: &Output, size: u64) -> Shown<'_> {
        let bar = if !out.is_json() && stderr().is_terminal() { bar(size) } else { ProgressBar::hidden() };
        let tally = Tally {
            begun: Instant::now(),
            copied: 0,
            mails: 0,
            filed: 0,
            duplicate: 0,
            rejected: 0,
            deferred: 0,
            documents: 0,
            bytes: 0,
            nameless: 0,
            failed: false,
            printed: Ok(()),
        };
        Shown { out, bar, tally: Mutex::new(tally) }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(&self, step: Step) {
        let mut tally = self.tally();
        match step {
            Step::Copied(bytes) => {
                tally.copied += 1;
                self.bar.inc(bytes);
                self.bar.set_message(tally.copied.to_string());
            }
            Step::Complaint(why) => {
                tally.failed = true;
                self.bar.suspend(|| complain(&why, None));
            }
            Step::Pass(completed) => {
                tally.add(&completed);
                let printed = self.bar.suspend(|| print(self.out, &completed));
                // Mail is filed whether or not anybody reads of it here.
                let before = std::mem::replace(&mut tally.printed, Ok(()));
                tally.printed = before.and(printed);
            }
        }
    }

    fn end(self) -> Tally {
        self.bar.finish_and_clear();
        self.tally.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bar(size: u64) -> ProgressBar {
    let form = "{bar:24} {percent}%  {msg} mails  {decimal_bytes_per_sec}  {eta} left";
    let style = ProgressStyle::with_template(form);
    let bar = ProgressBar::new(size).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message("0");
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

fn print(out: &Output, completed: &Completed) -> anyhow::Result<()> {
    completed.faults.iter().for_each(|fault| complain(fault, None));
    if out.is_json() {
        return completed.lines.iter().try_for_each(|line| out.line(line));
    }
    completed.warnings.iter().try_for_each(|warning| out.line(&warning.text()))?;
    not_filed(out, completed)
}

impl Tally {
    fn add(&mut self, completed: &Completed) {
        let event = &completed.event;
        self.mails += event.processed;
        self.filed += event.filed;
        self.duplicate += event.duplicate;
        self.rejected += event.rejected;
        self.deferred += event.deferred;
        self.documents += event.documents;
        self.bytes += event.bytes;
        self.failed |= has_failed(completed);
        let nobody = [Reason::NoRecipient.as_str(), Reason::ForeignDomain.as_str()];
        let is_nobody = |reason: Option<&str>| reason.is_some_and(|reason| nobody.contains(&reason));
        let nameless = |mail: &&mailshelf::record::words::MailRecord| {
            !mail.recipients.is_empty() && mail.recipients.iter().all(|r| is_nobody(r.reason.as_deref()))
        };
        self.nameless += event.mails.iter().filter(nameless).count() as u64;
    }

    /// The summary, and the exit code.
    fn tell(self, out: &Output, report: &Report, asked_for: bool) -> anyhow::Result<u8> {
        self.tell_how_far(out)?;
        if report.passed_over > 0 {
            let passed_over = passed_over(report);
            match out.is_json() {
                true => complain(&passed_over, None),
                false => out.line(&Escaped(&passed_over).to_string())?,
            }
        }
        if self.nameless > 0 && !asked_for {
            let what = format!("mails that name no recipient in this site's domains: {}", self.nameless);
            complain(&what, Some("--to ADDRESS names one for them"));
        }
        let failed = self.failed || !report.complete;
        if !report.complete {
            let how_far = format!("replay: interrupted after {} mails", self.mails);
            complain(&how_far, Some("the same command goes on: what was filed is not filed again"));
        }
        self.printed.map(|()| if failed { FAILED } else { DONE })
    }

    fn tell_how_far(&self, out: &Output) -> anyhow::Result<()> {
        if out.is_json() {
            return Ok(());
        }
        let elapsed = self.begun.elapsed().as_secs_f64();
        let (mails, megabytes) = (self.mails as f64 / elapsed, self.bytes as f64 / elapsed / 1e6);
        out.line(&format!(
            "{} mails, {} bytes in {elapsed:.1} s: {mails:.0} mails/s, {megabytes:.1} MB/s",
            self.mails, self.bytes
        ))?;
        out.line(&format!(
            "{} filed, {} duplicate, {} rejected, {} deferred; {} documents",
            self.filed, self.duplicate, self.rejected, self.deferred, self.documents
        ))
    }
}

fn passed_over(report: &Report) -> String {
    let (count, names) = (report.passed_over, report.examples.join(", "));
    let more = if count > report.examples.len() as u64 { ", …" } else { "" };
    match count {
        1 => format!("passed over 1 file that is no mail: {names}"),
        _ => format!("passed over {count} files that are no mail: {names}{more}"),
    }
}
