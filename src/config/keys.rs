//! The keys of the file: known ones only, each of its kind. The shipped file is what they are checked against.

use toml::de::{DeTable, DeValue};

use super::{Fault, TEMPLATE};

/// Every key must be known.
pub fn check_keys(table: &DeTable<'_>) -> Result<(), Fault> {
    let template = DeTable::parse(TEMPLATE).map_err(|error| Fault::new(error.to_string()))?;
    for (section, content) in table {
        let at = section.span().start;
        let Some(known) = template.get_ref().get(section.get_ref().as_ref()) else {
            let known = template.get_ref().keys().map(|key| key.get_ref().as_ref());
            return Err(unknown(section.get_ref(), "", known).at(at));
        };
        let (Some(content), Some(known)) = (content.get_ref().as_table(), known.get_ref().as_table()) else {
            return Err(Fault::new(format!("`{0}` is a section: [{0}]", section.get_ref())).at(at));
        };
        for (key, value) in content {
            let at = key.span().start;
            let Some(default) = known.get(key.get_ref().as_ref()) else {
                let known = known.keys().map(|key| key.get_ref().as_ref());
                return Err(unknown(key.get_ref(), &format!("{}.", section.get_ref()), known).at(at));
            };
            let name = format!("{}.{}", section.get_ref(), key.get_ref());
            check_value(&name, value.get_ref(), default.get_ref()).map_err(|fault| fault.at(at))?;
        }
    }
    Ok(())
}

/// A value is of its default's kind.
fn check_value(name: &str, value: &DeValue<'_>, default: &DeValue<'_>) -> Result<(), Fault> {
    if kind(value) != kind(default) {
        return Err(Fault::new(format!("{name} is {}, not {}", kind(default), kind(value))));
    }
    let items = value.as_array().into_iter().flat_map(|array| array.iter());
    match items.map(|item| kind(item.get_ref())).find(|kind| *kind != TEXT) {
        Some(other) => Err(Fault::new(format!("{name} is a list of texts in quotes; one in it is {other}"))),
        None => Ok(()),
    }
}

const TEXT: &str = "a text in quotes";

/// What a value is, in words for people.
pub(crate) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => TEXT,
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    }
}

fn unknown<'a>(key: &str, section: &str, known: impl Iterator<Item = &'a str>) -> Fault {
    let fault = Fault::new(format!("unknown key `{section}{}`", key.escape_debug()));
    match nearest(key, known) {
        Some(nearest) => fault.hint(format!("the nearest known one is `{section}{nearest}`")),
        None => fault,
    }
}

/// The known key that is most like one that is not.
pub(crate) fn nearest<'a>(key: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known.max_by(|a, b| likeness(a, key).total_cmp(&likeness(b, key)))
}

/// How like two keys are, from 0 to 1: as they are written, or with their words in order.
fn likeness(one: &str, other: &str) -> f64 {
    let ordered = |key: &str| {
        let mut words: Vec<_> = key.split(['_', '-']).collect();
        words.sort_unstable();
        words.join("_")
    };
    strsim::jaro(one, other).max(strsim::jaro(&ordered(one), &ordered(other)))
}

/// Where a key such as `drop.path` stands, if the file has it.
pub fn place(table: &DeTable<'_>, name: &str) -> Option<usize> {
    let (section, key) = name.split_once('.')?;
    let (key, _) = table.get(section)?.get_ref().as_table()?.get_key_value(key)?;
    Some(key.span().start)
}

/// The name of the key whose value stands at a byte of the file.
pub fn name(table: &DeTable<'_>, at: usize) -> Option<String> {
    table.iter().find_map(|(section, content)| {
        let mut keys = content.get_ref().as_table()?.iter();
        let (key, _) = keys.find(|(_, value)| value.span().contains(&at))?;
        Some(format!("{}.{}", section.get_ref(), key.get_ref()))
    })
}
