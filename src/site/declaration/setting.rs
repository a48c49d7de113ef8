//! The settings of a library as a declaration has them: one place names each, for reading and for writing.

use mailshelf_storage::model::{Attachments, LibrarySettings, SenderPolicy, TrustFrom};
use serde::Serialize;

use crate::config::Size;

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// `true` or `false`.
    YesNo(bool),
    /// A word of a few.
    Word(&'static str),
    /// Any text.
    Text(String),
}

/// A setting that is read and written.
pub(super) trait Setting {
    /// What it is now.
    fn value(&self) -> Value;

    /// What it may be, as it reads after "is".
    fn expects(&self) -> String;

    /// Takes a text; `Err` says why it is none for this setting, as it reads after the name of the setting.
    fn set_text(&mut self, text: &str) -> Result<(), String>;

    /// Takes `true` or `false`.
    fn set_yes_no(&mut self, yes: bool) -> Result<(), String> {
        Err(format!("is {}, not {yes}", self.expects()))
    }
}

/// Every setting of a library with its key, in the order in which they are shown.
pub(super) fn fields(settings: &mut LibrarySettings) -> Vec<(&'static str, &mut dyn Setting)> {
    // All by name: whoever adds a setting must name it here, or the compiler asks for it.
    let LibrarySettings {
        title,
        attachments,
        overwrite,
        save_original,
        save_invitations,
        inline_images,
        sender_policy,
        trust_from,
        enabled,
        quota,
        anonymous_quota,
    } = settings;
    vec![
        ("title", title),
        ("attachments", attachments),
        ("overwrite", overwrite),
        ("save-original", save_original),
        ("save-invitations", save_invitations),
        ("inline-images", inline_images),
        ("sender-policy", sender_policy),
        ("trust-from", trust_from),
        ("enabled", enabled),
        ("quota", quota),
        ("anonymous-quota", anonymous_quota),
    ]
}

/// Every setting of a library: its key, and what it is.
pub fn settings(settings: &LibrarySettings) -> Vec<(&'static str, Value)> {
    fields(&mut settings.clone()).into_iter().map(|(key, setting)| (key, setting.value())).collect()
}

/// The longest title, in characters.
const LONGEST_TITLE: usize = 255;

/// Why a text is no title of a library, if it is none.
pub fn check_title(text: &str) -> Result<(), String> {
    if text.chars().any(char::is_control) {
        return Err("a title has no control characters".to_owned());
    }
    if text.chars().count() > LONGEST_TITLE {
        return Err(format!("a title has at most {LONGEST_TITLE} characters"));
    }
    Ok(())
}

/// SQLite's numbers go so far.
const LARGEST_QUOTA: u64 = i64::MAX as u64;

/// Bytes that a library may hold, as people write them; `None`: any number.
pub fn quota(text: &str) -> Result<Option<u64>, String> {
    if text == "none" {
        return Ok(None);
    }
    match text.parse::<Size>()?.0 {
        0 => Err("say none for no quota; a library that is to take nothing is not enabled".to_owned()),
        LARGEST_QUOTA.. => Err("that is more than there is; say none for no quota".to_owned()),
        bytes => Ok(Some(bytes)),
    }
}

impl Setting for Option<u64> {
    fn value(&self) -> Value {
        Value::Text(self.map_or("none".to_owned(), |bytes| Size(bytes).to_string()))
    }

    fn expects(&self) -> String {
        "\"none\" or a size such as \"10GiB\"".to_owned()
    }

    fn set_text(&mut self, text: &str) -> Result<(), String> {
        *self = quota(text).map_err(|why| format!("is no quota: {why}"))?;
        Ok(())
    }
}

impl Setting for String {
    fn value(&self) -> Value {
        Value::Text(self.clone())
    }

    fn expects(&self) -> String {
        "a text in quotes".to_owned()
    }

    fn set_text(&mut self, text: &str) -> Result<(), String> {
        check_title(text).map_err(|why| format!("is no title: {why}"))?;
        *self = text.to_owned();
        Ok(())
    }
}

impl Setting for bool {
    fn value(&self) -> Value {
        Value::YesNo(*self)
    }

    fn expects(&self) -> String {
        "true or false".to_owned()
    }

    fn set_text(&mut self, _: &str) -> Result<(), String> {
        Err("is true or false, not a text in quotes".to_owned())
    }

    fn set_yes_no(&mut self, yes: bool) -> Result<(), String> {
        *self = yes;
        Ok(())
    }
}

/// What one of a few words may be, as it reads after "is".
pub(super) fn one_of<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<_> = words.map(|word| format!("{word:?}")).collect();
    format!("one of {}", words.join(", "))
}

macro_rules! words {
    ($($name:ident),+) => { $(
        impl Setting for $name {
            fn value(&self) -> Value {
                Value::Word(self.as_str())
            }

            fn expects(&self) -> String {
                one_of($name::ALL.iter().map(|word| word.as_str()))
            }

            fn set_text(&mut self, text: &str) -> Result<(), String> {
                *self = text.parse().map_err(|_| format!("is {}, not {text:?}", self.expects()))?;
                Ok(())
            }
        }
    )+ };
}

words!(Attachments, SenderPolicy, TrustFrom);
