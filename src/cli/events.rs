//! `mailshelf events`: what became of every mail, pass by pass.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use mailshelf::escape::Escaped;
use mailshelf::record::words::{self, FaultEvent, PASS_COMPLETED, PassEvent, Severity};
use mailshelf::site::Look;
use mailshelf_storage::model::{Event, EventQuery};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::filter::Filter;
use super::output::{Output, Tone};
use super::{Context, DONE, when};

/// Show the event log: each pass, and what became of each of its mails
///
/// 6871 is a pass that was completed, 6872 a mail that was given up, 6873 something that waits or is in the way. They are
/// read from the catalog; the event file holds the same. With --json each is the line of the event file.
///
/// With --outcome, --reason, --library or --sender only passes with such a mail are shown, and of their mails only these:
/// outcome, reason and library are those of one recipient.
#[derive(clap::Args)]
#[command(after_help = format!("{}\n\
    Example: mailshelf events --since yesterday --outcome rejected\n\
    Example: mailshelf events --follow --level warning", when::FORMS))]
pub struct Events {
    /// Go on with new ones until interrupted; begins with the last 10
    #[arg(long, short)]
    follow: bool,
    /// Only those of then or later
    #[arg(long, value_name = "TIME", value_parser = when::before_now)]
    since: Option<Timestamp>,
    /// Only those of earlier
    #[arg(long, value_name = "TIME", value_parser = when::before_now, conflicts_with = "follow")]
    until: Option<Timestamp>,
    /// Only the newest N
    #[arg(long, short = 'n', value_name = "N")]
    last: Option<usize>,
    /// Only those of this level, or worse: information, warning or critical
    #[arg(long, value_parser = level)]
    level: Option<Severity>,
    #[command(flatten)]
    filter: Filter,
}

/// Events read at a time; one of them may be some MB.
const AT_ONCE: usize = 16;
/// How often it is looked whether there are new ones.
const PAUSE: Duration = Duration::from_millis(500);
/// With --follow, unless more is asked for.
const LAST: usize = 10;

fn level(text: &str) -> Result<Severity, String> {
    Severity::ALL.iter().copied().find(|level| level.as_str() == text).ok_or_else(|| {
        let all: Vec<_> = Severity::ALL.iter().map(|level| level.as_str()).collect();
        format!("a level is one of {}", all.join(" "))
    })
}

impl Events {
    pub fn run(&self, context: &Context) -> anyhow::Result<u8> {
        let site = context.look()?;
        let stop = Arc::new(AtomicBool::new(false));
        if self.follow {
            for signal in [SIGINT, SIGTERM] {
                flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stop))?;
                flag::register(signal, Arc::clone(&stop))?;
            }
        }
        Log { site: &site, out: &context.out, events: self, stop: &stop }.run()?;
        Ok(DONE)
    }
}

/// An event that is meant, with those of its mails that are.
enum Shown {
    /// A line of JSON.
    Json(String),
    Pass(PassEvent),
    Fault(FaultEvent),
    /// No version of this program has written it so: no reason to show none of the others.
    Unreadable(serde_json::Error),
}

struct Log<'a> {
    site: &'a Look,
    out: &'a Output,
    events: &'a Events,
    stop: &'a AtomicBool,
}

impl Log<'_> {
    fn run(&self) -> anyhow::Result<()> {
        let mut query = self.query()?;
        query.after = self.begin(&query)?;
        let mut any = self.print(&mut query)?;
        while self.events.follow && !self.is_over() {
            self.out.wait(PAUSE)?;
            any |= self.print(&mut query)?;
        }
        if any || self.events.follow || self.out.is_json() {
            return Ok(());
        }
        let none = self.site.catalog.read()?.last_event()? == 0;
        self.out.line(if none { "There are no events yet." } else { "No event matches." })
    }

    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.out.is_closed()
    }

    /// What is asked of the catalog. Times are turned into numbers once; what was numbered out of their order is left
    /// out one by one.
    fn query(&self) -> anyhow::Result<EventQuery> {
        let Events { since, until, level, filter, .. } = self.events;
        let worse: &[u16] = level.map_or(&[], Severity::event_ids);
        let event_ids = match filter.is_empty() {
            true => worse,
            false if worse.is_empty() || worse.contains(&PASS_COMPLETED) => &[PASS_COMPLETED],
            // They name no recipient.
            false => &[0],
        };
        let mut query =
            EventQuery { since: *since, until: *until, event_ids, limit: AT_ONCE, ..EventQuery::default() };
        if since.is_some() || until.is_some() {
            let (since, until) = (since.unwrap_or(Timestamp::MIN), until.unwrap_or(Timestamp::MAX));
            let reader = self.site.catalog.read()?;
            match reader.events_between(since, until)? {
                Some((first, last)) => {
                    query.after = first.saturating_sub(1);
                    query.before = self.events.until.map(|_| last + 1);
                }
                None => query.after = reader.last_event()?,
            }
        }
        Ok(query)
    }

    /// After which event to begin, so that the newest N that are meant are shown. Going back, only their numbers are
    /// kept.
    fn begin(&self, query: &EventQuery) -> anyhow::Result<u64> {
        let Events { last, since, follow, .. } = self.events;
        let Some(wanted) = last.or((*follow && since.is_none()).then_some(LAST)) else {
            return Ok(query.after);
        };
        let mut back = EventQuery { newest_first: true, ..query.clone() };
        let mut left = wanted;
        if left == 0 {
            return Ok(self.site.catalog.read()?.last_event()?);
        }
        loop {
            let events = self.site.catalog.read()?.events(&back)?;
            for event in &events {
                left -= usize::from(self.is_meant(event));
                if left == 0 {
                    return Ok(event.seq - 1);
                }
            }
            match events.last() {
                Some(oldest) if !self.stop.load(Ordering::Relaxed) => back.before = Some(oldest.seq),
                _ => return Ok(query.after),
            }
        }
    }

    /// Prints what is meant after `query.after`, and moves that on. No reader stays open while somebody reads what is
    /// printed: it would keep the catalog's log from being taken in.
    fn print(&self, query: &mut EventQuery) -> anyhow::Result<bool> {
        let mut any = false;
        while !self.is_over() {
            let reader = self.site.catalog.read()?;
            let (events, newest) = (reader.events(query)?, reader.last_event()?);
            drop(reader);
            for event in &events {
                if let Some(shown) = self.shown(event) {
                    any = true;
                    self.show(event, &shown)?;
                }
                if self.is_over() {
                    return Ok(any);
                }
            }
            match events.last().filter(|_| events.len() == query.limit) {
                Some(last) => query.after = last.seq,
                None => {
                    query.after = query.after.max(newest);
                    break;
                }
            }
        }
        Ok(any)
    }

    fn is_meant(&self, event: &Event) -> bool {
        let filter = &self.events.filter;
        filter.is_empty()
            || words::pick(&event.body, |mail| filter.matches(mail)).is_ok_and(|some| some.is_some())
    }

    fn shown(&self, event: &Event) -> Option<Shown> {
        let filter = &self.events.filter;
        if self.out.is_json() {
            if filter.is_empty() {
                return Some(Shown::Json(words::line(event)));
            }
            let body = words::pick(&event.body, |mail| filter.matches(mail)).ok()??;
            return Some(Shown::Json(words::line(&Event {
                seq: event.seq,
                event_id: event.event_id,
                time: event.time,
                body,
            })));
        }
        let read = match event.event_id {
            PASS_COMPLETED => serde_json::from_str(&event.body).map(Shown::Pass),
            _ => serde_json::from_str(&event.body).map(Shown::Fault),
        };
        match read {
            Ok(Shown::Pass(pass))
                if !pass.mails.iter().any(|mail| filter.matches(mail)) && !filter.is_empty() =>
            {
                None
            }
            Err(error) => filter.is_empty().then_some(Shown::Unreadable(error)),
            Ok(shown) => Some(shown),
        }
    }

    fn show(&self, event: &Event, shown: &Shown) -> anyhow::Result<()> {
        let text = match shown {
            Shown::Json(line) => return self.out.line(line),
            Shown::Pass(pass) => pass.text(),
            Shown::Fault(fault) => fault.text(),
            Shown::Unreadable(error) => format!("It cannot be read: {}", Escaped(&error.to_string())),
        };
        let level = Severity::of(event.event_id);
        let tone = match level {
            Severity::Information => None,
            Severity::Warning => Some(Tone::Rejected),
            Severity::Critical => Some(Tone::Critical),
        };
        let level = self.out.padded(tone, level.as_str(), Severity::Information.as_str().len());
        self.out.line(&format!("{}  {level}  {}  {text}", words::time(event.time), event.event_id))?;
        let Shown::Pass(pass) = shown else { return Ok(()) };
        let mut mails = pass.mails.iter().filter(|mail| self.events.filter.matches(mail));
        mails.try_for_each(|mail| self.out.lines(&mail.lines()))
    }
}
