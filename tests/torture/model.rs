//! What must be true of a site, whatever happened to it: the invariants of the order of writing, as pure functions of
//! what was delivered and of what is seen. They know nothing of how the program works.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A mail that was delivered, and what must become of it.
#[derive(Debug, Clone)]
pub struct Mail {
    pub message_id: String,
    /// SHA-256 of the file as it was delivered.
    pub file: String,
    /// How many times it was delivered, byte for byte the same.
    pub deliveries: usize,
    /// It is kept aside once it is rejected.
    pub kept: bool,
    pub fates: Vec<(String, Fate)>,
}

/// What must become of a mail for one recipient.
#[derive(Debug, Clone)]
pub enum Fate {
    Filed {
        library: String,
        by: String,
        /// SHA-256 of each document.
        documents: Vec<String>,
    },
    Rejected {
        reason: String,
    },
}

/// What is seen of a site while nothing runs.
#[derive(Debug, Default)]
pub struct Seen {
    /// SHA-256 of each file that stands in the drop.
    pub waiting: Vec<String>,
    /// The files that carry a delivery id.
    pub claimed: Vec<Claim>,
    pub badmail: Vec<Claim>,
    pub kept: Vec<Claim>,
    pub deliveries: Vec<Delivery>,
    pub versions: Vec<Version>,
    /// Name of each file of the contents, and SHA-256 and size of what it holds.
    pub contents: BTreeMap<String, (String, u64)>,
    /// What was left in the place for unfinished contents.
    pub unfinished: usize,
    /// For each whole line of the event file, its number.
    pub seqs: Vec<u64>,
    /// Lines of the event file that are no events, a torn last one apart.
    pub garbled: usize,
    pub torn: bool,
    /// What the events of passes tell: delivery, recipient, outcome.
    pub told: Vec<(String, String, String)>,
    /// What SQLite's own check of the catalog says, if it is not "ok".
    pub catalog: Option<String>,
}

#[derive(Debug)]
pub struct Claim {
    pub delivery: String,
    pub file: String,
}

/// A mail on record.
#[derive(Debug)]
pub struct Delivery {
    pub id: String,
    pub message_id: Option<String>,
    /// `open`, `done` or `badmail`.
    pub state: String,
    pub outcomes: Vec<Outcome>,
}

#[derive(Debug)]
pub struct Outcome {
    pub recipient: String,
    pub kind: String,
    pub reason: Option<String>,
}

/// A version of a document: a reference to a content.
#[derive(Debug)]
pub struct Version {
    pub delivery: String,
    pub library: String,
    pub by: String,
    pub content: String,
    pub size: u64,
    /// It is the mail itself, not a file that it brought.
    pub original: bool,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Mail, or a document of it, is gone.
    Lost,
    /// Mail, or a document of it, is there twice, or was told of twice.
    Doubled,
    /// On record, and its bytes are not there or are others.
    Dangling,
    /// Another outcome, or another name, than it should have.
    Misfiled,
    /// Nobody can explain it from the events.
    Untold,
    /// After all was mended something is left to do.
    Left,
    /// The program did not end, or did not work when nothing was wrong any more.
    Stuck,
}

#[derive(Debug, Clone)]
pub struct Wrong {
    pub kind: Kind,
    pub what: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.what)
    }
}

fn wrong(kind: Kind, what: impl Into<String>) -> Wrong {
    Wrong { kind, what: what.into() }
}

/// What must hold at any moment, in the middle of a pass too.
pub fn at_any_moment(mails: &[Mail], seen: &Seen) -> Vec<Wrong> {
    let mut found = in_itself(seen);
    conserved(mails, seen, &mut found);
    one_outcome(mails, seen, &mut found);
    found
}

/// What must hold of all that is on record, whoever sent it and whatever was meant to become of it.
pub fn in_itself(seen: &Seen) -> Vec<Wrong> {
    let mut found = Vec::new();
    found.extend(seen.catalog.iter().map(|says| wrong(Kind::Dangling, format!("the catalog: {says}"))));
    referred(seen, &mut found);
    published(seen, &mut found);
    found
}

/// What is seen of one mail, and all else.
pub fn split(seen: Seen, mail: &Mail) -> (Seen, Seen) {
    let (mut of_mail, mut rest) = (Seen::default(), seen);
    let of = |delivery: &Delivery| delivery.message_id.as_deref().is_none_or(|id| id == mail.message_id);
    let (own, others) = std::mem::take(&mut rest.deliveries).into_iter().partition(of);
    (of_mail.deliveries, rest.deliveries) = (own, others);
    let ids: BTreeSet<_> = of_mail.deliveries.iter().map(|delivery| delivery.id.clone()).collect();
    let versions = std::mem::take(&mut rest.versions);
    (of_mail.versions, rest.versions) =
        versions.into_iter().partition(|version| ids.contains(&version.delivery));
    rest.told.retain(|(delivery, _, _)| !ids.contains(delivery));
    (of_mail, rest)
}

/// What must hold when all that went wrong is over and a run has come to its end.
pub fn when_settled(mails: &[Mail], seen: &Seen) -> Vec<Wrong> {
    let mut found = at_any_moment(mails, seen);
    for (left, what) in [
        (seen.waiting.len(), "in the drop"),
        (seen.claimed.len(), "claimed"),
        (seen.badmail.len(), "in badmail"),
        (seen.unfinished, "unfinished contents"),
        (usize::from(seen.torn), "a torn line of the event file"),
    ] {
        if left > 0 {
            found.push(wrong(Kind::Left, format!("{left} {what}")));
        }
    }
    for mail in mails {
        final_outcomes(mail, seen, &mut found);
        kept_aside(mail, seen, &mut found);
    }
    let strange =
        seen.kept.iter().filter(|claim| !mails.iter().any(|mail| mail.kept && mail.file == claim.file));
    found
        .extend(strange.map(|claim| wrong(Kind::Left, format!("kept aside and not meant to be: {claim:?}"))));
    every_one_told(seen, &mut found);
    let expected = expected_documents(mails);
    let filed = count(
        seen.versions
            .iter()
            .map(|version| (version.library.clone(), version.by.clone(), version.content.clone())),
    );
    compare(&expected, &filed, &mut found);
    found
}

fn count<T: Ord>(things: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    let mut counts = BTreeMap::new();
    for thing in things {
        *counts.entry(thing).or_insert(0) += 1;
    }
    counts
}

/// No mail without its file or a final outcome for every recipient; none more often than it was delivered.
fn conserved(mails: &[Mail], seen: &Seen, found: &mut Vec<Wrong>) {
    let known: BTreeSet<_> = mails.iter().map(|mail| mail.file.as_str()).collect();
    let files = seen.waiting.iter().map(String::as_str);
    let claims = seen.claimed.iter().chain(&seen.badmail).chain(&seen.kept);
    let files = files.chain(claims.map(|claim| claim.file.as_str()));
    for file in files.filter(|file| !known.contains(file)) {
        found.push(wrong(Kind::Lost, format!("a file of mail holds what was never delivered: {file}")));
    }
    for mail in mails {
        let waiting = seen.waiting.iter().filter(|file| **file == mail.file).count();
        let claims = seen.claimed.iter().chain(&seen.badmail).chain(&seen.kept);
        let mut ids: BTreeSet<_> =
            claims.filter(|claim| claim.file == mail.file).map(|claim| claim.delivery.as_str()).collect();
        for delivery in &seen.deliveries {
            if is_of(delivery, mail, seen) && is_final(mail, delivery) {
                ids.insert(&delivery.id);
            }
        }
        let (there, delivered) = (waiting + ids.len(), mail.deliveries);
        if there < delivered {
            found.push(wrong(Kind::Lost, format!("{}: {there} of {delivered}", mail.message_id)));
        } else if there > delivered {
            let all = format!("{}: {there} for {delivered}: {waiting} waiting, {ids:?}", mail.message_id);
            found.push(wrong(Kind::Doubled, all));
        }
    }
}

/// Whether a delivery is of this mail: by its Message-ID, or by its file as long as nobody could read it.
fn is_of(delivery: &Delivery, mail: &Mail, seen: &Seen) -> bool {
    match &delivery.message_id {
        Some(id) => *id == mail.message_id,
        None => {
            let mut claims = seen.claimed.iter().chain(&seen.badmail);
            claims.any(|claim| claim.delivery == delivery.id && claim.file == mail.file)
        }
    }
}

/// Whether every recipient has an outcome that stands.
fn is_final(mail: &Mail, delivery: &Delivery) -> bool {
    delivery.state != "open"
        && mail.fates.iter().all(|(recipient, _)| {
            delivery.outcomes.iter().any(|one| one.recipient == *recipient && one.kind != "deferred")
        })
}

/// Every document's content exists and hashes to its name; every content is what its name says.
fn referred(seen: &Seen, found: &mut Vec<Wrong>) {
    for version in &seen.versions {
        match seen.contents.get(&version.content) {
            None => found.push(wrong(Kind::Dangling, format!("{} has no content", version.content))),
            Some((digest, size)) if *digest != version.content || *size != version.size => {
                found.push(wrong(Kind::Dangling, format!("{} is {size} bytes of {digest}", version.content)));
            }
            Some(_) => {}
        }
    }
    for (name, (digest, size)) in seen.contents.iter().filter(|(name, (digest, _))| *name != digest) {
        found.push(wrong(Kind::Dangling, format!("the content {name} holds {size} bytes of {digest}")));
    }
}

/// One outcome for each delivery and recipient, of those that this mail may have, and nothing filed beyond it.
fn one_outcome(mails: &[Mail], seen: &Seen, found: &mut Vec<Wrong>) {
    for delivery in &seen.deliveries {
        let mail = mails.iter().find(|mail| is_of(delivery, mail, seen));
        let Some(mail) = mail else {
            found.push(wrong(Kind::Misfiled, format!("on record and never delivered: {delivery:?}")));
            continue;
        };
        for (outcome, times) in count(delivery.outcomes.iter().map(|outcome| &outcome.recipient)) {
            if times > 1 {
                found.push(wrong(Kind::Doubled, format!("{}: {times} outcomes for {outcome}", delivery.id)));
            }
        }
        for outcome in delivery.outcomes.iter().filter(|outcome| outcome.kind != "deferred") {
            let fate = mail.fates.iter().find(|(recipient, _)| *recipient == outcome.recipient);
            let fits = match fate {
                Some((_, Fate::Filed { .. })) => outcome.kind == "filed" || outcome.kind == "duplicate",
                Some((_, Fate::Rejected { reason })) => {
                    outcome.kind == "rejected" && outcome.reason.as_deref() == Some(reason)
                }
                None => false,
            };
            if !fits {
                found.push(wrong(Kind::Misfiled, format!("{}: {outcome:?}", mail.message_id)));
            }
        }
    }
    let ids: BTreeSet<_> = seen.deliveries.iter().map(|delivery| &delivery.id).collect();
    for version in seen.versions.iter().filter(|version| !ids.contains(&version.delivery)) {
        found.push(wrong(Kind::Dangling, format!("{} comes from no mail", version.content)));
    }
}

/// The event file has whole lines with numbers from 1 on, and tells only what is on record, once.
fn published(seen: &Seen, found: &mut Vec<Wrong>) {
    if seen.garbled > 0 {
        found.push(wrong(Kind::Untold, format!("{} lines of the event file are no events", seen.garbled)));
    }
    if !seen.seqs.iter().copied().eq(1..=seen.seqs.len() as u64) {
        found.push(wrong(Kind::Untold, format!("the numbers of the events: {:?}", seen.seqs)));
    }
    for ((delivery, recipient), times) in count(finals(seen)) {
        if times > 1 {
            let what = format!("{delivery} for {recipient}: told {times} times");
            found.push(wrong(Kind::Doubled, what));
        }
        let on_record = seen.deliveries.iter().any(|one| {
            one.id == *delivery && one.outcomes.iter().any(|outcome| outcome.recipient == *recipient)
        });
        if !on_record {
            found.push(wrong(Kind::Untold, format!("{delivery} for {recipient}: told and not on record")));
        }
    }
}

fn finals(seen: &Seen) -> impl Iterator<Item = (&String, &String)> {
    let told = seen.told.iter().filter(|(_, _, outcome)| outcome != "deferred");
    told.map(|(delivery, recipient, _)| (delivery, recipient))
}

fn every_one_told(seen: &Seen, found: &mut Vec<Wrong>) {
    let told: BTreeSet<_> = finals(seen).collect();
    for delivery in &seen.deliveries {
        for outcome in &delivery.outcomes {
            if !told.contains(&(&delivery.id, &outcome.recipient)) {
                found.push(wrong(Kind::Untold, format!("{} for {}", delivery.id, outcome.recipient)));
            }
        }
    }
}

/// Of each delivery every recipient has its outcome; of several deliveries of one mail, one was filed.
fn final_outcomes(mail: &Mail, seen: &Seen, found: &mut Vec<Wrong>) {
    for (recipient, fate) in &mail.fates {
        let of_mail =
            seen.deliveries.iter().filter(|one| one.message_id.as_deref() == Some(&mail.message_id));
        let kinds = count(
            of_mail
                .flat_map(|one| &one.outcomes)
                .filter_map(|outcome| (outcome.recipient == *recipient).then_some(outcome.kind.as_str())),
        );
        let expected = match fate {
            Fate::Filed { .. } => count(["filed"].into_iter().chain(vec!["duplicate"; mail.deliveries - 1])),
            Fate::Rejected { .. } => count(vec!["rejected"; mail.deliveries].into_iter()),
        };
        if kinds != expected {
            let what = format!("{} for {recipient}: {kinds:?}, not {expected:?}", mail.message_id);
            let filed = |kinds: &BTreeMap<&str, usize>| kinds.get("filed").copied().unwrap_or(0);
            let kind = match filed(&kinds).cmp(&filed(&expected)) {
                std::cmp::Ordering::Greater => Kind::Doubled,
                std::cmp::Ordering::Less => Kind::Lost,
                std::cmp::Ordering::Equal => Kind::Misfiled,
            };
            found.push(wrong(kind, what));
        }
    }
}

/// Each delivery that was to be kept aside is, as it came.
fn kept_aside(mail: &Mail, seen: &Seen, found: &mut Vec<Wrong>) {
    let ids: BTreeSet<_> =
        seen.kept.iter().filter(|claim| claim.file == mail.file).map(|claim| &claim.delivery).collect();
    let (there, wanted) = (ids.len(), if mail.kept { mail.deliveries } else { 0 });
    if there < wanted {
        found.push(wrong(Kind::Lost, format!("{}: {there} of {wanted} kept aside", mail.message_id)));
    }
}

type Document = (String, String, String);

fn expected_documents(mails: &[Mail]) -> BTreeMap<Document, usize> {
    let mut expected = BTreeMap::new();
    for (_, fate) in mails.iter().flat_map(|mail| &mail.fates) {
        if let Fate::Filed { library, by, documents } = fate {
            for document in documents {
                *expected.entry((library.clone(), by.clone(), document.clone())).or_insert(0) += 1;
            }
        }
    }
    expected
}

fn compare(expected: &BTreeMap<Document, usize>, filed: &BTreeMap<Document, usize>, found: &mut Vec<Wrong>) {
    for document in expected.keys().chain(filed.keys()).collect::<BTreeSet<_>>() {
        let (want, have) = (expected.get(document).unwrap_or(&0), filed.get(document).unwrap_or(&0));
        let kind = match have.cmp(want) {
            std::cmp::Ordering::Less => Kind::Lost,
            std::cmp::Ordering::Greater if *want == 0 => Kind::Misfiled,
            std::cmp::Ordering::Greater => Kind::Doubled,
            std::cmp::Ordering::Equal => continue,
        };
        found.push(wrong(kind, format!("{have} documents for {want}: {document:?}")));
    }
}
