//! What is the matter with a message, as it goes on record: the file is deleted after the pass, and nothing else could
//! tell that a document has a hole.

use super::{Message, Part, PartKind};

/// More are counted.
const MOST: usize = 16;
/// The longest, in characters.
const LONGEST: usize = 256;
/// Of a name, in characters.
const NAME: usize = 128;

impl Message {
    /// Its flaws, then for each part that has a note its name and the note: a few short sentences. Names are a stranger's
    /// words, not escaped.
    pub fn told_flaws(&self) -> Vec<String> {
        let flaws = self.flaws.iter().map(|flaw| (*flaw).to_owned());
        let mut told = flaws.chain(self.parts.iter().filter_map(told)).map(|flaw| cut(&flaw, LONGEST));
        let mut first: Vec<_> = told.by_ref().take(MOST).collect();
        let more = told.count();
        if more > 0 {
            first.push(format!("and {more} more"));
        }
        first
    }
}

fn told(part: &Part) -> Option<String> {
    let note = part.note.as_deref()?;
    let name = part.name.as_deref().filter(|name| !name.trim().is_empty());
    let named = match (name, part.kind) {
        (Some(name), _) => format!("“{}”", cut(name, NAME)),
        (None, PartKind::Body) => "the words of the mail".to_owned(),
        (None, _) => "a part without a name".to_owned(),
    };
    Some(format!("{named}: {note}"))
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::message::{Limits, read};

    /// Of a message of these parts, each a header and a body.
    fn told(parts: &[String]) -> Vec<String> {
        let parts: String = parts.iter().map(|part| format!("--B\n{part}\n")).collect();
        let message = format!("Content-Type: multipart/mixed; boundary=B\n\n{parts}--B--\n");
        read(message.as_bytes(), &Limits::default()).unwrap().told_flaws()
    }

    fn broken(name: &str) -> String {
        format!("Content-Type: a/b{name}\nContent-Transfer-Encoding: base64\n\nQU\u{1}I=")
    }

    #[test]
    fn flaws_then_the_parts_that_are_broken_by_name() {
        let words =
            "Subject: a\nSubject: b\nContent-Type: text/plain\nContent-Type: a/b\n\nbegin 644 c.bin\n";
        let words = format!("{words}M{}\n", "0V%T".repeat(15));
        let html = broken("").replace("a/b", "text/html");
        let parts = [words, html, broken("; name=\"a.pdf\""), broken("; name=\" \""), broken("")];
        let expected = [
            "a header that readers may take differently",
            "“c.bin”: a uuencoded file that is cut short",
            "the words of the mail: a broken transfer encoding",
            "“a.pdf”: a broken transfer encoding",
            "a part without a name: a broken transfer encoding",
            "a part without a name: a broken transfer encoding",
        ];
        assert_eq!(told(&parts), expected);
        assert!(told(&["Content-Type: a/b; name=a\n\nwhole".to_owned()]).is_empty());
    }

    #[test]
    fn they_are_bounded_in_number_and_length() {
        assert_eq!(told(&vec![broken("; name=a"); 16]).len(), 16);
        let many = told(&vec![broken("; name=a"); 116]);
        assert_eq!((many.len(), many[16].as_str()), (17, "and 100 more"));
        let name = "ü".repeat(5000);
        let long = format!("“{}…”: a broken transfer encoding", "ü".repeat(127));
        assert_eq!(told(&[broken(&format!("; name=\"{name}\""))]), [long]);
    }
}
