//! Wrong usage, told as every other error is: a line that says what is wrong, then the way out.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use mailshelf::escape::Escaped;

use super::{DONE, FAILED, WRONG, complain, output};

/// Says what clap has to say: help and version on standard output, or on standard error what is wrong.
pub fn report(mut error: clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let printed = write!(io::stdout(), "{}", error.render()).or_else(output::printed);
        return ExitCode::from(match printed {
            Ok(()) => DONE,
            Err(error) => {
                complain(&format!("{error:#}"), None);
                FAILED
            }
        });
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        complain("no command is given", Some("here are those there are"));
        // Nobody is left to tell if this cannot be written.
        let _ = write!(io::stderr(), "\n{}", error.render());
        return ExitCode::from(WRONG);
    }
    escape_arguments(&mut error);
    let told = Told::read(&error.render().to_string());
    complain(&told.what, Some(&told.hint));
    if let Some(usage) = told.usage {
        let _ = writeln!(io::stderr(), "\n{usage}");
    }
    ExitCode::from(WRONG)
}

/// What was typed may hold line ends, and would take the message apart.
fn escape_arguments(error: &mut clap::Error) {
    let typed: Vec<_> = error
        .context()
        .filter_map(|(kind, value)| match (kind, value) {
            (ContextKind::Usage, _) => None,
            (kind, ContextValue::String(text)) => {
                Some((kind, ContextValue::String(Escaped(text).to_string())))
            }
            _ => None,
        })
        .collect();
    for (kind, value) in typed {
        error.insert(kind, value);
    }
}

/// clap's message, taken apart.
struct Told {
    what: String,
    hint: String,
    usage: Option<String>,
}

impl Told {
    fn read(text: &str) -> Told {
        let text = text.strip_prefix("error: ").unwrap_or(text);
        let (text, _) = text.rsplit_once("\n\nFor more information").unwrap_or((text, ""));
        let (text, usage) = match text.rsplit_once("\n\nUsage: ") {
            Some((text, usage)) => (text, Some(usage.trim_end())),
            None => (text, None),
        };
        let (what, tip) = text.split_once("\n\n  tip: ").unwrap_or((text, ""));
        let command: Vec<_> =
            usage.unwrap_or("mailshelf").split(' ').take_while(|word| is_name(word)).collect();
        let help = format!("`{} --help` tells more", command.join(" "));
        let hint = if tip.is_empty() { help } else { format!("{}; {help}", one_line(tip)) };
        Told { what: one_line(what), hint, usage: usage.map(|usage| format!("Usage: {usage}")) }
    }
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic())
}

fn one_line(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join(" ")
}
