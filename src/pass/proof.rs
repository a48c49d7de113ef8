//! Own verification within a pass: where it is asked for, by the workers that read mail, and where a mail must wait for
//! it. A stranger's mail is never held up by DNS, and what a stranger writes holds up nobody else's for long ([`Patience`]).

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use jiff::Timestamp;
use mailshelf_storage::{Catalog, Reader, Result};

use crate::config::{Config, Verify};
use crate::file::ReadMail;
use crate::pass::patience::Patience;
use crate::route::{Route, canonical, route};
use crate::sender::verification::may_help;
use crate::sender::verify::{Until, Verified, Verifier};
use crate::sender::{Findings, Known, Rules, Verification, evidence, trusts_from};
use crate::site::Site;

/// Who verifies the mail that is read.
pub enum Prover<'a> {
    /// Nobody.
    Nobody,
    /// Somebody who asks DNS, where it can matter.
    Site {
        /// That one.
        verifier: &'a Verifier,
        /// Who is known, and which libraries there are.
        catalog: &'a dyn Catalog,
        /// What is asked of senders.
        config: &'a Config,
        /// Once it is set nobody waits for DNS.
        stop: Option<&'a AtomicBool>,
        /// How long DNS may be asked.
        patience: Patience,
    },
    /// Somebody who looks at everything and asks nobody: to see whether a mail can be looked at.
    Rehearsal(&'a Verifier),
}

impl<'a> Prover<'a> {
    /// As the site is configured. Once `stop` is set nobody waits for DNS.
    pub fn of(site: &'a Site, stop: &'a AtomicBool, patience: Patience) -> Prover<'a> {
        Prover::with(site.verifier.as_ref(), &*site.catalog, &site.config, Some(stop), patience)
    }

    /// One who asks this verifier, if there is one.
    pub fn with(
        verifier: Option<&'a Verifier>,
        catalog: &'a dyn Catalog,
        config: &'a Config,
        stop: Option<&'a AtomicBool>,
        patience: Patience,
    ) -> Prover<'a> {
        match verifier {
            Some(verifier) => Prover::Site { verifier, catalog, config, stop, patience },
            None => Prover::Nobody,
        }
    }

    /// Verifies a mail for these recipients if that can change what is decided.
    pub fn prove(&self, recipients: &[String], read: &ReadMail, arrived: Timestamp) -> Verification {
        let Ok(from) = &read.message.mailbox else { return Verification::NotAsked };
        let verify = |verifier: &Verifier, until: Until<'_>| match verifier.verify(
            &read.bytes,
            from,
            arrived,
            until,
        ) {
            Verified::Found(findings) => Verification::Done(findings),
            Verified::Unavailable(why) => Verification::Unavailable(why),
        };
        match self {
            Prover::Nobody => Verification::NotAsked,
            // It knows all there is to know, and waits for nobody.
            Prover::Rehearsal(verifier) => verify(verifier, Instant::now().into()),
            Prover::Site { verifier, catalog, config, stop, patience } => {
                match catalog.read().and_then(|people| matters(recipients, read, config, &*people)) {
                    Ok(true) => patiently(patience, *stop, |until| verify(verifier, until)),
                    Ok(false) => Verification::NotAsked,
                    Err(error) => Verification::Unavailable(error.to_string()),
                }
            }
        }
    }
}

/// Has a mail verified as long as there is patience with it.
fn patiently(
    patience: &Patience,
    stop: Option<&AtomicBool>,
    verify: impl FnOnce(Until<'_>) -> Verification,
) -> Verification {
    let begun = Instant::now();
    let Some(deadline) = patience.deadline(begun) else {
        let why =
            "DNS has kept the mail that waits long enough for this pass; it is asked again in one to come";
        return Verification::Unavailable(why.to_owned());
    };
    let verification = verify(stop.map_or(deadline.into(), |stop| Until::or_stop(deadline, stop)));
    if matches!(verification, Verification::Unavailable(_)) {
        patience.lose(begun.elapsed());
    }
    verification
}

/// Whether some recipient is a library that asks this sender for a proof that the header does not give, and
/// verification can.
fn matters(recipients: &[String], read: &ReadMail, config: &Config, people: &dyn Reader) -> Result<bool> {
    let Ok(from) = &read.message.mailbox else { return Ok(false) };
    let found = evidence::collect(&read.message.traces, from, &config.sender);
    let known = Known::look_up(from, &found, people)?;
    // Where the bare From is believed nothing more is needed.
    if !may_help(from, &known, &found, &config.sender, &Rules::of(&config.sender, false)) {
        return Ok(false);
    }
    for recipient in recipients {
        if let Route::To(reached) = route(&canonical(recipient), &config.site, people)?
            && !trusts_from(reached.library.settings.trust_from, config.sender.trust_from)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Why a mail to a library must wait for proof, if it must. `found` is what speaks for its sender, and `people` what it
/// is decided by; they may know more than when the mail was read.
pub fn missing(
    read: &ReadMail,
    verification: &Verification,
    found: &Findings,
    rules: &Rules,
    config: &Config,
    people: &dyn Reader,
) -> Result<Option<String>> {
    let why = match verification {
        Verification::Done(_) => return Ok(None),
        Verification::Unavailable(why) => why.as_str(),
        Verification::NotAsked => {
            "the settings have changed since the mail was read; proof is looked for in the next pass"
        }
    };
    let Ok(from) = &read.message.mailbox else { return Ok(None) };
    if config.sender.verify == Verify::Off {
        return Ok(None);
    }
    let known = Known::look_up(from, found, people)?;
    Ok(may_help(from, &known, found, &config.sender, rules).then(|| why.to_owned()))
}
