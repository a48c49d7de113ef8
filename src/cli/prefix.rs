//! Mails and removals are named by their ids, or by the beginning of one.

use std::fmt::Display;

use mailshelf_storage::DeliveryId;

use super::wrong;

/// The shortest beginning of an id that names anything: ids of one second share more.
const SHORTEST: usize = 8;

/// The one mail whose id begins as `named` does, among those that `begin` gives for that; `None` if there is none. `hint`
/// says where ids are seen.
pub fn find(
    named: &str,
    hint: &str,
    begin: impl FnOnce(&str) -> anyhow::Result<Vec<DeliveryId>>,
) -> anyhow::Result<Option<DeliveryId>> {
    if named.len() < SHORTEST {
        let why = format!("an id has 26 characters, and {SHORTEST} of them must be named");
        return Err(wrong(format!("mail {named}: {why}"), Some(hint.to_owned())));
    }
    only("mail", named, begin)
}

/// The same of whatever `what` is. What is too short for an id is none.
pub fn only<I: Copy + Display>(
    what: &str,
    named: &str,
    begin: impl FnOnce(&str) -> anyhow::Result<Vec<I>>,
) -> anyhow::Result<Option<I>> {
    if named.len() < SHORTEST {
        return Ok(None);
    }
    match begin(&named.to_ascii_uppercase())?.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        [one, other, ..] => {
            let hint = format!("name more of it: {one} or {other}, for example");
            Err(wrong(format!("{what} {named}: several ids begin like that"), Some(hint)))
        }
    }
}
