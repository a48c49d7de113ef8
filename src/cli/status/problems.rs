//! What needs attention: a sentence each, with what to do.

use std::path::PathBuf;
use std::time::Duration;

use mailshelf::config::{Config, Site};
use mailshelf::confine::exposed as exposed_places;
use mailshelf::drop::DropError;
use mailshelf::route::Former;
use mailshelf::route::alias::refusal;
use mailshelf_storage::model::{FormerAlias, UnusedAddress};
use mailshelf_storage::{Error, LibraryName, Reader};

use super::View;
use crate::cli::hint;
use crate::cli::paste::quoted;

/// The drop cannot be looked at.
pub fn unusable(error: &DropError) -> String {
    match error.hint() {
        Some(hint) => format!("{error}: {hint}"),
        None => error.to_string(),
    }
}

/// Nobody who files mail starts.
pub fn unstarted(error: &anyhow::Error) -> String {
    let hint = hint(error).map(|hint| format!(" ({hint})")).unwrap_or_default();
    format!("{error}, so nobody who files mail is started{hint}")
}

/// What a process that files mail could write to, and should not.
pub fn exposed(config: &Config) -> Vec<String> {
    let sentence = |(what, place): (PathBuf, PathBuf)| {
        let (what, place) = (what.display(), place.display());
        format!(
            "{what} can be written to by whoever files mail, for it stands below {place}: move one of them"
        )
    };
    exposed_places(config).into_iter().map(sentence).collect()
}

/// Addresses that are on record and not in use.
pub fn unused(addresses: &[UnusedAddress]) -> Option<String> {
    let first = addresses.first()?;
    let (count, login) = (addresses.len(), quoted(first.login.as_str()));
    let what = if count == 1 { "1 address is".to_owned() } else { format!("{count} addresses are") };
    Some(format!(
        "{what} not in use, of {} for one, so mail from there is nobody's: `mailshelf user list` says why, and \
         `mailshelf user set {login} --address ADDRESS` puts others in place of all the user has",
        first.login
    ))
}

/// Aliases that no library may have here, as the prefix of the site is now, and that mail comes by all the same; and
/// those that no mail can come by.
pub fn reserved(reader: &dyn Reader, site: &Site) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    for library in reader.libraries()? {
        let name = quoted(library.name.as_str());
        if let Some(why) = refusal(&library.alias, site) {
            found.push(format!(
                "library {} has the alias {}, and may not: {why}: `mailshelf library set {name} --alias ALIAS` gives it \
                 another, or another site.alias_prefix helps",
                library.name, library.alias
            ));
        }
        for FormerAlias { alias, since } in reader.former_aliases(library.id)? {
            let Some(former) = Former::now(alias, since, site.former_alias) else { continue };
            if let Some(why) = refusal(&former.alias, site) {
                found.push(format!(
                    "former alias {} leads to library {}, and may not: {why}: `mailshelf library set {name} --forget {}` \
                     ends it",
                    former.alias,
                    library.name,
                    quoted(former.alias.as_str())
                ));
            }
        }
    }
    Ok(found)
}

/// So many mails to a library are kept aside because it was full.
pub fn crowded_out(library: &LibraryName, count: u64) -> Option<String> {
    let mails = mails(count, "is kept aside", "are kept aside")?;
    let name = quoted(library.as_str());
    Some(format!(
        "library {library}: {mails} because it was full: `mailshelf rejected list --reason quota-exceeded` says until \
         when; `mailshelf library set {name} --quota SIZE` makes room, and `mailshelf rejected replay --reason quota-exceeded` gives it back"
    ))
}

/// What the numbers give cause for.
pub fn find(view: &View, max_wait: Duration) -> Vec<String> {
    let found = [
        idle(view, max_wait),
        waiting(view, max_wait),
        interrupted(view),
        deferred(view),
        badmail(view),
        left(view),
        given_up(view),
    ];
    found.into_iter().flatten().collect()
}

const TIMER: &str = "is the timer or the service running?";

fn idle(view: &View, max_wait: Duration) -> Option<String> {
    let Some(pass) = &view.last_pass else {
        let waits = view.backlog.is_some_and(|mails| mails > 0);
        return waits.then(|| format!("mail waits and no pass has ended yet: {TIMER}"));
    };
    match pass.age(view.now) {
        Some(age) if age > max_wait => {
            Some(format!("the last pass ended {}, and --max-wait is {}: {TIMER}", ago(age), span(max_wait)))
        }
        _ => None,
    }
}

fn waiting(view: &View, max_wait: Duration) -> Option<String> {
    let oldest = view.oldest_waiting.as_ref().filter(|oldest| oldest.age() > max_wait)?;
    let (age, most) = (span(oldest.age()), span(max_wait));
    Some(format!("mail has waited for {age}, and --max-wait is {most}: `mailshelf queue` shows it, and why"))
}

fn interrupted(view: &View) -> Option<String> {
    let interrupted = view.last_pass.as_ref().is_some_and(|pass| pass.interrupted);
    interrupted.then(|| {
        "the last pass was interrupted: the next one goes on where it ended; `mailshelf events --level warning` says what was in the way".to_owned()
    })
}

fn deferred(view: &View) -> Option<String> {
    let mails = mails(view.deferred?, "is deferred", "are deferred")?;
    Some(format!("{mails}: `mailshelf queue` says why; each pass tries again"))
}

fn badmail(view: &View) -> Option<String> {
    let mails = mails(view.badmail?, "stands in badmail", "stand in badmail")?;
    Some(format!(
        "{mails}: `mailshelf queue` says why, and `mailshelf queue retry` puts mail back into the drop"
    ))
}

fn left(view: &View) -> Option<String> {
    let left = view.replay_left.filter(|_| !view.replaying)?;
    let mails = mails(left, "that a replay has claimed waits", "that a replay has claimed wait")?;
    Some(format!("{mails}: `mailshelf queue` says why; the same replay goes on with it"))
}

fn given_up(view: &View) -> Option<String> {
    let mails = mails(view.replay_badmail?, "was given up by a replay", "were given up by a replay")?;
    Some(format!("{mails}: `mailshelf queue` says why, and `mailshelf queue retry ID` what to do"))
}

/// `None` if there are none.
fn mails(count: u64, one: &str, more: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 mail {one}")),
        _ => Some(format!("{count} mails {more}")),
    }
}

/// How long ago, as people say it.
pub fn ago(age: Duration) -> String {
    format!("{} ago", span(age))
}

/// A time in the unit that says enough, rounded down.
fn span(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..120 => format!("{seconds}s"),
        seconds @ ..7200 => format!("{}m", seconds / 60),
        seconds @ ..172_800 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_the_unit_that_says_enough() {
        let told =
            [0, 119, 120, 7199, 7200, 172_799, 172_800, 86_400 * 400].map(|s| span(Duration::from_secs(s)));
        assert_eq!(told, ["0s", "119s", "2m", "119m", "2h", "47h", "2d", "400d"]);
    }
}
