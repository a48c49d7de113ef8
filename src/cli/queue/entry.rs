//! One thing in the queue: what is seen of it, and what the catalog knows.

use std::fmt;

use mailshelf::dispose::aside::Kept;
use mailshelf::drop::look::{Claim, Owner, Place, Standing};
use mailshelf::record::ATTEMPTS;
use mailshelf::record::words::time;
use mailshelf_storage::model::{Mail, MailState, OutcomeKind};
use mailshelf_storage::{Catalog, DeliveryId, Result};
use serde::Serialize;

use crate::cli::output::Show;

/// Where it stands, in the order in which people see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Waiting,
    NotMail,
    Claimed,
    Deferred,
    Suspect,
    Badmail,
}

impl State {
    pub const ALL: [State; 6] =
        [State::Waiting, State::NotMail, State::Claimed, State::Deferred, State::Suspect, State::Badmail];
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            State::Waiting => "waiting",
            State::NotMail => "not-mail",
            State::Claimed => "claimed",
            State::Deferred => "deferred",
            State::Suspect => "suspect",
            State::Badmail => "badmail",
        })
    }
}

/// Which passes take care of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Those of the drop.
    Drop,
    /// Those of a replay.
    Replay,
}

#[derive(Serialize)]
pub struct Entry {
    pub state: State,
    file: String,
    /// A copy that a replay made.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    replay: bool,
    mail: Option<DeliveryId>,
    node: Option<String>,
    size: u64,
    since: Option<String>,
    /// How often it failed by a fault that only it shows; `None` where nobody knows.
    attempts: Option<u32>,
    why: String,
    from: Option<String>,
    subject: Option<String>,
    message_id: Option<String>,
    recipients: Vec<Recipient>,
}

#[derive(Serialize)]
struct Recipient {
    address: String,
    outcome: OutcomeKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// What is on record of a mail, all of one moment.
struct Known {
    mail: Mail,
    recipients: Vec<Recipient>,
}

/// A look at the catalog as it is now: what has just been claimed or given up may have come on record since the last.
fn known(catalog: &dyn Catalog, id: Option<DeliveryId>) -> Result<Option<Known>> {
    let Some(id) = id else { return Ok(None) };
    let reader = catalog.read()?;
    let Some(mail) = reader.mail(id)? else { return Ok(None) };
    let recipients = reader.outcomes(id)?.into_iter().map(|outcome| Recipient {
        address: outcome.recipient,
        outcome: outcome.kind,
        reason: outcome.reason,
    });
    Ok(Some(Known { mail, recipients: recipients.collect() }))
}

/// What a claim is for the next pass, which judges in this order too.
pub fn claim_state(claim: &Claim, mail: Option<&Mail>) -> State {
    match mail.map(|mail| mail.state) {
        Some(MailState::Done | MailState::Badmail) => State::Claimed,
        _ if claim.suspect => State::Suspect,
        Some(MailState::Open) => State::Deferred,
        None => State::Claimed,
    }
}

const GOES_ON: &str = "the same replay goes on with it";

fn why_left(claim: &Claim, mail: Option<&Mail>) -> String {
    match (claim_state(claim, mail), mail) {
        (State::Suspect, _) => format!("a replay may have died of it: {GOES_ON}, and reads it alone"),
        (State::Deferred, Some(mail)) => {
            format!("{}; {GOES_ON}", mail.fault.as_deref().unwrap_or("deferred by a replay"))
        }
        (_, Some(_)) => "its outcome is on record; the same replay disposes of it".to_owned(),
        (_, None) => match claim.owner {
            Owner::Lives => "a replay has taken it and is at work".to_owned(),
            Owner::Gone | Owner::Unknown => format!("taken by a replay: {GOES_ON}"),
        },
    }
}

fn why_claimed(claim: &Claim, mail: Option<&Mail>) -> String {
    let node = &claim.node;
    match (claim_state(claim, mail), mail) {
        (State::Suspect, _) => "a worker may have died of it: the next pass reads it alone".to_owned(),
        (State::Deferred, Some(mail)) => mail.fault.clone().unwrap_or_default(),
        (_, Some(_)) => "its outcome is on record; the next pass disposes of it".to_owned(),
        (_, None) if claim.id.is_none() => {
            "put among the claims by hand: the next pass gives it an id".to_owned()
        }
        (_, None) => match claim.owner {
            Owner::Lives => format!("a worker of node {node} has taken it and is at work"),
            Owner::Gone => format!("no worker of node {node} is at work: the next pass adopts it"),
            Owner::Unknown => format!("taken by node {node}; whether its worker lives cannot be told here"),
        },
    }
}

impl Entry {
    /// Of what stands in the drop, or was claimed from it.
    pub fn standing(found: Standing, line: Line, catalog: &dyn Catalog) -> Result<Entry> {
        let Standing { file, size, since, place } = found;
        let bare = |state, attempts, why: String| Entry {
            state,
            file,
            replay: line == Line::Replay,
            mail: None,
            node: None,
            size,
            since: since.map(time),
            attempts,
            why,
            from: None,
            subject: None,
            message_id: None,
            recipients: Vec::new(),
        };
        Ok(match place {
            Place::Waiting => bare(State::Waiting, Some(0), "for the next pass".to_owned()),
            Place::NotMail(why) => bare(State::NotMail, None, why),
            Place::Claimed(claim) => {
                let known = known(catalog, claim.id)?;
                let mail = known.as_ref().map(|known| &known.mail);
                let why = match line {
                    Line::Drop => why_claimed(&claim, mail),
                    Line::Replay => why_left(&claim, mail),
                };
                let entry = bare(claim_state(&claim, mail), Some(0), why);
                Entry { mail: claim.id, node: Some(claim.node), ..entry.on_record(known) }
            }
        })
    }

    /// Of what stands in badmail.
    pub fn badmail(kept: &Kept, line: Line, catalog: &dyn Catalog) -> Result<Entry> {
        let known = known(catalog, kept.id)?;
        let why = match known.as_ref().map(|known| &known.mail) {
            _ if kept.id.is_none() => "not put there by mailshelf".to_owned(),
            None => "nothing is on record of it".to_owned(),
            Some(Mail { fault: Some(fault), .. }) => fault.clone(),
            Some(mail) => format!("put there by hand: it is on record as {}", mail.state),
        };
        let why = match line {
            Line::Drop => why,
            Line::Replay => format!("{why}; a copy that a replay made: its source has it"),
        };
        let entry = Entry {
            state: State::Badmail,
            file: kept.shown_name(),
            replay: line == Line::Replay,
            mail: kept.id,
            node: None,
            size: kept.size,
            since: Some(time(kept.since)),
            attempts: None,
            why,
            from: None,
            subject: None,
            message_id: None,
            recipients: Vec::new(),
        };
        Ok(entry.on_record(known))
    }

    fn on_record(self, known: Option<Known>) -> Entry {
        let Some(Known { mail, recipients }) = known else { return self };
        Entry {
            // The claim file's name may have been cut.
            file: mail.file,
            node: Some(mail.node),
            attempts: Some(mail.attempts),
            from: mail.from,
            subject: mail.subject,
            message_id: mail.message_id.map(|id| format!("<{id}>")),
            recipients,
            ..self
        }
    }

    /// What people see first comes first.
    pub fn order(&self) -> impl Ord {
        (self.state, &self.since, &self.file)
    }

    fn tried(&self) -> String {
        match (self.state, self.attempts.unwrap_or_default()) {
            // A fault of the site counts against no mail.
            (State::Deferred, 0) if self.replay => "each replay".to_owned(),
            (State::Deferred, 0) => "each pass".to_owned(),
            (State::Deferred, tried) => format!("{tried} of {ATTEMPTS}"),
            (_, 0) => String::new(),
            (_, tried) => tried.to_string(),
        }
    }
}

impl Show for Entry {
    const COLUMNS: &'static [&'static str] = &["state", "since", "tried", "size", "mail", "file", "why"];

    fn row(&self) -> Vec<String> {
        vec![
            self.state.to_string(),
            self.since.clone().unwrap_or_default(),
            self.tried(),
            self.size.to_string(),
            self.mail.map(|id| id.to_string()).unwrap_or_default(),
            self.file.clone(),
            self.why.clone(),
        ]
    }
}
