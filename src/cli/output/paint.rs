//! Colour: sparse, on a terminal and nowhere else. The words stay; nothing is said by colour alone.

use std::ffi::OsStr;
use std::io::{self, IsTerminal};

use anstyle::{Ansi256Color, AnsiColor, Style};

/// What a word means to whoever looks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It was filed.
    Filed,
    /// It was filed before.
    Duplicate,
    /// It was refused, or a warning.
    Rejected,
    /// It waits.
    Deferred,
    /// It needs somebody: badmail, an error.
    Critical,
    /// What the others stand under.
    Heading,
    /// The way out.
    Hint,
}

impl Tone {
    /// The tone of an outcome's word, or of `badmail`; none for any other.
    pub fn of_outcome(word: &str) -> Option<Tone> {
        match word {
            "filed" => Some(Tone::Filed),
            "duplicate" => Some(Tone::Duplicate),
            "rejected" => Some(Tone::Rejected),
            "deferred" => Some(Tone::Deferred),
            "badmail" => Some(Tone::Critical),
            _ => None,
        }
    }

    /// None: bold, in whatever colour the terminal writes.
    fn colour(self) -> Option<AnsiColor> {
        match self {
            Tone::Filed => Some(AnsiColor::Green),
            Tone::Duplicate | Tone::Hint => Some(AnsiColor::Cyan),
            Tone::Rejected => Some(AnsiColor::Yellow),
            Tone::Deferred => Some(AnsiColor::Magenta),
            Tone::Critical => Some(AnsiColor::Red),
            Tone::Heading => None,
        }
    }
}

/// What a tone looks like on a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// In bold.
    Bold,
    /// In a colour of the 256 of a terminal, by its number.
    Colour(u8),
}

/// Paints, or leaves everything as it is.
#[derive(Clone, Copy, Debug)]
pub struct Paint(bool);

impl Paint {
    /// For JSON and whatever else is never painted.
    pub const PLAIN: Paint = Paint(false);

    /// What standard output bears.
    pub fn stdout() -> Paint {
        Paint::of(io::stdout().is_terminal())
    }

    /// What standard error bears.
    pub fn stderr() -> Paint {
        Paint::of(io::stderr().is_terminal())
    }

    /// Not a pipe, whatever the environment says, nor where `NO_COLOR` (no-color.org) or `TERM` asks for none. Decided
    /// before anything is painted, so nothing has to be taken off again.
    fn of(terminal: bool) -> Paint {
        let (no_color, term) = (std::env::var_os("NO_COLOR"), std::env::var_os("TERM"));
        Paint(terminal && is_wanted(no_color.as_deref(), term.as_deref()))
    }

    /// Whether anything is painted.
    pub fn is_on(self) -> bool {
        self.0
    }

    /// A text that is escaped already, in its tone.
    pub fn text(self, tone: Option<Tone>, text: &str) -> String {
        let Some(tone) = tone.filter(|_| self.0) else { return text.to_owned() };
        let style = match tone.colour() {
            Some(colour) => Style::new().fg_color(Some(colour.into())),
            None => Style::new().bold(),
        };
        format!("{style}{text}{style:#}")
    }

    /// How a text in a tone looks; `None`: as it is.
    pub fn look(self, tone: Option<Tone>) -> Option<Look> {
        let tone = tone.filter(|_| self.0)?;
        let colour = |colour| Look::Colour(Ansi256Color::from_ansi(colour).index());
        Some(tone.colour().map_or(Look::Bold, colour))
    }
}

fn is_wanted(no_color: Option<&OsStr>, term: Option<&OsStr>) -> bool {
    no_color.is_none_or(OsStr::is_empty) && term.is_some_and(|term| !term.is_empty() && term != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_may_ask_for_none() {
        for (no_color, term, wanted) in [
            (None, Some("xterm"), true),
            (Some(""), Some("xterm"), true),
            (Some("1"), Some("xterm"), false),
            (Some("0"), Some("xterm"), false),
            (None, Some("dumb"), false),
            (None, Some(""), false),
            (None, None, false),
        ] {
            assert_eq!(
                is_wanted(no_color.map(OsStr::new), term.map(OsStr::new)),
                wanted,
                "{no_color:?} {term:?}"
            );
        }
    }

    #[test]
    fn only_the_tone_is_put_around_the_text() {
        assert_eq!(Paint(true).text(Some(Tone::Filed), "filed"), "\u{1b}[32mfiled\u{1b}[0m");
        assert_eq!(Paint(true).text(Some(Tone::Heading), "id"), "\u{1b}[1mid\u{1b}[0m");
        assert_eq!(Paint(true).text(None, "filed"), "filed");
        assert_eq!(Paint::PLAIN.text(Some(Tone::Filed), "filed"), "filed");
    }

    #[test]
    fn every_outcome_has_its_tone() {
        let outcomes = mailshelf_storage::model::OutcomeKind::ALL.iter().map(|kind| kind.as_str());
        for word in outcomes.chain(["badmail"]) {
            assert!(Tone::of_outcome(word).is_some(), "{word}");
        }
        assert_eq!(Tone::of_outcome("Filed"), None);
    }
}
