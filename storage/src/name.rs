//! Names that people give: aliases, logins, names of libraries and groups. Each is checked once, here. And names of files,
//! told.

use std::ffi::OsStr;
use std::fmt::{self, Write};
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// The name of a file, which a stranger may have given it, in words: bytes that are not UTF-8 as `\xNN`. Not fit for a
/// terminal yet.
pub fn shown(name: impl AsRef<OsStr>) -> String {
    let mut shown = String::new();
    for chunk in name.as_ref().as_encoded_bytes().utf8_chunks() {
        shown.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(shown, "\\x{byte:02X}");
        }
    }
    shown
}

/// Why a name is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadName(pub(crate) &'static str);

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $check:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadName;

            fn from_str(text: &str) -> Result<$name, BadName> {
                $check(text).map($name)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}

text_type!(
    /// The local-part that mail to a library is sent to, in lower case: aliases compare without case.
    Alias,
    alias
);
text_type!(
    /// What a user signs in as, in lower case.
    Login,
    login
);
text_type!(
    /// A library's name on command lines and in paths, in lower case.
    LibraryName,
    label
);
text_type!(
    /// A group's name, in lower case.
    GroupName,
    label
);

fn alias(text: &str) -> Result<String, BadName> {
    let text = text.to_ascii_lowercase();
    if text.is_empty() || text.len() > 128 {
        return Err(BadName("an alias has 1 to 128 characters"));
    }
    if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-+&'=".contains(&byte)) {
        return Err(BadName("an alias is made of a-z 0-9 . _ - + & ' ="));
    }
    if text.starts_with('.') || text.ends_with('.') || text.contains("..") {
        return Err(BadName("an alias has no dot at an end and no two dots together"));
    }
    Ok(text)
}

/// Names that stand in a path, a URL or after `user:`, so no separators, blanks or controls.
fn label(text: &str) -> Result<String, BadName> {
    let text = text.to_lowercase();
    if text.is_empty() || text.chars().count() > 128 {
        return Err(BadName("a name has 1 to 128 characters"));
    }
    if !text.chars().all(|c| c.is_alphanumeric() || "._-+&'=@".contains(c)) {
        return Err(BadName("a name is made of letters, digits and . _ - + & ' = @"));
    }
    if text.starts_with(['.', '-']) || text.ends_with('.') {
        return Err(BadName("a name does not begin with . or - nor end with ."));
    }
    Ok(text)
}

fn login(text: &str) -> Result<String, BadName> {
    label(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_compare_without_case() {
        assert_eq!("Invoices".parse::<Alias>(), "iNVOICES".parse());
    }

    #[test]
    fn an_alias_is_a_dot_atom_of_few_characters() {
        for good in ["a", "a.b", "o'neil", "x+y", &"a".repeat(128)] {
            assert!(good.parse::<Alias>().is_ok(), "{good}");
        }
        for bad in ["", ".a", "a.", "a..b", "a b", "ä", "a@b", "a/b", &"a".repeat(129)] {
            assert!(bad.parse::<Alias>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_label_is_no_path_and_no_option() {
        for bad in ["", ".", "..", "-x", "a/b", "a b", "a\nb", "user:x", "a\\b"] {
            assert!(bad.parse::<LibraryName>().is_err(), "{bad}");
        }
        assert_eq!("Rechnungen-2026".parse::<LibraryName>().unwrap().as_str(), "rechnungen-2026");
    }
}
