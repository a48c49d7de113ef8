//! Sizes and times as people write them.

use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error};

/// Bytes: a whole number followed by nothing, `KiB`, `MiB` or `GiB`.
pub struct Size(pub u64);

/// A time: a whole number followed by `s`, `m`, `h` or `d`.
pub struct Span(pub Duration);

/// A whole number and the unit after it, multiplied.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let factor = units.iter().find(|(name, _)| *name == unit.trim_start())?.1;
    number.parse::<u64>().ok()?.checked_mul(factor)
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Size, D::Error> {
        let text = String::deserialize(deserializer)?;
        scaled(&text, &[("", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)])
            .map(Size)
            .ok_or_else(|| D::Error::custom(format!("{text:?} is no size; one looks like \"64MiB\"")))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Span, String> {
        scaled(text, &[("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)])
            .map(|seconds| Span(Duration::from_secs(seconds)))
            .ok_or_else(|| format!("{text:?} is no time; one looks like \"2s\" or \"30d\""))
    }
}
