//! What commands print: the same values as text for people and as JSON for scripts.

use std::io::{self, ErrorKind, Write};

use comfy_table::{ContentArrangement, Table, presets};
use mailshelf::escape::Escaped;
use serde::Serialize;

/// Standard output, in the form that was asked for.
pub struct Output {
    json: bool,
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
}

impl Output {
    /// JSON or text.
    pub fn new(json: bool) -> Output {
        Output { json }
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
        self.line(&serde_json::to_string(value)?)
    }

    /// Prints a line of what is escaped already.
    pub fn line(&self, line: &str) -> anyhow::Result<()> {
        writeln!(io::stdout().lock(), "{line}").or_else(printed)
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
        table.set_header(T::COLUMNS);
        for item in items {
            table.add_row(item.row().iter().map(|cell| Escaped(cell).to_string()));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        self.line(&table.trim_fmt())
    }

    /// Prints one value: its headings and cells below each other, or its object.
    pub fn show<T: Show>(&self, item: &T) -> anyhow::Result<()> {
        if self.json {
            return self.object(item);
        }
        let width = T::COLUMNS.iter().map(|heading| heading.len()).max().unwrap_or(0);
        let rows = T::COLUMNS.iter().zip(item.row());
        rows.into_iter()
            .try_for_each(|(heading, cell)| self.line(&format!("{heading:width$}  {}", Escaped(&cell))))
    }
}
