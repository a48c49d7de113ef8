//! The end of a pass: its event, what it complains of, and what its caller is told.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use mailshelf_storage::model;
use mailshelf_storage::{Error, PassId, Writer, failpoint};

use super::produce::{Complaint, Produced};
use super::{Completed, Pass, PassError, Scope};
use crate::drop::DropError;
use crate::drop::look::Owner;
use crate::record::words::{self, About, Expired, FaultEvent, MailRecord, PassEvent, PassFacts};
use crate::record::{publish, unwritable};
use crate::replay::spool::Spool;
use crate::site::Site;

/// Events are looked through so many at a time.
const EVENTS: usize = 100;
/// The key of the notice about the drop folder itself.
const DROP: &str = "drop";

/// Gives every pass of a worker that was cut off its event. We hold that worker's lock, so none of them goes on.
pub(super) fn end_passes(site: &Site, node: &str) -> Result<(), Error> {
    let open = site.catalog.read()?.open_passes(node)?;
    open.iter().try_for_each(|pass| end_cut_off(site, pass))
}

/// The same for the replays of this node that were killed: else their events would wait for the next replay.
pub(super) fn end_replays(site: &Site) -> Result<(), Error> {
    let node = Spool::site(&site.config).site.node;
    let open = site.catalog.read()?.open_passes(&node)?;
    // Asked after these were read: the replay that began them had the lock by then, and has it until it ends.
    if open.is_empty() || Spool::owner(&site.config) != Owner::Gone {
        return Ok(());
    }
    open.iter().try_for_each(|pass| end_cut_off(site, pass))
}

/// Ends a pass that was cut off, unless a replay that has begun meanwhile was faster.
fn end_cut_off(site: &Site, pass: &model::Pass) -> Result<(), Error> {
    let mut writer = site.catalog.write()?;
    if writer.open_passes(&pass.node)?.iter().any(|open| open.id == pass.id) {
        write_end(&mut *writer, pass, End { interrupted: true, ..End::default() })?;
        writer.commit()?;
    }
    Ok(())
}

/// What the end of a pass has to say of it.
#[derive(Clone, Copy, Default)]
struct End {
    /// Zero where nobody knows.
    elapsed: Duration,
    interrupted: bool,
    purged: Expired,
}

/// Ends a pass: its event, and what `also` has to add, in one transaction.
fn conclude(
    site: &Site,
    pass: &model::Pass,
    end: End,
    also: impl FnOnce(&mut dyn Writer) -> Result<(), Error>,
) -> Result<PassEvent, Error> {
    let mut writer = site.catalog.write()?;
    also(&mut *writer)?;
    let event = write_end(&mut *writer, pass, end)?;
    writer.commit()?;
    Ok(event)
}

fn write_end(writer: &mut dyn Writer, pass: &model::Pass, end: End) -> Result<PassEvent, Error> {
    let End { elapsed, interrupted, purged } = end;
    let records = writer.records(pass.id)?;
    let mails = records.iter().map(|record| MailRecord::parse(record)).collect();
    let ended_at = Timestamp::now();
    let facts = PassFacts { id: pass.id, node: pass.node.clone(), elapsed, ended_at, interrupted, purged };
    let event = words::pass_completed(&facts, mails);
    let stored = words::stored(words::PASS_COMPLETED, pass.id, ended_at, &event).map_err(unwritable)?;
    writer.add_event(&stored)?;
    writer.end_pass(pass.id, ended_at)?;
    Ok(event)
}

/// What a pass has put on record since the event `after`: its warnings, and all of its events as lines.
fn events_of(site: &Site, pass: PassId, after: u64) -> Result<(Vec<FaultEvent>, Vec<String>), Error> {
    #[derive(serde::Deserialize)]
    struct Which {
        event_id: u16,
        pass: String,
    }
    let (mut warnings, mut lines) = (Vec::new(), Vec::new());
    let mut seq = after;
    let ours = pass.to_string();
    loop {
        let events = site.catalog.read()?.events_after(seq, EVENTS)?;
        let Some(last) = events.last() else { return Ok((warnings, lines)) };
        seq = last.seq;
        for event in &events {
            let which: Which = serde_json::from_str(&event.body).map_err(unwritable)?;
            if which.pass == ours {
                lines.push(words::line(event));
                if which.event_id != words::PASS_COMPLETED {
                    warnings.push(serde_json::from_str(&event.body).map_err(unwritable)?);
                }
            }
        }
    }
}

/// Puts on record that there could be no pass because of the drop folder: an event that says interrupted, and one
/// 6872 that says why, until a pass has seen the whole drop again.
pub fn unable(site: &Site, why: &DropError) -> Result<Completed, Error> {
    let node = &site.config.site.node;
    let begun = Instant::now();
    let pass = model::Pass { id: PassId::generate(), node: node.clone(), started_at: Timestamp::now() };
    let before = site.catalog.read()?.last_event()?;
    // In one transaction: nobody who ends what a dead worker of this name has begun finds this one.
    let event = conclude(
        site,
        &pass,
        End { elapsed: begun.elapsed(), interrupted: true, ..End::default() },
        |writer| {
            writer.begin_pass(&pass)?;
            if !writer.add_notice(node, DROP, pass.started_at)? {
                return Ok(());
            }
            let file = site.config.drop.path.display().to_string();
            let about = About { file: &file, mail: None };
            let event = words::fault(words::MAIL_CRITICAL, &pass, pass.started_at, about, &why.to_string());
            let stored = words::stored(words::MAIL_CRITICAL, pass.id, pass.started_at, &event);
            writer.add_event(&stored.map_err(unwritable)?).map(drop)
        },
    )?;
    let published = publish::publish(&*site.catalog, &site.config.events);
    let (warnings, lines) = events_of(site, pass.id, before)?;
    let faults = published.err().map(|error| error.to_string()).into_iter().collect();
    Ok(Completed { event, warnings, lines, faults })
}

impl Pass<'_> {
    /// Ends the pass; gives the keys of all that was complained of in this run so far, too.
    pub(super) fn finish(
        mut self,
        produced: Result<Produced, DropError>,
        last: bool,
    ) -> Result<(Completed, Vec<String>), PassError> {
        let (mut produced, failure) = match produced {
            Ok(produced) => (produced, None),
            Err(error) => (Produced::default(), Some(error)),
        };
        if self.scope == Scope::Everything {
            self.complaints.append(&mut produced.complaints);
        }
        self.noticed.extend(self.complaints.iter().map(|complaint| complaint.key.clone()));
        let cut = self.left_work || !(produced.complete || produced.more);
        let interrupted = cut || self.broken || self.stalled || failure.is_some();
        let all_seen = self.scope == Scope::Everything && last && produced.complete && !interrupted;
        let also = |writer: &mut dyn Writer| self.complain(writer, all_seen);
        let end = End { elapsed: self.begun.elapsed(), interrupted, purged: self.purged };
        let event = conclude(self.site, &self.pass, end, also)?;
        failpoint::reached("concluded", "");
        tracing::info!(pass = %self.pass.id, processed = event.processed, elapsed_ms = event.elapsed_ms, "pass completed");
        if let Err(error) = publish::publish(&*self.site.catalog, &self.site.config.events) {
            self.faults.push(error.to_string());
        }
        self.faults.extend(failure.map(|error| error.to_string()));
        let (warnings, lines) = events_of(self.site, self.pass.id, self.events_before)?;
        Ok((Completed { event, warnings, lines, faults: self.faults }, self.noticed))
    }

    /// One 6873 for each thing that was not complained of before.
    fn complain(&self, writer: &mut dyn Writer, all_seen: bool) -> Result<(), Error> {
        let now = Timestamp::now();
        let node = &self.pass.node;
        for Complaint { key, file, mail, why, event_id } in &self.complaints {
            if writer.add_notice(node, key, now)? {
                let event = words::fault(*event_id, &self.pass, now, About { file, mail: *mail }, why);
                let stored = words::stored(*event_id, self.pass.id, now, &event);
                writer.add_event(&stored.map_err(unwritable)?)?;
            }
        }
        if all_seen {
            writer.keep_notices(node, &self.noticed)?;
        }
        Ok(())
    }
}
