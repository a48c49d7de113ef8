//! `mailshelf explain`: what would become of a mail, and why.

use std::fmt::Write;
use std::path::PathBuf;

use mailshelf::drop::Format;
use mailshelf::escape::Escaped;
use mailshelf::explain::{self, ExplainError, Explanation, Recipient, Request, Step};
use mailshelf::pass::patience::Patience;
use mailshelf::pass::proof::Prover;
use mailshelf::record::words::SenderRecord;
use mailshelf_storage::Address;

use super::{Context, DONE, wrong};

/// Tell what would become of a mail, step by step and why; nothing is changed
///
/// FILE may stand in the drop, in a claim folder, among what was kept aside, or anywhere else. It is read as the mail
/// of the drop is, and judged by the settings, rights and documents of this moment. Where `[sender] verify` is on and the
/// verdict hangs on a signature, DNS is asked for keys and policies, as in a pass.
#[derive(clap::Args)]
#[command(after_help = "Exit code 0 whatever would become of it.\n\
                        Example: mailshelf explain drop/15ed460901d0b89c00000008.eml")]
pub struct Explain {
    /// The mail
    file: PathBuf,
    /// Whom it goes to, where it names no recipient itself; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    to: Vec<Address>,
    /// How it is read, if not as the mail of the drop
    #[arg(long, value_name = "folder|maildir", value_parser = format)]
    format: Option<Format>,
}

fn format(text: &str) -> Result<Format, String> {
    let of = [Format::Folder, Format::Maildir].into_iter().find(|format| format.as_str() == text);
    of.ok_or_else(|| "a format is one of folder maildir".to_owned())
}

/// Lines are not longer than this, in characters, where words let us break them.
const WIDTH: usize = 100;

impl Explain {
    pub fn run(self, context: &Context) -> anyhow::Result<u8> {
        let site = context.look()?;
        let reader = site.catalog.read()?;
        let prover =
            Prover::with(site.verifier.as_ref(), &*site.catalog, &site.config, None, Patience::with_new());
        let request = Request { file: &self.file, format: self.format, to: &self.to };
        let explanation =
            explain::explain(&site.config, &*reader, &prover, &request).map_err(|error| match error {
                ExplainError::File { ref hint, .. } => wrong(&error, hint.clone()),
                ExplainError::Storage(error) => error.into(),
                ExplainError::Thread(_) => error.into(),
            })?;
        context.out.value(&explanation, || text(&explanation))?;
        Ok(DONE)
    }
}

fn text(explanation: &Explanation) -> String {
    let mut text = String::new();
    line(&mut text, "", 4, &headline(explanation));
    for note in &explanation.notes {
        line(&mut text, "note: ", 6, note);
    }
    explanation.stages.iter().for_each(|step| add(&mut text, step));
    if let Some(error) = &explanation.error {
        let state = if explanation.badmail { "badmail" } else { "deferred" };
        line(&mut text, "  ⇒ ", 4, &format!("{state}: {error}"));
    }
    for recipient in &explanation.recipients {
        let address = &recipient.record.address;
        let whom = if address.is_empty() {
            "For nobody (no recipient)".to_owned()
        } else {
            format!("For {address}")
        };
        line(&mut text, "", 4, &whom);
        recipient.steps.iter().for_each(|step| add(&mut text, step));
        line(&mut text, "  ⇒ ", 4, &verdict(recipient, &explanation.sender));
    }
    add(&mut text, &explanation.disposal.step);
    text.truncate(text.trim_end().len());
    text
}

fn headline(explanation: &Explanation) -> String {
    let Some(message) = &explanation.message else { return explanation.file.clone() };
    let subject =
        message.subject.as_deref().map_or("no subject".to_owned(), |subject| format!("“{subject}”"));
    let from = message.from.as_deref().unwrap_or("nobody");
    format!("{}: {subject} from {from}", explanation.file)
}

fn verdict(recipient: &Recipient, mail: &SenderRecord) -> String {
    let record = &recipient.record;
    let mut verdict = record.outcome.clone();
    if let (Some(library), Some(by)) = (&record.library, &record.created_by) {
        // Writing to a String cannot fail.
        let _ = write!(verdict, " in {library}, by {by}{}", record.mark(mail));
    }
    for more in [record.reason.as_deref(), recipient.meaning].into_iter().flatten() {
        let _ = write!(verdict, ": {more}");
    }
    verdict
}

fn add(text: &mut String, step: &Step) {
    let start = format!("  {} {:<11}{:<35}", step.stage.number(), step.stage.as_str(), step.question);
    let indent = start.chars().count();
    let Some((lead, items)) = &step.list else { return line(text, &start, indent, &step.answer) };
    line(text, &start, indent, lead);
    let start = format!("{:indent$}- ", "");
    items.iter().for_each(|item| line(text, &start, indent + 2, item));
}

/// Adds `start` and what a stranger may have had a hand in, broken between words and indented from the second line on.
fn line(text: &mut String, start: &str, indent: usize, words: &str) {
    text.push_str(start);
    let mut column = start.chars().count();
    let mut is_first = true;
    for word in Escaped(words).to_string().split(' ') {
        let length = word.chars().count();
        if !is_first && column + 1 + length > WIDTH {
            let _ = write!(text, "\n{:indent$}", "");
            column = indent;
        } else if !is_first {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
        is_first = false;
    }
    text.push('\n');
}
