//! What commands print: the same values as text for people and as JSON for scripts.

use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use comfy_table::{Attribute, Color, ContentArrangement, Table, presets};
use mailshelf::escape::{Escaped, json};
use mailshelf::record::words::Line;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use serde::Serialize;

use paint::Look;
pub use paint::{Paint, Tone};

mod paint;

/// Standard output, in the form that was asked for.
pub struct Output {
    json: bool,
    paint: Paint,
    closed: AtomicBool,
}

/// What becomes of a fault of printing. Whoever read our output and closed it has seen enough: that is no fault of the
/// command, whose exit code stands.
pub fn printed(error: io::Error) -> anyhow::Result<()> {
    match error.kind() {
        ErrorKind::BrokenPipe => Ok(()),
        _ => Err(anyhow::anyhow!("standard output: cannot write: {error}")),
    }
}

/// A value that people see as a row of a table, and scripts as an object.
pub trait Show: Serialize {
    /// The headings.
    const COLUMNS: &'static [&'static str];

    /// A cell for each of them, not yet escaped.
    fn row(&self) -> Vec<String>;

    /// The tone of the cell under a heading.
    fn tone(&self, _heading: &str) -> Option<Tone> {
        None
    }
}

impl Output {
    /// JSON or text.
    pub fn new(json: bool) -> Output {
        let paint = if json { Paint::PLAIN } else { Paint::stdout() };
        Output { json, paint, closed: AtomicBool::new(false) }
    }

    /// Whether it is JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Prints an object; to people, the lines of a text that is escaped already.
    pub fn value(&self, value: &impl Serialize, text: impl FnOnce() -> String) -> anyhow::Result<()> {
        if self.json { self.object(value) } else { self.line(&text()) }
    }

    /// Prints an object as a line of JSON.
    pub fn object(&self, value: &impl Serialize) -> anyhow::Result<()> {
        self.line(&json::to_string(value)?)
    }

    /// Prints a line of what is escaped already.
    pub fn line(&self, line: &str) -> anyhow::Result<()> {
        writeln!(io::stdout().lock(), "{line}").or_else(|error| {
            self.closed.fetch_or(error.kind() == ErrorKind::BrokenPipe, Ordering::Relaxed);
            printed(error)
        })
    }

    /// Whether whoever read our output has closed it: nobody misses what is not printed any more.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Waits, and no longer once the output is closed or a signal has come.
    pub fn wait(&self, at_most: Duration) -> anyhow::Result<()> {
        let stdout = io::stdout();
        // Nothing is asked for: what is told unasked is that nobody reads any more.
        let mut descriptors = [PollFd::new(&stdout, PollFlags::empty())];
        let timeout = Timespec::try_from(at_most)?;
        match poll(&mut descriptors, Some(&timeout)) {
            Ok(told) => {
                self.closed.fetch_or(told > 0, Ordering::Relaxed);
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(anyhow::anyhow!("standard output: cannot wait: {error}")),
        }
        Ok(())
    }

    /// A text that is escaped already, in a tone where the output bears one.
    pub fn paint(&self, tone: Option<Tone>, text: &str) -> String {
        self.paint.text(tone, text)
    }

    /// The same, filled up with blanks to a width in characters, which no tone counts for.
    pub fn padded(&self, tone: Option<Tone>, text: &str, width: usize) -> String {
        let room = width.saturating_sub(text.chars().count());
        format!("{}{:room$}", self.paint(tone, text), "")
    }

    /// Prints the lines of a mail below what they belong to.
    pub fn lines(&self, lines: &[Line]) -> anyhow::Result<()> {
        lines.iter().try_for_each(|line| {
            let outcome = self.padded(Tone::of_outcome(&line.outcome), &line.outcome, Line::OUTCOME);
            self.line(&format!("  {outcome}  {}", line.rest))
        })
    }

    /// Prints a list: a table, or a line of JSON for each. `none` is what people read where it is empty.
    pub fn list<T: Show>(&self, items: &[T], none: &str) -> anyhow::Result<()> {
        if self.json {
            return items.iter().try_for_each(|item| self.object(item));
        }
        if items.is_empty() {
            return self.line(none);
        }
        let mut table = Table::new();
        // A cell is never wrapped, nor cut: people copy paths and ids from here.
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        if self.paint.is_on() {
            table.enforce_styling().style_text_only();
        } else {
            table.force_no_tty();
        }
        table.set_header(T::COLUMNS.iter().map(|heading| self.cell(Some(Tone::Heading), heading)));
        for item in items {
            let cells = T::COLUMNS.iter().zip(item.row());
            let cells = cells.map(|(heading, cell)| (item.tone(heading), Escaped(&cell).to_string()));
            table.add_row(cells.map(|(tone, cell)| self.cell(tone, &cell)));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        self.line(&table.trim_fmt())
    }

    /// A cell of a table. Its width is that of the text, whatever its tone.
    fn cell(&self, tone: Option<Tone>, text: &str) -> comfy_table::Cell {
        let cell = comfy_table::Cell::new(text);
        match self.paint.look(tone) {
            Some(Look::Bold) => cell.add_attribute(Attribute::Bold),
            Some(Look::Colour(number)) => cell.fg(Color::AnsiValue(number)),
            None => cell,
        }
    }

    /// Prints one value: its headings and cells below each other, or its object.
    pub fn show<T: Show>(&self, item: &T) -> anyhow::Result<()> {
        if self.json {
            return self.object(item);
        }
        let width = T::COLUMNS.iter().map(|heading| heading.len()).max().unwrap_or(0);
        let rows = T::COLUMNS.iter().zip(item.row());
        rows.into_iter().try_for_each(|(heading, cell)| {
            let cell = self.paint(item.tone(heading), &Escaped(&cell).to_string());
            self.line(&format!("{}  {cell}", self.padded(Some(Tone::Heading), heading, width)))
        })
    }
}
