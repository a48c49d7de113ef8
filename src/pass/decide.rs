//! The middle of the line, for one mail: sender, route, authorise, file. It reads the catalog and changes nothing.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use mailshelf_storage::model::{Level, Mail, MailState};
use mailshelf_storage::{LibraryId, Reader, Result, failpoint};

use crate::authorise::{self, Question, authorise};
use crate::config::Config;
use crate::escape::shorten;
use crate::file::{self, Proposal, Refusal};
use crate::outcome::Reason;
use crate::pass::prepare::{Prepared, Reading, Whole};
use crate::record::words::SenderRecord;
use crate::record::{Decided, Decision, Fate, Verdict};
use crate::route::{Route, canonical, route};
use crate::sender::{Identity, identify, trusts_from};

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
        mail: row(prepared, config),
        sender: SenderRecord { level: Level::None.to_string(), ..SenderRecord::default() },
        elapsed: prepared.elapsed,
        recipients: Vec::new(),
        fate: Fate::Judged,
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
    failpoint::reached("decided", decided.mail.message_id.as_deref().unwrap_or_default());
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
        Reading::Culprit(why) => {
            decided.fate = Fate::GivenUp(why.clone());
            return Ok(decided);
        }
    };
    let mut judge = Judge { config, reader, whole, proposals: HashMap::new() };
    let mut best: Option<Identity> = None;
    for recipient in recipients(&envelope.recipients) {
        let (decision, identity) = judge.judge(recipient)?;
        witness(&decision, &identity);
        decided.recipients.push(decision);
        if best.as_ref().is_none_or(|best| identity.level > best.level) {
            best = Some(identity);
        }
    }
    if let Some(identity) = best {
        decided.sender = sender_record(&identity);
    }
    Ok(decided)
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

fn row(prepared: &Prepared, config: &Config) -> Mail {
    let mut mail = Mail {
        delivery: prepared.claimed.id,
        file: prepared.claimed.shown_name(),
        node: config.site.node.clone(),
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
    }
    mail
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
    config: &'b Config,
    reader: &'b dyn Reader,
    whole: &'a Whole,
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
        let library = match route(&recipient, &self.config.site, self.reader)? {
            Route::To(library) => library,
            Route::Disabled(library) => {
                let mut decision = Decision::new(recipient, &nobody, refuse(Reason::MailDisabled, None));
                decision.library = Some(library);
                return Ok((decision, self.claimed(read)?));
            }
            Route::Nowhere(reason) => {
                return Ok((Decision::new(recipient, &nobody, refuse(reason, None)), self.claimed(read)?));
            }
        };
        let trust = trusts_from(library.settings.trust_from, self.config.sender.trust_from);
        let identity = identify(&read.message.mailbox, trust, self.reader)?;
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
                let verdict = refuse(reason, Some(identity.proof.clone()));
                let decision =
                    Decision { library: Some(library), ..Decision::new(recipient, &identity, verdict) };
                return Ok((decision, identity));
            }
        };
        let limit = self.config.limits.attachment;
        let propose = || file::propose(read, &library.settings, limit).map(Rc::new);
        let verdict = match self.proposals.entry(library.id).or_insert_with(propose) {
            Ok(proposal) => Verdict::File(Rc::clone(proposal), created_by),
            Err(refusal) => Verdict::Refuse(refusal.clone()),
        };
        let decision = Decision { library: Some(library), ..Decision::new(recipient, &identity, verdict) };
        Ok((decision, identity))
    }

    /// Who it claims to be from, where no library was there to ask for proof.
    fn claimed(&self, read: &file::ReadMail) -> Result<Identity> {
        identify(&read.message.mailbox, false, self.reader)
    }
}

impl<'a> Decision<'a> {
    fn new(recipient: String, identity: &Identity, verdict: Verdict<'a>) -> Decision<'a> {
        Decision {
            recipient,
            library: None,
            identity: identity.user.as_ref().map(|user| user.login.clone()),
            level: identity.level,
            verdict,
        }
    }
}
