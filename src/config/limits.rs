//! `[limits]`, checked.

use super::raw::RawLimits;
use super::{Fault, Limits};

/// The largest limit: what may have to stand in memory as a whole.
const LARGEST: u64 = 4 << 30;

/// Every limit within its bounds, and extensions as names are compared with them.
pub fn check(raw: &RawLimits) -> Result<Limits, Fault> {
    let number = |value: i64, most: usize, key: &'static str| {
        let fits = usize::try_from(value).ok().filter(|value| (1..=most).contains(value));
        fits.ok_or_else(|| Fault::new(format!("{key} is a number from 1 to {most}")).of(key))
    };
    let size = |size: u64, key: &'static str| match (1..=LARGEST).contains(&size) {
        true => Ok(size),
        false => Err(Fault::new(format!("{key} is a size from 1 byte to 4GiB")).of(key)),
    };
    Ok(Limits {
        blocked_types: raw.blocked_types.iter().map(|text| extension(text)).collect::<Result<_, _>>()?,
        message: size(raw.message.0, "limits.message")?,
        attachment: size(raw.attachment.0, "limits.attachment")?,
        parts: number(raw.parts, 10_000, "limits.parts")?,
        depth: number(raw.depth, 100, "limits.depth")?,
    })
}

/// The longest extension, in characters.
const EXTENSION: usize = 32;

/// An extension as names are compared with it.
fn extension(text: &str) -> Result<String, Fault> {
    let extension = text.strip_prefix('.').unwrap_or(text).to_ascii_lowercase();
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-+$!".contains(c);
    let sound = (1..=EXTENSION).contains(&extension.len()) && extension.chars().all(plain);
    if sound && !extension.starts_with('.') && !extension.ends_with('.') {
        return Ok(extension);
    }
    let fault =
        Fault::new(format!("limits.blocked_types: {text:?} is no extension")).of("limits.blocked_types");
    Err(fault.hint("name what stands behind the last dot: blocked_types = [\"exe\", \"js\", \"tar.gz\"]"))
}
