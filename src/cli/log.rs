//! What the program says on standard error beside its complaints: its log, and what a panic says. Both quote what
//! strangers wrote, in words that other crates choose, so nothing of them goes out as it is.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write};
use std::panic::PanicHookInfo;
use std::thread;

use mailshelf::escape::Escaped;

use super::complain;
use super::output::{Paint, Tone};

/// Standard error as the log writes to it: an event at a time, each a line.
pub struct Log;

impl Write for Log {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let line = line(&String::from_utf8_lossy(event), Paint::stderr());
        // Nobody is left to tell if this cannot be written.
        let _ = io::stderr().write_all(line.as_bytes());
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An event as a line: `TIME LEVEL where: what`, the level in its tone.
fn line(event: &str, paint: Paint) -> String {
    let event = event.strip_suffix('\n').unwrap_or(event);
    let levels = [("ERROR", Tone::Critical), ("WARN", Tone::Rejected)];
    let (time, rest) = event.split_once(' ').unwrap_or(("", event));
    let rest = rest.trim_start_matches(' ');
    let (level, rest) = rest.split_once(' ').unwrap_or(("", rest));
    let tone = levels.iter().find(|(word, _)| *word == level).map(|(_, tone)| *tone);
    let blanks = 5_usize.saturating_sub(level.len());
    let level = paint.text(tone, &Escaped(level).to_string());
    format!("{} {:blanks$}{level} {}\n", Escaped(time), "", Escaped(rest))
}

/// Says what a panic says: for [`std::panic::set_hook`].
pub fn panicked(panic: &PanicHookInfo<'_>) {
    let what = panic.payload_as_str().unwrap_or("no words");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = thread::current();
    let thread = thread.name().unwrap_or("without a name");
    let hint = "a fault of mailshelf itself; with RUST_BACKTRACE=1 it says where it came from";
    complain(&format!("thread {thread}: panic at {place}: {what}"), Some(hint));
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        let _ = writeln!(io::stderr(), "{trace}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_line_whatever_it_quotes() {
        let event = "2026-11-21T03:57:24.123456Z  WARN a::b: why=\u{1b}[2J\n2026 ERROR x\u{202e}\u{9b}\n";
        let told = "2026-11-21T03:57:24.123456Z  WARN a::b: why=\\u{1b}[2J\\n2026 ERROR x\\u{202e}\\u{9b}\n";
        assert_eq!(line(event, Paint::PLAIN), told);
        for odd in ["", "\n", "one", "two words\n", "\u{1b} \u{1b} \u{1b}"] {
            let told = line(odd, Paint::PLAIN);
            assert!(
                told.ends_with('\n') && !told.trim_end_matches('\n').contains(['\n', '\u{1b}']),
                "{odd:?}"
            );
        }
    }

    #[test]
    fn levels_stand_below_each_other_as_they_came() {
        for level in ["ERROR", " WARN", " INFO", "DEBUG", "TRACE"] {
            let event = format!("2026-11-21T03:57:24.123456Z {level} mailshelf::pass: x\n");
            assert_eq!(line(&event, Paint::PLAIN), event);
        }
    }
}
