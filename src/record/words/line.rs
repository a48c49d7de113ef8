//! What is said of one mail in lines: to people, fit for a terminal.

use std::collections::HashMap;
use std::fmt::{self, Write};

use mailshelf_storage::model::Level;

use super::{MailRecord, RecipientRecord, SenderRecord};
use crate::escape::Escaped;

/// A line on a mail. Whoever prints it may give the outcome a colour of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// An outcome, or `badmail`; `flawed` before what is the matter with the mail above.
    pub outcome: String,
    /// The rest, escaped.
    pub rest: String,
}

impl Line {
    /// The width of the longest outcome, in characters: what all of them are filled up to.
    pub const OUTCOME: usize = 9;
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<width$}  {}", self.outcome, self.rest, width = Line::OUTCOME)
    }
}

impl MailRecord {
    /// A line for each recipient: what became of it, where, and whose it was; and one if something is the matter with it.
    pub fn lines(&self) -> Vec<Line> {
        let from = self.from.as_deref().unwrap_or("nobody");
        let subject = self.subject.as_deref().unwrap_or("(no subject)");
        let whose = format!("{} from {}", Escaped(subject), Escaped(from));
        if let (Some(error), true) = (&self.error, self.recipients.is_empty()) {
            let state = if self.badmail { "badmail" } else { "deferred" };
            let rest = format!("{}: {}", Escaped(&self.file), Escaped(error));
            return vec![Line { outcome: state.to_owned(), rest }];
        }
        let line = |recipient: &RecipientRecord| Line {
            outcome: Escaped(&recipient.outcome).to_string(),
            rest: format!("{}  [{whose}]", recipient.text(&self.sender)),
        };
        self.recipients.iter().map(line).chain(self.flawed()).collect()
    }
}

impl MailRecord {
    /// The first of its flaws, and whether there are more.
    fn flawed(&self) -> Option<Line> {
        let (first, more) = self.flaws.split_first()?;
        let more = if more.is_empty() { "" } else { "; and more" };
        Some(Line { outcome: "flawed".to_owned(), rest: format!("{}{more}", Escaped(first)) })
    }
}

impl RecipientRecord {
    /// The paths of its documents, with the version where it is not the first.
    fn paths(&self) -> Vec<String> {
        let versions: HashMap<_, _> = self.versions.iter().map(|one| (&one.path, one.version)).collect();
        let told = |path: &String| match versions.get(path) {
            Some(version) => format!("{path} (version {version})"),
            None => path.clone(),
        };
        self.documents.iter().map(told).collect()
    }

    fn text(&self, mail: &SenderRecord) -> String {
        let address = if self.address.is_empty() { "(no recipient)" } else { &self.address };
        let mut text = Escaped(address).to_string();
        let mut add = |label: &str, value: &str| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{label}{}", Escaped(value));
        };
        if let (Some(_), Some(library)) = (&self.former_alias, &self.library) {
            add(" (a former alias of ", library);
            add("", ")");
        }
        if !self.documents.is_empty() {
            add(" → ", self.library.as_deref().unwrap_or_default());
            add(": ", &self.paths().join(", "));
            add(", by ", self.created_by.as_deref().unwrap_or_default());
            add("", &self.mark(mail));
        }
        if let Some(reason) = &self.reason {
            add(": ", reason);
        }
        if let Some(because) = &self.because {
            add(" – ", because);
        }
        text
    }

    /// What nobody should overlook beside the name that a document has, not escaped: that nobody is proven to have sent
    /// it, or by nothing but the bare From. `mail` is who sent the mail as a whole.
    pub fn mark(&self, mail: &SenderRecord) -> String {
        let level = self.level.as_deref().unwrap_or(&mail.level);
        mark(self.unverified, level, mail.address.as_deref())
    }
}

/// As [`RecipientRecord::mark`], of plain facts: whether it is unverified, its level, and the address that is claimed.
pub fn mark(unverified: bool, level: &str, claimed: Option<&str>) -> String {
    match claimed {
        Some(address) if unverified => format!(" (unverified, claims to be {address})"),
        None if unverified => " (unverified)".to_owned(),
        _ if level == Level::FromHeader.as_str() => format!(" ({level})"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_is_the_matter_with_a_mail() {
        let mut mail = MailRecord::parse("");
        assert!(mail.flawed().is_none());
        mail.error = None;
        mail.flaws = vec!["“a\u{1b}[2J\n.pdf”: broken".to_owned()];
        let told = |mail: &MailRecord| mail.lines().iter().map(Line::to_string).collect::<Vec<_>>();
        assert_eq!(told(&mail), ["flawed     “a\\u{1b}[2J\\n.pdf”: broken"]);
        mail.flaws.push("b".to_owned());
        assert_eq!(told(&mail), ["flawed     “a\\u{1b}[2J\\n.pdf”: broken; and more"]);
    }

    #[test]
    fn what_is_not_proven_is_marked() {
        let claim = Some("a@x.org");
        for (unverified, level, claimed, told) in [
            (true, "none", claim, " (unverified, claims to be a@x.org)"),
            (true, "none", None, " (unverified)"),
            (false, "from-header", claim, " (from-header)"),
            (false, "spf", claim, ""),
            (false, "domain", claim, ""),
        ] {
            assert_eq!(mark(unverified, level, claimed), told);
        }
    }
}
