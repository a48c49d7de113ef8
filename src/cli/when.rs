//! Times on the command line: `2h`, `yesterday`, `2026-11-21 10:00`.

use jiff::civil::DateTime;
use jiff::fmt::friendly::SpanParser;
use jiff::tz::TimeZone;
use jiff::{SpanRelativeTo, Timestamp, ToSpan};

/// What the help of an option says of them.
pub const FORMS: &str = "A TIME is so long ago (2h, 90m, 1h30m, 3d, 1w), now, today, yesterday (midnight), or a date (2026-11-21,\n\
                         2026-11-21T10:00, with Z or an offset such as +02:00 if need be). Without an offset it is UTC.";

/// The moment that a text means, seen from `now`: so long before it (`2h`, `2 hours ago`; a day is 24 hours), a day's
/// first moment, or a date and a time of day (RFC 3339, the offset, the seconds and the time of day left out at will).
/// Without an offset it is UTC. What is taken for neither is refused, never half understood.
pub fn parse(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let text = text.trim();
    let today = || TimeZone::UTC.to_datetime(now).date().to_datetime(jiff::civil::Time::midnight());
    let found = match text {
        "now" => Some(now),
        "today" => utc(today()),
        "yesterday" => today().checked_sub(1.day()).ok().and_then(utc),
        _ if is_date(text) => date(text),
        _ => ago(text, now),
    };
    found.ok_or_else(|| {
        format!(
            "{text:?} is no time; one looks like 2h, 90m, 3d, 1w, 1h30m, now, today, yesterday, 2026-11-21, \
             2026-11-21T10:00 or 2026-11-21T10:00:00+02:00"
        )
    })
}

/// The same seen from this moment: what clap calls.
pub fn before_now(text: &str) -> Result<Timestamp, String> {
    parse(text, Timestamp::now())
}

fn utc(civil: DateTime) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(civil).ok()
}

/// Four digits and a hyphen begin a date, and no duration.
fn is_date(text: &str) -> bool {
    let (year, rest) = text.as_bytes().split_at_checked(4).unwrap_or_default();
    year.len() == 4 && year.iter().all(u8::is_ascii_digit) && rest.starts_with(b"-")
}

/// A date without an offset is only read as one if nothing in it could be an offset, a zone or a calendar: what a
/// parser of civil times passes over would be hours lost.
fn date(text: &str) -> Option<Timestamp> {
    let plain = |c: char| c.is_ascii_digit() || ":.".contains(c);
    let (day, time) = text.split_once(['T', 't', ' ']).unwrap_or((text, "00:00"));
    let is_day = day.len() == 10 && day.chars().all(|c| c.is_ascii_digit() || c == '-');
    match time {
        _ if !is_day || text.contains('[') => None,
        _ if time.chars().all(plain) => format!("{day}T{time}").parse().ok().and_then(utc),
        _ => format!("{day}T{time}").parse().ok(),
    }
}

/// Without a sign, without a clock (`10:00:00` is a time of day to most), and in no unit whose length varies.
fn ago(text: &str, now: Timestamp) -> Option<Timestamp> {
    let text = text.strip_suffix("ago").map_or(text, str::trim_end);
    if !text.starts_with(|c: char| c.is_ascii_digit()) || text.contains(':') || text.ends_with("ago") {
        return None;
    }
    let span = SpanParser::new().parse_span(text).ok()?;
    let long = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    now.checked_sub(long).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-21T10:20:30.456Z";

    #[track_caller]
    fn means(text: &str, moment: &str) {
        let found = parse(text, NOW.parse().unwrap()).map(|found| found.to_string());
        assert_eq!(found.as_deref(), Ok(moment), "{text}");
    }

    #[test]
    fn so_long_ago() {
        for (text, moment) in [
            ("2h", "2026-11-21T08:20:30.456Z"),
            ("2 hours", "2026-11-21T08:20:30.456Z"),
            ("2h ago", "2026-11-21T08:20:30.456Z"),
            ("2 hours ago", "2026-11-21T08:20:30.456Z"),
            (" 2h ", "2026-11-21T08:20:30.456Z"),
            ("90m", "2026-11-21T08:50:30.456Z"),
            ("1h30m", "2026-11-21T08:50:30.456Z"),
            ("1h 30m", "2026-11-21T08:50:30.456Z"),
            ("1.5h", "2026-11-21T08:50:30.456Z"),
            ("30s", "2026-11-21T10:20:00.456Z"),
            ("3d", "2026-11-18T10:20:30.456Z"),
            ("1w", "2026-11-14T10:20:30.456Z"),
            ("1w2d", "2026-11-12T10:20:30.456Z"),
            ("0s", NOW),
        ] {
            means(text, moment);
        }
    }

    #[test]
    fn days_by_name_begin_at_midnight() {
        means("now", NOW);
        means("today", "2026-11-21T00:00:00Z");
        means("yesterday", "2026-11-20T00:00:00Z");
    }

    #[test]
    fn dates_are_utc_unless_they_say_otherwise() {
        for (text, moment) in [
            ("2026-11-21", "2026-11-21T00:00:00Z"),
            ("2026-11-21T10", "2026-11-21T10:00:00Z"),
            ("2026-11-21T10:00", "2026-11-21T10:00:00Z"),
            ("2026-11-21 10:00", "2026-11-21T10:00:00Z"),
            ("2026-11-21t10:00", "2026-11-21T10:00:00Z"),
            ("2026-11-21T10:00:05.123", "2026-11-21T10:00:05.123Z"),
            ("2026-11-21T10:00:05Z", "2026-11-21T10:00:05Z"),
            ("2026-11-21 10:00z", "2026-11-21T10:00:00Z"),
            ("2026-11-21T10:00+02:00", "2026-11-21T08:00:00Z"),
            ("2026-11-21 10:00:05-05:30", "2026-11-21T15:30:05Z"),
            ("1600-02-29", "1600-02-29T00:00:00Z"),
        ] {
            means(text, moment);
        }
    }

    #[test]
    fn what_is_no_time_is_refused_with_those_there_are() {
        for text in [
            "",
            "soon",
            "2",
            "h",
            "2x",
            "-2h",
            "+2h",
            "2h ago ago",
            "PT2H",
            "10:00:00",
            "10:00",
            "1mo",
            "1y",
            "1M",
            "999999999999d",
            "99999999999999999999999999h",
            "1999999w",
            "2026",
            "2026-11",
            "2026-13-01",
            "2026-11-31",
            "2026-02-29",
            "2026-11-21T",
            "2026-11-21T25:00",
            "2026-11-21T10:00 UTC",
            "2026-11-21T10:00[Europe/Berlin]",
            "2026-11-21T10:00+02:00[Europe/Berlin]",
            "2026-11-21[u-ca=hebrew]",
            "2026-11-21+02:00",
            "2026-11-21Z",
            "20261121",
            "2026-W47-6",
            "9999-12-31T23:59-12:00",
            "12026-11-21",
            "２h",
            "yesterday 10:00",
        ] {
            let refused = parse(text, NOW.parse().unwrap()).unwrap_err();
            assert!(refused.starts_with(&format!("{text:?} is no time; ")), "{text}: {refused}");
            assert!(refused.contains("yesterday") && refused.contains("2026-11-21T10:00"), "{refused}");
        }
    }

    #[test]
    fn before_time_began_is_refused_too() {
        let first = Timestamp::MIN;
        assert!(parse("1s", first).is_err());
        assert!(parse("yesterday", first).is_err());
        assert_eq!(parse("now", first), Ok(first));
    }
}
