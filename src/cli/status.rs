//! `mailshelf status`: how the site does, for people and for monitoring.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use mailshelf::config::{Config, Span, Storage, term};
use mailshelf::dispose::aside;
use mailshelf::drop::look::{self, Owner, Place};
use mailshelf::escape::Escaped;
use mailshelf::pass::PassError;
use mailshelf::record::words::{self, time};
use mailshelf::replay::spool::Spool;
use mailshelf::site::Look;
use mailshelf_storage::model::{Counts, EventQuery};
use mailshelf_storage::{Error, IoContext, PassId, Reader};
use serde::{Deserialize, Serialize, Serializer};

use super::output::Show;
use super::queue::entry::{State, claim_state};
use super::{Context, DONE, FAILED, confine};
use space::Space;

mod problems;
mod space;

/// Say how the site does: the last pass, what waits, what is kept, and what needs attention
///
/// Makes nothing and is in nobody's way. Exit code 1: something needs attention, and a sentence says what and what to
/// do.
#[derive(clap::Args)]
#[command(after_help = "Example: mailshelf status --json --max-wait 15m | jq -r '.problems[]'")]
pub struct Status {
    /// How long mail may wait, and no pass may end: a number and s, m, h or d
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = span)]
    max_wait: Duration,
}

fn span(text: &str) -> Result<Duration, String> {
    text.parse().map(|Span(duration)| duration)
}

/// What is known of the site; `None` where it cannot be found out, and then a problem says why.
#[derive(Debug, Serialize)]
struct View {
    state: &'static str,
    problems: Vec<String>,
    last_pass: Option<LastPass>,
    backlog: Option<u64>,
    oldest_waiting: Option<Oldest>,
    deferred: Option<u64>,
    badmail: Option<u64>,
    kept: Option<u64>,
    /// Copies that replays have claimed, and are not done with.
    replay_left: Option<u64>,
    /// Those they have given up.
    replay_badmail: Option<u64>,
    documents: u64,
    /// In recycle bins.
    removed_documents: u64,
    contents: u64,
    contents_bytes: u64,
    mails: u64,
    libraries: u64,
    users: u64,
    catalog_bytes: u64,
    free_bytes: Free,
    /// What confines whoever files mail, started as this was.
    #[serde(serialize_with = "confined")]
    confinement: Option<Result<(), confine::Free>>,
    #[serde(skip)]
    now: Timestamp,
    /// A replay is at work on what it has claimed.
    #[serde(skip)]
    replaying: bool,
}

/// What the newest 6871 says of its pass.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct LastPass {
    pass: String,
    time: String,
    node: String,
    elapsed_ms: u64,
    processed: u64,
    filed: u64,
    duplicate: u64,
    rejected: u64,
    deferred: u64,
    #[serde(default)]
    interrupted: bool,
}

impl LastPass {
    /// How long ago it ended; `None` if its time cannot be read.
    fn age(&self, now: Timestamp) -> Option<Duration> {
        Some(age(now, self.time.parse().ok()?))
    }
}

#[derive(Debug, Clone, Serialize)]
struct Oldest {
    file: String,
    since: String,
    age_ms: u64,
}

impl Oldest {
    fn age(&self) -> Duration {
        Duration::from_millis(self.age_ms)
    }
}

#[derive(Debug, Serialize)]
struct Free {
    catalog: Option<u64>,
    contents: Option<u64>,
}

fn confined<S: Serializer>(
    verdict: &Option<Result<(), confine::Free>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    verdict.map(confine::token).serialize(serializer)
}

/// How long ago; nothing for what is still to come.
fn age(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or_default()
}

impl Status {
    pub fn run(&self, context: &Context) -> anyhow::Result<u8> {
        let site = context.look()?;
        let view = view(&site, self.max_wait, Timestamp::now())?;
        context.out.show(&view)?;
        if !context.out.is_json() {
            view.problems
                .iter()
                .try_for_each(|one| context.out.line(&format!("problem: {}", Escaped(one))))?;
        }
        Ok(if view.problems.is_empty() { DONE } else { FAILED })
    }
}

fn view(site: &Look, max_wait: Duration, now: Timestamp) -> anyhow::Result<View> {
    let mut problems = Vec::new();
    let Survey { backlog, deferred, oldest } = match survey(site, now) {
        Ok(survey) => survey,
        Err(PassError::Drop(error)) => {
            problems.push(problems::unusable(&error));
            Survey::default()
        }
        Err(error) => return Err(error.into()),
    };
    let mut count = |folder| aside::count_in(folder).map_err(|error| problems.push(error.to_string())).ok();
    let (badmail, kept) = (count(&site.config.drop.badmail), count(&site.config.drop.kept));
    let replay = Spool::site(&site.config).drop;
    let replay_badmail = count(&replay.badmail);
    let replay_left = look::claims(&replay.path).try_fold(0, |left, found| found.map(|_| left + 1));
    let replay_left = replay_left.map_err(|error| problems.push(problems::unusable(&error))).ok();
    let catalog = &site.config.storage.catalog;
    let catalog_bytes = fs::metadata(catalog).while_doing("look at", catalog)?.len();
    let spaces = spaces(&site.config, &mut problems);
    let [catalog_free, contents_free] = spaces.each_ref().map(|space| space.as_ref().map(|space| space.free));
    problems.extend(problems::unused(&site.catalog.read()?.unused_addresses()?));
    problems.extend(problems::reserved(&*site.catalog.read()?, &site.config.site)?);
    problems.extend(problems::exposed(&site.config));
    if kept != Some(0) {
        problems.extend(crowded_out(site, now)?);
    }
    let confinement = confine::wanted().map_err(|error| problems.push(problems::unstarted(&error))).ok();
    let (last_pass, counts) = on_record(site)?;
    let Counts { documents, removed, contents, bytes, mails, libraries, users } = counts;
    let mut view = View {
        state: "ok",
        problems,
        last_pass,
        backlog,
        oldest_waiting: oldest,
        deferred,
        badmail,
        kept,
        replay_left,
        replay_badmail,
        documents,
        removed_documents: removed,
        contents,
        contents_bytes: bytes,
        mails,
        libraries,
        users,
        catalog_bytes,
        free_bytes: Free { catalog: catalog_free, contents: contents_free },
        confinement,
        now,
        replaying: Spool::owner(&site.config) == Owner::Lives,
    };
    view.problems.append(&mut problems::find(&view, max_wait));
    view.problems.append(&mut space::shortages(spaces.into_iter().flatten()));
    if !view.problems.is_empty() {
        view.state = "attention";
    }
    Ok(view)
}

/// Where the catalog stands, and where the contents do.
fn spaces(config: &Config, problems: &mut Vec<String>) -> [Option<Space>; 2] {
    let Storage { catalog, contents, .. } = &config.storage;
    let of = |(key, path): (&'static str, &PathBuf)| {
        Space::of(key, path).map_err(|error| problems.push(error.to_string())).ok()
    };
    [("storage.catalog", catalog), ("storage.contents", contents)].map(of)
}

/// What has not been dealt with; all `None` where that is not known.
#[derive(Debug, Default)]
struct Survey {
    backlog: Option<u64>,
    deferred: Option<u64>,
    oldest: Option<Oldest>,
}

fn survey(site: &Look, now: Timestamp) -> Result<Survey, PassError> {
    let (mut backlog, mut deferred) = (0, 0);
    let mut oldest: Option<(Timestamp, String)> = None;
    for found in look::look(&site.config.drop_settings())? {
        let found = found?;
        let state = match found.place {
            Place::NotMail(_) => continue,
            Place::Waiting => State::Waiting,
            Place::Claimed(claim) => {
                let mail = match claim.id {
                    Some(id) => site.catalog.read()?.mail(id)?,
                    None => None,
                };
                claim_state(&claim, mail.as_ref())
            }
        };
        if state == State::Deferred {
            deferred += 1;
            continue;
        }
        backlog += 1;
        if let Some(since) = found.since
            && oldest.as_ref().is_none_or(|(before, _)| since < *before)
        {
            oldest = Some((since, found.file));
        }
    }
    let oldest = oldest.map(|(since, file)| {
        let age_ms = u64::try_from(age(now, since).as_millis()).unwrap_or(u64::MAX);
        Oldest { file, since: time(since), age_ms }
    });
    Ok(Survey { backlog: Some(backlog), deferred: Some(deferred), oldest })
}

/// A sentence for each library that mail is kept aside for because it was full. One look-up a library.
fn crowded_out(site: &Look, now: Timestamp) -> Result<Vec<String>, Error> {
    let (reader, since) =
        (site.catalog.read()?, term::begun(now, site.config.drop.keep_rejected).unwrap_or(Timestamp::MIN));
    let mut found = Vec::new();
    for library in reader.libraries()? {
        let aside = reader.aside(library.id, now, since)?;
        found.extend(problems::crowded_out(&library.name, aside.mails));
    }
    Ok(found)
}

fn on_record(site: &Look) -> Result<(Option<LastPass>, Counts), Error> {
    let reader = site.catalog.read()?;
    // Another node's passes, or those of a replay, say nothing about ours.
    let last = match reader.last_pass(&site.config.site.node)? {
        Some((pass, ended_at)) => event_of(&*reader, pass, ended_at)?,
        None => None,
    };
    Ok((last, reader.counts()?))
}

/// The event of a pass, which is as old as its end.
fn event_of(reader: &dyn Reader, pass: PassId, ended_at: Timestamp) -> Result<Option<LastPass>, Error> {
    let until = ended_at.saturating_add(SignedDuration::from_millis(1)).unwrap_or(Timestamp::MAX);
    let Some((first, last)) = reader.events_between(ended_at, until)? else { return Ok(None) };
    let mut query = EventQuery {
        after: first.saturating_sub(1),
        before: Some(last.saturating_add(1)),
        since: Some(ended_at),
        until: Some(until),
        event_ids: &[words::PASS_COMPLETED],
        limit: 1,
        ..EventQuery::default()
    };
    // One at a time: such an event may be large, and seldom is there more than one.
    while let Some(event) = reader.events(&query)?.pop() {
        let found: LastPass = serde_json::from_str(&event.body)
            .map_err(|error| Error::Refused { action: "read an event", why: error.to_string() })?;
        if found.pass == pass.to_string() {
            return Ok(Some(found));
        }
        query.after = event.seq;
    }
    Ok(None)
}

impl Show for View {
    const COLUMNS: &'static [&'static str] = &[
        "state",
        "last pass",
        "backlog",
        "oldest waiting",
        "deferred",
        "badmail",
        "kept",
        "replays",
        "mails",
        "documents",
        "contents",
        "libraries",
        "users",
        "catalog",
        "free",
        "confinement",
    ];

    fn row(&self) -> Vec<String> {
        let known =
            |count: Option<u64>| count.map_or_else(|| "unknown".to_owned(), |count| count.to_string());
        let free = |free: Option<u64>| free.map_or_else(|| "unknown".to_owned(), space::size);
        let Free { catalog, contents } = &self.free_bytes;
        let oldest = match (&self.oldest_waiting, self.backlog) {
            (Some(oldest), _) => {
                format!("{} ({}), {}", oldest.since, problems::ago(oldest.age()), oldest.file)
            }
            (None, None) => "unknown".to_owned(),
            (None, _) => "none".to_owned(),
        };
        vec![
            self.state.to_owned(),
            self.last_pass.as_ref().map_or_else(|| "none yet".to_owned(), |pass| shown(pass, self.now)),
            known(self.backlog),
            oldest,
            known(self.deferred),
            known(self.badmail),
            known(self.kept),
            format!("{} left, {} in badmail", known(self.replay_left), known(self.replay_badmail)),
            self.mails.to_string(),
            match self.removed_documents {
                0 => self.documents.to_string(),
                removed => format!("{}, and {removed} in recycle bins", self.documents),
            },
            format!("{} ({})", self.contents, space::size(self.contents_bytes)),
            self.libraries.to_string(),
            self.users.to_string(),
            space::size(self.catalog_bytes),
            format!("{} for the catalog, {} for contents", free(*catalog), free(*contents)),
            self.confinement.map_or("unknown", confine::words).to_owned(),
        ]
    }
}

fn shown(pass: &LastPass, now: Timestamp) -> String {
    let LastPass { time, node, elapsed_ms, processed, filed, duplicate, rejected, deferred, .. } = pass;
    let ago = pass.age(now).map(|age| format!(" ({})", problems::ago(age))).unwrap_or_default();
    let interrupted = if pass.interrupted { "; interrupted" } else { "" };
    format!(
        "{time}{ago} by {node}, {elapsed_ms} ms: {processed} processed; {filed} filed, {duplicate} duplicate, \
         {rejected} rejected, {deferred} deferred{interrupted}"
    )
}
