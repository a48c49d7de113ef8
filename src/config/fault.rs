//! Why a configuration is none, and where in the file that stands.

use std::io;
use std::path::{Path, PathBuf};

/// Why a configuration is none: file, place, reason, and the way out where one is known.
#[derive(Debug, thiserror::Error)]
#[error("configuration {}: {why}", file.display())]
pub struct ConfigError {
    file: PathBuf,
    pub(super) why: String,
    /// The way out.
    pub hint: Option<String>,
}

impl ConfigError {
    /// The file cannot be read.
    pub(super) fn unread(file: &Path, error: &io::Error) -> ConfigError {
        let missing = error.kind() == io::ErrorKind::NotFound;
        let hint = "`mailshelf init DIR --domain D` makes one; --config FILE names another";
        ConfigError {
            file: file.to_owned(),
            why: format!("cannot be read: {error}"),
            hint: missing.then(|| hint.to_owned()),
        }
    }
}

/// What is wrong, where (a byte offset, or a key that may stand in the file), and the way out.
pub(super) struct Fault {
    pub why: String,
    pub at: Option<usize>,
    pub keys: Vec<&'static str>,
    pub hint: Option<String>,
}

impl Fault {
    pub fn new(why: impl Into<String>) -> Fault {
        Fault { why: why.into(), at: None, keys: Vec::new(), hint: None }
    }

    pub fn at(mut self, at: usize) -> Fault {
        self.at = Some(at);
        self
    }

    /// Of the value of this key: that is where it stands, unless an earlier one does.
    pub fn of(mut self, key: &'static str) -> Fault {
        self.keys.push(key);
        self
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Fault {
        self.hint = Some(hint.into());
        self
    }

    /// As an error of this file.
    pub fn told(self, file: &Path, text: &str) -> ConfigError {
        let line = |at| text.get(..at).unwrap_or(text).matches('\n').count() + 1;
        let place = self.at.map(|at| format!("line {}: ", line(at))).unwrap_or_default();
        ConfigError { file: file.to_owned(), why: format!("{place}{}", self.why), hint: self.hint }
    }
}
