//! Whether a command that files mail is confined, and what it says of that.

use mailshelf::confine::{Confinement, Reach, verdict};
use mailshelf::pass;

use super::{failed, wrong};

pub use mailshelf::confine::Free;

/// The way out, for whom it keeps from filing mail.
const VARIABLE: &str = "MAILSHELF_CONFINE";

/// Whether this process is to be confined and can be: unless `MAILSHELF_CONFINE` says `off`, wherever the kernel can.
pub fn wanted() -> anyhow::Result<Result<(), Free>> {
    let said = std::env::var_os(VARIABLE).unwrap_or_default();
    match said.to_string_lossy().as_ref() {
        "" | "on" => Ok(verdict(true)),
        "off" => Ok(verdict(false)),
        other => Err(wrong(
            format!("{VARIABLE} {other}: it is on or off"),
            Some("without it, whoever files mail is confined wherever the kernel can".to_owned()),
        )),
    }
}

/// Confines this process if it is to be and can be. A timer calls some commands each minute: that it cannot be is
/// nothing to tell each time, and `mailshelf status` tells it.
pub fn enter(reach: impl FnOnce() -> Reach) -> anyhow::Result<Confinement> {
    match wanted()? {
        Ok(()) => now(reach()),
        Err(free) => {
            tracing::info!(why = words(Err(free)), "not confined");
            Ok(Confinement::none())
        }
    }
}

/// Confines this process.
pub fn now(reach: Reach) -> anyhow::Result<Confinement> {
    // Asked of files that are out of reach afterwards.
    pass::workers();
    Confinement::enter(reach).map_err(|error| {
        let hint = format!("{VARIABLE}=off in the environment does without");
        failed(format!("confinement by Landlock: {error}"), hint)
    })
}

/// The same for a program.
pub fn token(verdict: Result<(), Free>) -> &'static str {
    match verdict {
        Ok(()) => "landlock",
        Err(Free::Asked) => "off",
        Err(Free::Unable) => "none",
    }
}

/// What whoever looks after the site should know.
pub fn words(verdict: Result<(), Free>) -> &'static str {
    match verdict {
        Ok(()) => "by Landlock",
        Err(Free::Asked) => "off, as MAILSHELF_CONFINE says",
        Err(Free::Unable) => {
            "none: this kernel has no Landlock of ABI 2 (Linux 5.19) or later, or has it switched off"
        }
    }
}
