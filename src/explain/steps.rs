//! The answers of the stages, in words.

use mailshelf_storage::Error;
use mailshelf_storage::model::{Level, Library, Outcome, OutcomeKind, SenderPolicy};
use serde::Serialize;

use super::parts::{self, Parts};
use super::words::{bytes, few, named};
use super::{About, Action, Place, Stage};
use crate::authorise::{self, Question, authorise};
use crate::drop::Format;
use crate::envelope::Envelope;
use crate::file::Refusal;
use crate::outcome::Reason;
use crate::pass::prepare::{Prepared, Reading, Whole};
use crate::record::words::{RecipientRecord, SenderRecord, time};
use crate::record::{ATTEMPTS, Decision, Fate, Verdict};
use crate::route::{self, Former};
use crate::sender::{Identity, client};

/// A question and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Where it is asked.
    pub stage: Stage,
    /// What is asked.
    pub question: &'static str,
    /// The answer, and because of what.
    pub answer: String,
    /// The same for people, where it is a list: what stands above it, and each item.
    #[serde(skip)]
    pub list: Option<(String, Vec<String>)>,
}

fn step(stage: Stage, answer: String) -> Step {
    Step { stage, question: stage.question(), answer, list: None }
}

fn listing(stage: Stage, lead: String, items: Vec<String>) -> Step {
    if items.is_empty() {
        return step(stage, lead);
    }
    Step { list: Some((lead.clone(), items.clone())), ..step(stage, format!("{lead}: {}", items.join("; "))) }
}

/// A recipient whose outcome is on record for this very delivery.
pub fn recorded(outcome: &Outcome) -> Step {
    let who = outcome
        .identity
        .as_ref()
        .map_or("nobody proven".to_owned(), |login| format!("{login}, at level {}", outcome.level));
    let proof = outcome.proof.as_ref().map_or(String::new(), |proof| format!("; {proof}"));
    step(Stage::Record, format!("this delivery is on record already: {} ({who}{proof})", outcome.kind))
}

impl About<'_> {
    /// What is asked once for a mail. `sender` is who sent it, and how well each library has it proven; `None` where
    /// that is not asked any more.
    pub fn stages(&self, prepared: &Prepared, sender: Option<(&SenderRecord, &[Level])>) -> Vec<Step> {
        let mut steps = vec![step(Stage::Drop, self.whole(prepared))];
        let Reading::Read { envelope, whole, .. } = &prepared.reading else { return steps };
        steps.push(step(Stage::Envelope, self.envelope(envelope) + &self.server(envelope, whole)));
        steps.push(readable(whole));
        if let (Whole::Mail(_), Some((sender, levels))) = (whole, sender) {
            steps.push(step(Stage::Sender, who(sender, levels)));
        }
        steps
    }

    fn whole(&self, prepared: &Prepared) -> String {
        let size = match &prepared.reading {
            Reading::Busy(why) => return format!("not yet: {why}"),
            Reading::Fault { why, .. } => return format!("it cannot be read: {why}"),
            Reading::Panicked(why) | Reading::Culprit(why) => {
                return format!("yes, and reading it breaks the reader: {why}");
            }
            Reading::Read { envelope, size, .. } => bytes(*size + envelope.message as u64),
        };
        let elsewhere = |place: &str| {
            format!("a regular file of {size}, {place}: this is what becomes of it if it comes to the drop")
        };
        // To ask for a lease, as a pass does, would hold up a writer.
        let yes = "yes, unless somebody still writes to it";
        match (&self.obstacle, self.place) {
            (Some(why), _) => format!("not as it stands: {why}; what follows is for when it can be taken"),
            (None, Place::Drop) => format!("{yes}: a regular file of {size}"),
            (None, Place::Claimed) => {
                format!("{yes}: a regular file of {size}, claimed as delivery {}", prepared.claimed.id)
            }
            (None, Place::Kept) => elsewhere("rejected and kept aside"),
            (None, Place::Badmail) => elsewhere("given up and set aside"),
            (None, Place::Elsewhere) => elsewhere("not in the drop"),
        }
    }

    fn envelope(&self, envelope: &Envelope) -> String {
        let sender = match envelope.sender.as_deref() {
            None => "nobody",
            Some("") => "<> (the null return path)",
            Some(sender) => sender,
        };
        let recipients = match envelope.recipients.as_slice() {
            [] => "nobody".to_owned(),
            recipients => named(recipients.iter().cloned()),
        };
        let by = match (self.given, self.format) {
            (true, _) => "the mail names no recipient; this one was given".to_owned(),
            (false, Format::Maildir) => "from the fields above the first Received".to_owned(),
            (false, Format::Folder) if envelope.message == 0 => "no x-sender in front".to_owned(),
            (false, Format::Folder) => {
                format!("x-sender and x-receiver lines, {}", bytes(envelope.message as u64))
            }
        };
        format!("{sender} → {recipients} ({by})")
    }

    /// From which server it comes, where that matters.
    fn server(&self, envelope: &Envelope, whole: &Whole) -> String {
        let Whole::Mail(read) = whole else { return String::new() };
        match client::check(&self.config.drop.safe_servers, envelope, &read.message.traces) {
            Some(Ok(why) | Err(why)) => format!("; {why}"),
            None => String::new(),
        }
    }

    /// What is asked for one recipient, as far as it comes.
    pub fn recipient_steps(
        &self,
        decision: &Decision<'_>,
        identity: Option<&Identity>,
        record: &RecipientRecord,
        parts: &Parts<'_>,
    ) -> Result<Vec<Step>, Error> {
        let refusal = match &decision.verdict {
            Verdict::Undecided => return Ok(Vec::new()),
            Verdict::Refuse(refusal) => Some(refusal),
            Verdict::File(..) => None,
        };
        let end = refusal.map_or(Stage::Record, |refusal| Stage::that_refuses_for(refusal.reason));
        let mut steps = Vec::new();
        if end >= Stage::Route {
            steps.push(step(Stage::Route, self.library(decision)));
        }
        if let (true, Some(library), Some(identity)) = (end >= Stage::Authorise, &decision.library, identity)
        {
            steps.push(step(Stage::Authorise, self.may_file(library, identity)?));
        }
        if parts::are_asked(decision) {
            let (lead, items) = parts.answer(decision, record);
            steps.push(listing(Stage::File, lead, items));
        }
        if refusal.is_none() {
            steps.push(step(Stage::Record, filed_before(record)));
        }
        Ok(steps)
    }

    fn library(&self, decision: &Decision<'_>) -> String {
        let site = &self.config.site;
        let tried = route::tried(&decision.recipient, site);
        match (&decision.library, &decision.verdict) {
            (Some(library), _) => {
                let former = decision.former.as_ref();
                let alias = former.map_or(&library.alias, |former| &former.alias);
                let subaddress = tried.first().is_some_and(|first| first != alias);
                let rest = if subaddress { "; from the + on it is a subaddress" } else { "" };
                let enabled = if library.settings.enabled { "" } else { "; it takes no mail (enabled no)" };
                let circle = match &decision.verdict {
                    Verdict::Refuse(Refusal { reason: Reason::MailLoop, because: Some(why) }) => {
                        format!("; but the mail goes round in circles: {why}")
                    }
                    _ => String::new(),
                };
                let by = match former {
                    None => format!("by its alias {alias}"),
                    Some(Former { until, .. }) => format!(
                        "by its former alias {alias}, which leads there until {} (site.former_alias); its alias is {} now",
                        time(*until),
                        library.alias
                    ),
                };
                format!("{}, {by}{rest}{enabled}{circle}", library.name)
            }
            (None, Verdict::Refuse(Refusal { reason: Reason::UnknownAlias, .. })) => {
                let tried: Vec<_> = tried.iter().map(ToString::to_string).collect();
                match (tried.as_slice(), site.alias_prefix.as_str()) {
                    ([], "") => "none: the local-part cannot be an alias".to_owned(),
                    ([], prefix) => format!("none: no alias follows the prefix {prefix}"),
                    (tried, _) => format!("none has the alias {}", tried.join(", nor ")),
                }
            }
            (None, Verdict::Refuse(Refusal { reason: Reason::ForeignDomain, .. })) => {
                format!("none: the domains of this site are {}", named(site.domains.iter().cloned()))
            }
            (None, _) => "none: there is no recipient".to_owned(),
        }
    }

    /// By the policy, and by the way that gives the strongest role.
    fn may_file(&self, library: &Library, identity: &Identity) -> Result<String, Error> {
        let ways = match &identity.user {
            Some(user) => self.reader.ways(library.id, user.id, 1)?,
            None => Vec::new(),
        };
        let (policy, strongest) = (library.settings.sender_policy, ways.first());
        let verdict = authorise(Question {
            policy,
            authenticated_only: self.config.site.authenticated_only,
            identity,
            role: strongest.map(|way| way.role),
        });
        let anyone = "the library takes mail from anyone (sender-policy anyone)";
        let level = identity.level;
        Ok(match (verdict, policy, strongest) {
            (authorise::Verdict::As(login), SenderPolicy::Permissions, Some(way)) => {
                format!("yes, as {login} (level {level}): {way}")
            }
            (authorise::Verdict::As(login), ..) => format!("yes, as {login} (level {level}): {anyone}"),
            (authorise::Verdict::Anonymous, ..) => {
                format!("yes, as {}, unverified: {anyone}", self.config.site.system_account)
            }
            (authorise::Verdict::Refused(Reason::NoPermission), _, Some(way)) => {
                format!("no: the sender is only {way}, and contributor is asked for")
            }
            (authorise::Verdict::Refused(Reason::NoPermission), ..) => {
                "no: neither the user, nor a group of the user, nor everyone has a right there".to_owned()
            }
            (authorise::Verdict::Refused(_), SenderPolicy::Permissions, _) => {
                format!(
                    "no: {}; the library asks for a proven user (sender-policy permissions)",
                    identity.proof
                )
            }
            (authorise::Verdict::Refused(_), SenderPolicy::Anyone, _) => format!(
                "no: {}; site.authenticated_only outranks the library's sender-policy anyone",
                identity.proof
            ),
        })
    }

    /// What becomes of the file. `tries`: how often it has failed then, and what it came to now.
    pub fn dispose(&self, action: Action, folder: Option<&str>, (attempts, fate): (u32, &Fate)) -> Step {
        let folder = folder.unwrap_or_default();
        let answer = match (action, fate) {
            (Action::Delete, _) => "deleted, once all of this is on record".to_owned(),
            (Action::Keep, _) => format!("kept aside in {folder}, once all of this is on record"),
            (Action::Badmail, _) => format!("given up, and moved to {folder}"),
            (Action::Wait, Fate::Fails(_)) => {
                format!("it waits, and is tried again: failure {attempts} of {ATTEMPTS}")
            }
            (Action::Wait, _) => "it waits, and every pass tries it again".to_owned(),
        };
        let stays = match self.place {
            Place::Drop | Place::Claimed => "",
            Place::Kept | Place::Badmail | Place::Elsewhere => "; but this file here stays as it is",
        };
        step(Stage::Dispose, answer + stays)
    }
}

fn readable(whole: &Whole) -> Step {
    let read = match whole {
        Whole::Unfit(refusal, _) => return step(Stage::Message, nothing_of("no", refusal)),
        Whole::Mail(read) => read,
    };
    let count = read.message.parts.len();
    let lead = format!("yes: {count} part{}", if count == 1 { "" } else { "s" });
    let mut items = few(parts::all(read));
    if !read.message.flaws.is_empty() {
        let flaws: Vec<_> = read.message.flaws.iter().copied().collect();
        items.push(format!("flawed: {}", flaws.join(", ")));
    }
    listing(Stage::Message, lead, items)
}

fn who(sender: &SenderRecord, levels: &[Level]) -> String {
    let claim = sender
        .address
        .as_deref()
        .map_or("From holds no one address".to_owned(), |address| format!("From is {address}"));
    let Some(login) = &sender.identity else { return format!("nobody proven: {claim}; {}", sender.proof) };
    let differ = levels.iter().any(|level| Some(level) != levels.first());
    let at_best = if differ { "; this is the best, each library asks for its own" } else { "" };
    format!("{login}, at level {}: {claim}; {}{at_best}", sender.level, sender.proof)
}

fn filed_before(record: &RecipientRecord) -> String {
    match (record.outcome.as_str(), &record.because) {
        (_, None) => "no".to_owned(),
        (outcome, Some(why)) if outcome == OutcomeKind::Rejected.as_str() => {
            format!("no, and there is no room: {why}")
        }
        (_, Some(why)) => format!("yes: {why}"),
    }
}

fn nothing_of(what: &str, refusal: &Refusal) -> String {
    let because = refusal.because.as_deref().map(|why| format!(" ({why})")).unwrap_or_default();
    format!("{what}: {}{because}", refusal.reason.meaning())
}
