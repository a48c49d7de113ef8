//! `mailshelf rejected list`: what the folder holds, and what the catalog knows of it.

use mailshelf::dispose::aside::Kept;
use mailshelf::dispose::kept::until;
use mailshelf::drop::shown;
use mailshelf::record::words::time;
use mailshelf::site::Look;
use mailshelf_storage::model::OutcomeKind;
use serde::Serialize;

use super::for_reason;
use crate::cli::DONE;
use crate::cli::mail::view::{Names, View};
use crate::cli::output::{Output, Show};

/// One file that is kept.
#[derive(Serialize)]
struct Entry {
    /// What is on record; nothing of a file that was not put there by us.
    #[serde(flatten)]
    mail: Option<View>,
    kept_at: String,
    /// When its term is over; never, of a file that we did not put there.
    kept_until: Option<String>,
    path: String,
    #[serde(skip)]
    name: String,
}

pub fn list(site: &Look, out: &Output, reason: Option<&str>) -> anyhow::Result<u8> {
    let kept = for_reason(site, super::kept(site)?, reason)?;
    let reader = site.catalog.read()?;
    let names = Names::read(&*reader)?;
    let mut entries = Vec::new();
    for kept in kept {
        let mail = match kept.id {
            Some(id) => reader.mail(id)?,
            None => None,
        };
        let mail = match mail {
            Some(mail) => {
                let outcomes = reader.outcomes(mail.delivery)?;
                Some(View::new(mail, outcomes, &names, &[]))
            }
            None => None,
        };
        entries.push(Entry::new(site, &kept, mail));
    }
    drop(reader);
    out.list(&entries, "No rejected mail is kept.")?;
    Ok(DONE)
}

fn reasons(mail: &View) -> impl Iterator<Item = &str> {
    let refused = mail.recipients.iter().filter(|one| one.outcome == OutcomeKind::Rejected);
    refused.filter_map(|one| one.reason.as_deref())
}

impl Entry {
    fn new(site: &Look, kept: &Kept, mail: Option<View>) -> Entry {
        let end = until(kept, site.config.drop.keep_rejected).filter(|_| mail.is_some());
        Entry {
            mail,
            kept_at: time(kept.kept_at),
            kept_until: end.map(time),
            path: shown(kept.path.as_os_str()),
            name: kept.shown_name(),
        }
    }
}

impl Show for Entry {
    const COLUMNS: &'static [&'static str] = &["id", "kept since", "until", "from", "subject", "reason"];

    fn row(&self) -> Vec<String> {
        let (since, until) = (self.kept_at.clone(), self.kept_until.clone().unwrap_or_default());
        let Some(mail) = &self.mail else {
            let why = "not put there by mailshelf".to_owned();
            return vec![String::new(), since, until, String::new(), self.name.clone(), why];
        };
        let mut each: Vec<&str> = Vec::new();
        for reason in reasons(mail) {
            if !each.contains(&reason) {
                each.push(reason);
            }
        }
        let (from, subject) = mail.headline();
        vec![mail.mail.clone(), since, until, from, subject, each.join(", ")]
    }
}
