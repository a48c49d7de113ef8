//! Own verification within a pass: where it is asked for, by the workers that read mail, and where a mail must wait for
//! it. A stranger's mail is never held up by DNS.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use mailshelf_storage::{Catalog, Reader, Result};

use crate::config::{Config, Verify};
use crate::file::ReadMail;
use crate::route::{Route, canonical, route};
use crate::sender::verification::may_help;
use crate::sender::verify::{Until, Verified, Verifier};
use crate::sender::{Findings, Known, Rules, Verification, evidence, trusts_from};
use crate::site::Site;

/// How long DNS may be asked for one mail.
const PATIENCE: Duration = Duration::from_secs(10);

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
    },
    /// Somebody who looks at everything and asks nobody: to see whether a mail can be looked at.
    Rehearsal(&'a Verifier),
}

impl<'a> Prover<'a> {
    /// As the site is configured. Once `stop` is set nobody waits for DNS.
    pub fn of(site: &'a Site, stop: &'a AtomicBool) -> Prover<'a> {
        Prover::with(site.verifier.as_ref(), &*site.catalog, &site.config, Some(stop))
    }

    /// One who asks this verifier, if there is one.
    pub fn with(
        verifier: Option<&'a Verifier>,
        catalog: &'a dyn Catalog,
        config: &'a Config,
        stop: Option<&'a AtomicBool>,
    ) -> Prover<'a> {
        verifier.map_or(Prover::Nobody, |verifier| Prover::Site { verifier, catalog, config, stop })
    }

    /// Verifies a mail for these recipients if that can change what is decided.
    pub fn prove(&self, recipients: &[String], read: &ReadMail, arrived: Timestamp) -> Verification {
        let deadline = Instant::now() + PATIENCE;
        let (verifier, until) = match self {
            Prover::Nobody => return Verification::NotAsked,
            Prover::Rehearsal(verifier) => (verifier, deadline.into()),
            Prover::Site { verifier, catalog, config, stop } => {
                let matters = catalog.read().and_then(|people| matters(recipients, read, config, &*people));
                match matters {
                    Ok(true) => {
                        (verifier, stop.map_or(deadline.into(), |stop| Until::or_stop(deadline, stop)))
                    }
                    Ok(false) => return Verification::NotAsked,
                    Err(error) => return Verification::Unavailable(error.to_string()),
                }
            }
        };
        let Ok(from) = &read.message.mailbox else { return Verification::NotAsked };
        match verifier.verify(&read.bytes, from, arrived, until) {
            Verified::Found(findings) => Verification::Done(findings),
            Verified::Unavailable(why) => Verification::Unavailable(why),
        }
    }
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
        if let Route::To(library) = route(&canonical(recipient), &config.site, people)?
            && !trusts_from(library.settings.trust_from, config.sender.trust_from)
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
