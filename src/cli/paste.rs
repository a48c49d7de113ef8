//! Commands that we suggest work when they are pasted into a shell.

use mailshelf::escape::Escaped;

/// This program as it was called, fit for a shell: it need not be on the path.
pub fn program() -> String {
    let called = std::env::args_os().next().filter(|called| !called.is_empty());
    quoted(&called.map_or_else(|| "mailshelf".to_owned(), |called| called.to_string_lossy().into_owned()))
}

/// A word for a shell: as it is, or in single quotes. What no terminal should be sent is shown escaped all the same,
/// and then it is safe, but no longer the same word.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    Escaped(&format!("'{}'", word.replace('\'', r"'\''"))).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stays_one_word() {
        for (word, shown) in [
            ("/srv/mail-shelf/a.toml", "/srv/mail-shelf/a.toml"),
            ("my site", "'my site'"),
            ("it's", r"'it'\''s'"),
            ("$HOME;`x`", "'$HOME;`x`'"),
            ("~x", "'~x'"),
            ("", "''"),
            ("\u{1b}[2J", r"'\u{1b}[2J'"),
        ] {
            assert_eq!(quoted(word), shown, "{word}");
        }
    }
}
