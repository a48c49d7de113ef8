//! The probe: a short-lived process that is not confined, and tries for the one that serves whether another could go on
//! with the configuration as it is now. It opens all of it and lets go of it; its exit code and output are the answer.

use std::io::Write;

use mailshelf::service::NotProven;

use super::keeper::Line;
use super::{Context, DONE, has_catalog, said};
use crate::cli::{FAILED, WRONG, open};

/// Tries it. Prints what is wrong, and behind a NUL the way out where it is told by itself.
pub fn run(context: &Context) -> anyhow::Result<u8> {
    let Err(NotProven { why, hint, may_pass }) = prove(context) else { return Ok(DONE) };
    let hint = hint.map(|hint| format!("\0{hint}")).unwrap_or_default();
    std::io::stdout().write_all(format!("{why}{hint}").as_bytes())?;
    Ok(if may_pass { FAILED } else { WRONG })
}

fn prove(context: &Context) -> Result<(), NotProven> {
    let wrong = |error| NotProven { why: said(&error), hint: None, may_pass: false };
    let config = context.config_of_ours().map_err(wrong)?;
    has_catalog(&config).map_err(wrong)?;
    let site = open(config).map_err(wrong)?;
    site.open_drop().map(|_| ()).map_err(NotProven::from)
}

/// Has the keeper start a probe, and tells what it has found.
pub fn ask(line: &Line) -> Result<(), NotProven> {
    let (code, printed) = line.probe();
    if code == DONE {
        return Ok(());
    }
    let printed = String::from_utf8_lossy(&printed);
    let (why, hint) = match printed.split_once('\0') {
        Some((why, hint)) => (why, Some(hint.to_owned())),
        None => (printed.as_ref(), None),
    };
    Err(NotProven { why: why.to_owned(), hint, may_pass: code == FAILED })
}
