//! The middle of the line, for one mail: sender, route, authorise, file. It reads the catalog and changes nothing.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use mailshelf_storage::model::{
    Attachments, Calendar, Level, Library, LibrarySettings, Mail, MailFields, MailState, Role,
};
use mailshelf_storage::{DeliveryId, Digest, LibraryId, Reader, Result, failpoint};

use crate::authorise::{self, Question, authorise};
use crate::config::{Config, Limits, Rejected, ResultsAt, Sender};
use crate::envelope::Envelope;
use crate::escape::shorten;
use crate::file::{self, Proposal, Refusal};
use crate::message::hops;
use crate::outcome::Reason;
use crate::pass::prepare::{Prepared, Reading, Whole};
use crate::pass::proof;
use crate::record::words::SenderRecord;
use crate::record::{Decided, Decision, Fate, Verdict};
use crate::route::{Reached, Route, canonical, route};
use crate::sender::{Findings, Identity, Rules, client, evidence, identify, trusts_from};

/// What goes on record of a mail that is not decided about: its row, its recipients, and why.
pub fn undecided<'a>(prepared: &'a Prepared, config: &Config, fate: Fate) -> Decided<'a> {
    let mut decided = Decided { fate, ..bare(prepared, config) };
    if let Reading::Read { envelope, .. } = &prepared.reading {
        let nobody = nobody("not asked for");
        let recipients = recipients(&envelope.recipients).into_iter();
        decided.recipients.extend(recipients.map(|to| Decision::new(to, &nobody, Verdict::Undecided)));
    }
    decided
}

fn nobody(proof: &str) -> Identity {
    Identity { address: None, user: None, level: Level::None, proof: proof.to_owned(), known: false }
}

fn bare<'a>(prepared: &'a Prepared, config: &Config) -> Decided<'a> {
    Decided {
        mail: row(prepared, &config.site.node),
        likeness: likeness(prepared),
        sender: SenderRecord { level: Level::None.to_string(), ..SenderRecord::default() },
        elapsed: prepared.elapsed,
        recipients: Vec::new(),
        fate: Fate::Judged,
        given_back: None,
    }
}

/// Decides everything about a mail, by the settings that the reader sees.
pub fn decide<'a>(prepared: &'a Prepared, config: &Config, reader: &dyn Reader) -> Result<Decided<'a>> {
    decide_before(prepared, config, reader, &mut |_, _| ())
}

/// The same; `witness` is shown each decision, and who the sender was to its library.
pub(crate) fn decide_before<'a>(
    prepared: &'a Prepared,
    config: &Config,
    reader: &dyn Reader,
    witness: &mut dyn FnMut(&Decision<'a>, &Identity),
) -> Result<Decided<'a>> {
    let mut decided = bare(prepared, config);
    begun(&decided.mail);
    let (envelope, whole) = match &prepared.reading {
        Reading::Read { envelope, whole, .. } => (envelope, whole),
        Reading::Busy(why) | Reading::Fault { why, site: true } => {
            decided.fate = Fate::Waits(why.clone());
            return Ok(decided);
        }
        Reading::Fault { why, site: false } => {
            decided.fate = Fate::Fails(why.clone());
            return Ok(decided);
        }
        Reading::Panicked(why) | Reading::Culprit(why) => {
            decided.fate = Fate::GivenUp(why.clone());
            return Ok(decided);
        }
    };
    let findings = findings(prepared, whole, &config.sender);
    let senders = sent_on_by(whole, config, reader)?;
    let (waits, proposals) = (None, HashMap::new());
    let mut judge = Judge { prepared, config, reader, envelope, whole, findings, senders, waits, proposals };
    let mut best: Option<Identity> = None;
    for recipient in recipients(&envelope.recipients) {
        let (decision, identity) = judge.judge(recipient)?;
        witness(&decision, &identity);
        decided.recipients.push(decision);
        if best.as_ref().is_none_or(|best| identity.level > best.level) {
            best = Some(identity);
        }
    }
    if let Some(why) = judge.waits {
        let address = best.and_then(|best| best.address).map(|address| address.to_string());
        let sender = SenderRecord { address, proof: format!("not known yet: {why}"), ..decided.sender };
        return Ok(Decided { sender, ..undecided(prepared, config, Fate::Waits(why)) });
    }
    if let Some(identity) = best {
        decided.sender = sender_record(&identity);
    }
    decided.given_back = given_back(&decided, config, reader)?;
    for decision in &mut decided.recipients {
        let sender = decision.sender.take();
        decision.sender = sender.or_else(|| unasked(&decided.sender)).filter(|own| *own != decided.sender);
    }
    Ok(decided)
}

/// Does with what strangers wrote what deciding may do, whatever the site and its libraries: for a process that finds out
/// whether that can be survived. What only a catalog can tell is not asked.
pub fn rehearse(prepared: &Prepared, limits: &Limits) {
    begun(&row(prepared, ""));
    let Reading::Read { envelope, whole, .. } = &prepared.reading else { return };
    recipients(&envelope.recipients);
    let Whole::Mail(read) = whole else { return };
    recipients(&read.message.hops.loops);
    // As if every server that the mail names were ours.
    let results = read.message.traces.results.iter().filter_map(|written| written.reading.as_ref().ok());
    let authserv_id = results.map(|results| results.id.clone()).collect();
    for results_at in [ResultsAt::Above, ResultsAt::Below] {
        let authserv_id = Vec::clone(&authserv_id);
        let asked = Sender {
            authserv_id,
            results_at,
            received_auth: true,
            exchange_internal: true,
            ..Sender::default()
        };
        findings(prepared, whole, &asked);
    }
    for attachments in [Attachments::Root, Attachments::Subject, Attachments::Sender] {
        let settings = LibrarySettings {
            attachments,
            overwrite: true,
            save_original: true,
            save_invitations: true,
            inline_images: true,
            ..LibrarySettings::default()
        };
        // Which it would be makes no difference.
        let _ = file::propose(read, &settings, limits);
    }
}

/// As what it was kept aside, if it was given back. All that it is for now it was refused for then, so the first will do.
/// A copy is never what was given back: that went to the drop.
fn given_back(decided: &Decided<'_>, config: &Config, reader: &dyn Reader) -> Result<Option<DeliveryId>> {
    let (Some(digest), Some(first)) = (decided.mail.digest, decided.recipients.first()) else {
        return Ok(None);
    };
    match config.drop.rejected {
        Rejected::Copied => Ok(None),
        Rejected::Delete | Rejected::Keep => reader.given_back(digest, &first.recipient),
    }
}

/// Who sent it to a recipient that is no library, or takes no mail: whoever the mail is proven to be from, nothing was
/// asked for here.
fn unasked(mail: &SenderRecord) -> Option<SenderRecord> {
    let nobody = || SenderRecord { address: mail.address.clone(), ..sender_record(&nobody("not asked for")) };
    mail.identity.is_some().then(nobody)
}

/// What speaks for the sender; the same for every recipient.
fn findings(prepared: &Prepared, whole: &Whole, settings: &Sender) -> Findings {
    let Whole::Mail(read) = whole else { return Findings::default() };
    let Ok(from) = &read.message.mailbox else { return Findings::default() };
    let mut found = evidence::collect(&read.message.traces, from, settings);
    prepared.verification.add_to(from, &mut found, settings);
    found
}

/// The libraries that the mail was sent on for already, and the address that says so.
fn sent_on_by(whole: &Whole, config: &Config, reader: &dyn Reader) -> Result<HashMap<LibraryId, String>> {
    let mut senders = HashMap::new();
    let Whole::Mail(read) = whole else { return Ok(senders) };
    for address in &read.message.hops.loops {
        let address = canonical(address);
        if let Route::To(reached) = route(&address, &config.site, reader)? {
            senders.entry(reached.library.id).or_insert(address);
        }
    }
    Ok(senders)
}

/// Each recipient once, in canonical form; an empty one where the mail names none.
fn recipients(written: &[String]) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut recipients: Vec<String> =
        written.iter().map(|recipient| canonical(recipient)).filter(|r| seen.insert(r.clone())).collect();
    if recipients.is_empty() {
        recipients.push(String::new());
    }
    recipients
}

/// For tests: here whoever decides about a mail dies of it.
fn begun(mail: &Mail) {
    failpoint::reached("decided", mail.message_id.as_deref().unwrap_or_default());
}

fn row(prepared: &Prepared, node: &str) -> Mail {
    let mut mail = Mail {
        delivery: prepared.claimed.id,
        file: prepared.claimed.shown_name(),
        node: node.to_owned(),
        digest: None,
        size: 0,
        message_id: None,
        from: None,
        envelope_sender: None,
        subject: None,
        arrived_at: prepared.arrived_at,
        state: MailState::Open,
        attempts: 0,
        fault: None,
        fields: MailFields::default(),
        flaws: Vec::new(),
    };
    if let Reading::Read { envelope, size, digest, whole } = &prepared.reading {
        mail.digest = Some(*digest);
        mail.size = *size;
        mail.envelope_sender = envelope.sender.as_deref().map(shorten);
        let headline = match whole {
            Whole::Mail(read) => &read.message.headline,
            Whole::Unfit(_, headline) => headline,
        };
        mail.message_id = headline.message_id.as_deref().map(shorten);
        mail.from = headline.from.as_deref().map(shorten);
        mail.subject = headline.subject.as_deref().map(shorten);
        let mut calendar = Calendar::default();
        if let Whole::Mail(read) = whole {
            calendar = read.message.calendar(&read.bytes);
            mail.flaws = read.message.told_flaws();
        }
        mail.fields = MailFields {
            to: headline.to.as_deref().map(shorten),
            cc: headline.cc.as_deref().map(shorten),
            date: headline.date,
            calendar: Calendar { uid: calendar.uid.as_deref().map(shorten), ..calendar },
        };
    }
    mail
}

fn likeness(prepared: &Prepared) -> Option<Digest> {
    match &prepared.reading {
        Reading::Read { whole: Whole::Mail(read), .. } => read.likeness,
        _ => None,
    }
}

fn sender_record(identity: &Identity) -> SenderRecord {
    SenderRecord {
        address: identity.address.as_ref().map(ToString::to_string),
        identity: identity.user.as_ref().map(|user| user.login.to_string()),
        level: identity.level.to_string(),
        proof: identity.proof.clone(),
    }
}

struct Judge<'a, 'b> {
    prepared: &'a Prepared,
    config: &'b Config,
    reader: &'b dyn Reader,
    envelope: &'a Envelope,
    whole: &'a Whole,
    /// What speaks for the sender.
    findings: Findings,
    /// Libraries that it was sent on for already.
    senders: HashMap<LibraryId, String>,
    /// Why the mail must wait for proof, if it must.
    waits: Option<String>,
    /// What each library gets of this mail, whatever the number of its addresses.
    proposals: HashMap<LibraryId, Proposed<'a>>,
}

type Proposed<'a> = std::result::Result<Rc<Proposal<'a>>, Refusal>;

impl<'a> Judge<'a, '_> {
    fn judge(&mut self, recipient: String) -> Result<(Decision<'a>, Identity)> {
        let refuse = |reason, because| Verdict::Refuse(Refusal { reason, because });
        let nobody = nobody("not asked for");
        let read = match self.whole {
            Whole::Mail(read) => read,
            Whole::Unfit(refusal, _) => {
                let proof = "not asked for: the mail could not be read".to_owned();
                let decision = Decision::new(recipient, &nobody, Verdict::Refuse(refusal.clone()));
                return Ok((decision, Identity { proof, ..nobody }));
            }
        };
        if let Some(Err(why)) =
            client::check(&self.config.drop.safe_servers, self.envelope, &read.message.traces)
        {
            let verdict = refuse(Reason::UnsafeServer, Some(why));
            return Ok((Decision::new(recipient, &nobody, verdict), self.claimed(read)?));
        }
        match route(&recipient, &self.config.site, self.reader)? {
            Route::To(Reached { library, former }) => {
                let (decision, identity) = self.judge_for(recipient, library, read)?;
                Ok((Decision { former, ..decision }, identity))
            }
            Route::Disabled(Reached { library, former }) => {
                let decision = Decision::new(recipient, &nobody, refuse(Reason::MailDisabled, None));
                Ok((Decision { library: Some(library), former, ..decision }, self.claimed(read)?))
            }
            Route::Nowhere(reason) => {
                Ok((Decision::new(recipient, &nobody, refuse(reason, None)), self.claimed(read)?))
            }
        }
    }

    /// What becomes of the mail in a library that takes mail.
    fn judge_for(
        &mut self,
        recipient: String,
        library: Library,
        read: &'a file::ReadMail,
    ) -> Result<(Decision<'a>, Identity)> {
        let refuse = |reason, because| Verdict::Refuse(Refusal { reason, because });
        let nobody = nobody("not asked for");
        if let Some(why) = self.goes_round(read, &library) {
            let verdict = refuse(Reason::MailLoop, Some(why));
            let decision = Decision { library: Some(library), ..Decision::new(recipient, &nobody, verdict) };
            return Ok((decision, self.claimed(read)?));
        }
        let trust = trusts_from(library.settings.trust_from, self.config.sender.trust_from);
        let identity = self.identify(read, trust)?;
        if self.waits.is_none() {
            let rules = Rules::of(&self.config.sender, trust);
            let verification = &self.prepared.verification;
            self.waits =
                proof::missing(read, verification, &self.findings, &rules, self.config, self.reader)?;
        }
        let role = match &identity.user {
            Some(user) => self.reader.role(library.id, user.id)?,
            None => None,
        };
        let question = Question {
            policy: library.settings.sender_policy,
            authenticated_only: self.config.site.authenticated_only,
            identity: &identity,
            role,
        };
        let created_by = match authorise(question) {
            authorise::Verdict::As(login) => login.to_string(),
            authorise::Verdict::Anonymous => self.config.site.system_account.clone(),
            authorise::Verdict::Refused(reason) => {
                let verdict = refuse(reason, Some(self.lack(&library, &identity)?));
                return Ok((Decision::of(recipient, library, &identity, verdict), identity));
            }
        };
        let propose = || file::propose(read, &library.settings, &self.config.limits).map(Rc::new);
        let verdict = match self.proposals.entry(library.id).or_insert_with(propose) {
            Ok(proposal) => Verdict::File(Rc::clone(proposal), created_by),
            Err(refusal) => Verdict::Refuse(refusal.clone()),
        };
        Ok((Decision::of(recipient, library, &identity, verdict), identity))
    }

    /// Why a library does not take a mail: of whom nobody is proven to be, the want of proof; of a user, that of a right.
    fn lack(&self, library: &Library, identity: &Identity) -> Result<String> {
        let Some(user) = &identity.user else { return Ok(identity.proof.clone()) };
        let ways = self.reader.ways(library.id, user.id, 1)?;
        let role = ways.first().map_or("no role here".to_owned(), ToString::to_string);
        Ok(format!("{role}; {} is asked for", Role::Contributor))
    }

    /// Why a mail goes round in circles, if it does.
    fn goes_round(&self, read: &file::ReadMail, library: &Library) -> Option<String> {
        let passed = read.message.hops.received;
        if passed > hops::MOST {
            return Some(format!("it has passed {passed} servers, and the limit is {}", hops::MOST));
        }
        let sender = self.senders.get(&library.id)?;
        Some(format!("by its X-Loop it was sent on for {sender} before"))
    }

    /// Who it claims to be from, where no library was there to ask for proof.
    fn claimed(&self, read: &file::ReadMail) -> Result<Identity> {
        self.identify(read, false)
    }

    fn identify(&self, read: &file::ReadMail, trust_from: bool) -> Result<Identity> {
        let rules = Rules::of(&self.config.sender, trust_from);
        identify(&read.message.mailbox, &self.findings, &rules, self.reader)
    }
}

impl<'a> Decision<'a> {
    fn new(recipient: String, identity: &Identity, verdict: Verdict<'a>) -> Decision<'a> {
        Decision {
            recipient,
            library: None,
            former: None,
            identity: identity.user.as_ref().map(|user| user.login.clone()),
            level: identity.level,
            sender: None,
            verdict,
        }
    }

    /// Where a library asked who sent it.
    fn of(recipient: String, library: Library, identity: &Identity, verdict: Verdict<'a>) -> Decision<'a> {
        let sender = Some(sender_record(identity));
        Decision { library: Some(library), sender, ..Decision::new(recipient, identity, verdict) }
    }
}
