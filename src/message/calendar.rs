//! What a `text/calendar` part is about: UID, SEQUENCE and DTSTAMP of its first component (RFC 5545 section 3.6).
//!
//! For the record alone: nothing is decided by it. So what is odd is passed over, and no more than the beginning is read.

use std::borrow::Cow;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use mailshelf_storage::model::Calendar;

use super::words::guess;

/// An invitation has these fields near its beginning; its time zones, which come before them, are seldom long.
const READ: usize = 256 << 10;
/// Of a value no more is kept.
const LONGEST: usize = 4096;

/// Reads the beginning of a calendar.
pub fn read(bytes: &[u8]) -> Calendar {
    let bytes = bytes.get(..READ).unwrap_or(bytes);
    let mut calendar = Calendar::default();
    // Components that stand open, from the one that the fields are of.
    let mut depth = 0_usize;
    let mut zones = 0_usize;
    for line in lines(bytes) {
        let Some((name, value)) = property(&line) else { continue };
        let is_zone = value.eq_ignore_ascii_case(b"VTIMEZONE");
        if name.eq_ignore_ascii_case(b"BEGIN") {
            match (depth, zones) {
                (0, 0) if value.eq_ignore_ascii_case(b"VCALENDAR") => {}
                (0, _) if zones > 0 || is_zone => zones += 1,
                _ => depth += 1,
            }
        } else if name.eq_ignore_ascii_case(b"END") {
            match (depth, zones) {
                // The component has ended; what it does not say nobody else says of it.
                (1, _) => break,
                (0, _) => zones = zones.saturating_sub(1),
                _ => depth -= 1,
            }
        } else if depth == 1 {
            take(&mut calendar, name, value);
        }
    }
    calendar
}

/// The first of each counts.
fn take(calendar: &mut Calendar, name: &[u8], value: &[u8]) {
    let text = || guess(value.get(..LONGEST).unwrap_or(value));
    if name.eq_ignore_ascii_case(b"UID") {
        calendar.uid.get_or_insert_with(|| unescaped(text().trim()));
    } else if name.eq_ignore_ascii_case(b"SEQUENCE") {
        calendar.sequence = calendar.sequence.or_else(|| text().trim().parse().ok());
    } else if name.eq_ignore_ascii_case(b"DTSTAMP") {
        // In UTC always (section 3.8.7.2).
        let stamp = DateTime::strptime("%Y%m%dT%H%M%SZ", text().trim()).ok();
        let stamp = stamp.and_then(|stamp| TimeZone::UTC.to_timestamp(stamp).ok());
        calendar.stamp = calendar.stamp.or(stamp);
    }
}

/// Content lines, unfolded: one that begins with a blank or a tab goes on with the one before (section 3.1).
fn lines(bytes: &[u8]) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let mut whole = Cow::Borrowed(next_line(&mut rest)?);
        while let Some(b' ' | b'\t') = rest.first() {
            let more = next_line(&mut rest)?;
            whole.to_mut().extend(more.iter().skip(1));
        }
        Some(whole)
    })
}

fn next_line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    if rest.is_empty() {
        return None;
    }
    let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    let (line, after) = rest.split_at(end);
    *rest = after.get(1..).unwrap_or_default();
    Some(line.strip_suffix(b"\r").unwrap_or(line))
}

/// Name and value of `NAME;PARAMETER="a:b":value`.
fn property(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut quoted = false;
    let colon = line.iter().position(|&byte| {
        quoted ^= byte == b'"';
        byte == b':' && !quoted
    })?;
    let (before, value) = line.split_at(colon);
    let name = before.split(|&byte| byte == b';').next()?;
    Some((name.trim_ascii(), value.get(1..)?.trim_ascii()))
}

/// A value of the type TEXT (section 3.3.11).
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => plain.push('\n'),
                Some(other) => plain.push(other),
                None => plain.push('\\'),
            },
            _ => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (Option<String>, Option<u32>, Option<String>) {
        let Calendar { uid, sequence, stamp } = read(text.as_bytes());
        (uid, sequence, stamp.map(|stamp| stamp.to_string()))
    }

    const INVITATION: &str = "BEGIN:VCALENDAR\r\nPRODID:-//X//EN\r\nMETHOD:REQUEST\r\n\
        BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nUID:of-the-zone\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\n\
        END:STANDARD\r\nEND:VTIMEZONE\r\n\
        BEGIN:VEVENT\r\nDTSTAMP:20261121T040506Z\r\nORGANIZER;CN=\"a:b\":mailto:a@x.org\r\n\
        BEGIN:VALARM\r\nUID:of-the-alarm\r\nSEQUENCE:99\r\nEND:VALARM\r\n\
        UID;X-P=\"UID:no\":040000008200E00074C5B7101A82E008\r\n 0000@x\\,y.org\r\nSEQUENCE:3\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:another\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    #[test]
    fn an_invitation_is_read() {
        let expected = (
            Some("040000008200E00074C5B7101A82E0080000@x,y.org".to_owned()),
            Some(3),
            Some("2026-11-21T04:05:06Z".to_owned()),
        );
        assert_eq!(of(INVITATION), expected);
        assert_eq!(of(&INVITATION.replace("\r\n", "\n")), expected, "without carriage returns");
        assert_eq!(of(&INVITATION.to_lowercase()).1, Some(3), "names without regard to case");
    }

    #[test]
    fn what_is_odd_is_passed_over() {
        let event = |lines: &str| of(&format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{lines}"));
        assert_eq!(
            event("SEQUENCE:-1\nSEQUENCE:x\nDTSTAMP:20261121\nDTSTAMP:20269921T000000Z\n"),
            (None, None, None)
        );
        assert_eq!(event("DTSTAMP:20261121T040506\n").2, None, "of which time nobody knows");
        assert_eq!(
            event("no colon\nUID:a\nUID:b\nEND:VEVENT\nSEQUENCE:1"),
            (Some("a".to_owned()), None, None)
        );
        assert_eq!(event("UID:a\\\\b\\nc\\").0.as_deref(), Some("a\\b\nc\\"));
        assert_eq!(of("UID:of-no-component\n"), (None, None, None));
        assert_eq!(of("END:VEVENT\nEND:VCALENDAR\n \nBEGIN:VEVENT\n \nUID:x").0.as_deref(), Some("x"));
        for text in ["", "\n", " ", ":", "BEGIN:", "BEGIN:VTIMEZONE\nUID:x"] {
            assert_eq!(of(text), (None, None, None), "{text:?}");
        }
    }

    #[test]
    fn long_ones_cost_little() {
        let folded = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:{}", "x\n ".repeat(1 << 20));
        assert_eq!(of(&folded).0.map(|uid| uid.len()), Some(LONGEST));
        of(&"BEGIN:VEVENT\n".repeat(1 << 20));
        of(&"BEGIN:VTIMEZONE\n".repeat(1 << 20));
    }
}
