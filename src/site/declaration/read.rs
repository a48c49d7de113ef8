//! A declaration read from TOML: everything that is wrong with it, and where.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::str::FromStr;

use mailshelf_storage::model::{LibrarySettings, Member, Principal, Role};
use mailshelf_storage::{Alias, GroupName, LibraryName, Login};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::setting::{fields, one_of};
use super::{Declaration, Library, key};
use crate::config::{kind, nearest};

/// A part of a declaration that stands somewhere in its file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A library.
    Library(LibraryName),
    /// The alias of a library.
    Alias(LibraryName),
    /// A right.
    Grant(LibraryName, Principal),
    /// A user.
    User(Login),
    /// A group.
    Group(GroupName),
    /// A member of a group.
    Member(GroupName, Member),
}

/// A declaration and where its parts stand, in bytes from the beginning of the text.
#[derive(Debug, Default)]
pub struct Written {
    /// What is declared.
    pub declaration: Declaration,
    /// Where.
    pub places: BTreeMap<Part, usize>,
}

/// What is wrong, where, and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In bytes from the beginning of the text.
    pub at: usize,
    /// What.
    pub why: String,
    /// The way out, where one is known.
    pub hint: Option<String>,
}

/// Reads a declaration. `Err` if it is no TOML; else what of it could be read, and what is wrong with the rest. Faults are
/// in the order of the text.
pub fn read(text: &str) -> Result<(Written, Vec<Fault>), Vec<Fault>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(syntax(text, &errors));
    }
    let mut reading = Reading { lines: Lines::of(text), written: Written::default(), faults: Vec::new() };
    reading.whole(table.get_ref());
    reading.faults.sort_by_key(|fault| fault.at);
    Ok((reading.written, reading.faults))
}

/// Faults of TOML itself, the first of each line: what follows it there may only be its echo.
fn syntax(text: &str, errors: &[toml::de::Error]) -> Vec<Fault> {
    let lines = Lines::of(text);
    let fault = |error: &toml::de::Error| {
        let span = error.span().unwrap_or_default();
        let found = text.get(span.clone()).unwrap_or_default();
        let why = match error.message().trim() {
            "duplicate key" => format!("`{}` stands here a second time", found.escape_debug()),
            message => message.to_owned(),
        };
        Fault { at: span.start, why, hint: None }
    };
    let mut faults: Vec<_> = errors.iter().map(fault).collect();
    faults.sort_by_key(|fault| fault.at);
    faults.dedup_by_key(|fault| lines.place(fault.at).0);
    faults
}

/// The lines of a text.
pub struct Lines<'t> {
    text: &'t str,
    /// Where each begins.
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// Looks where they begin.
    pub fn of(text: &'t str) -> Lines<'t> {
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        Lines { text, starts: std::iter::once(0).chain(ends).collect() }
    }

    /// The line and the column, in characters, of a byte; both from 1 on.
    pub fn place(&self, at: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= at);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let before = self.text.get(start..at).unwrap_or_default().trim_start_matches('\u{feff}');
        (line, before.chars().count() + 1)
    }
}

type Key<'i> = Spanned<std::borrow::Cow<'i, str>>;
type Entry<'i> = Spanned<DeValue<'i>>;

/// The entries of a table as they stand in the text: by name, a first one might come second.
fn in_order<'t, 'i>(table: &'t DeTable<'i>) -> Vec<(&'t Key<'i>, &'t Entry<'i>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

struct Reading<'t> {
    lines: Lines<'t>,
    written: Written,
    faults: Vec<Fault>,
}

const KINDS: [&str; 3] = ["user", "group", "library"];

impl Reading<'_> {
    fn fault(&mut self, at: usize, why: String) {
        self.faults.push(Fault { at, why, hint: None });
    }

    fn unknown<'k>(&mut self, name: &Key<'_>, before: &str, known: impl Iterator<Item = &'k str>) {
        let nearest = nearest(name.get_ref(), known);
        let hint = nearest.map(|nearest| format!("the nearest known one is `{before}{nearest}`"));
        let why = format!("unknown key `{before}{}`", key(name.get_ref()));
        self.faults.push(Fault { at: name.span().start, why, hint });
    }

    /// Notes where a part stands. False, and a fault, if it stood somewhere before.
    fn note(&mut self, part: Part, at: usize, shown: &str) -> bool {
        match self.written.places.get(&part) {
            None => {
                self.written.places.insert(part, at);
                true
            }
            Some(first) => {
                let (line, column) = self.lines.place(*first);
                self.fault(at, format!("{shown} stands in line {line}, column {column} already"));
                false
            }
        }
    }

    /// A name or word from its text.
    fn parse<T: FromStr<Err: Display>>(&mut self, text: &str, at: usize, shown: &str) -> Option<T> {
        text.parse().map_err(|why| self.fault(at, format!("{shown}: {why}"))).ok()
    }

    fn whole(&mut self, table: &DeTable<'_>) {
        for (kind, sections) in in_order(table) {
            let what = kind.get_ref().as_ref();
            if !KINDS.contains(&what) {
                self.unknown(kind, "", KINDS.into_iter());
                continue;
            }
            let Some(sections) = self.table(sections, kind, what, "[{}.NAME]") else { continue };
            for (name, section) in in_order(sections) {
                let shown = format!("{what}.{}", key(name.get_ref()));
                let Some(section) = self.table(section, name, &shown, "[{}]") else { continue };
                match what {
                    "user" => self.user(name, section, &shown),
                    "group" => self.group(name, section, &shown),
                    _ => self.library(name, section, &shown),
                }
            }
        }
    }

    /// A value that must be a table; `form` is how one is written.
    fn table<'t, 'i>(
        &mut self,
        value: &'t Entry<'i>,
        name: &Key<'_>,
        shown: &str,
        form: &str,
    ) -> Option<&'t DeTable<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.fault(name.span().start, format!("`{shown}` is a section: {}", form.replace("{}", shown)));
        }
        table
    }

    /// The texts of a list, and where they stand.
    fn texts<'t>(&mut self, name: &Key<'_>, value: &'t Entry<'_>, shown: &str) -> Vec<(usize, &'t str)> {
        let Some(array) = value.get_ref().as_array() else {
            self.fault(name.span().start, format!("{shown} is a list, not {}", kind(value.get_ref())));
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in array.iter() {
            let at = item.span().start;
            match item.get_ref().as_str() {
                Some(text) => texts.push((at, text)),
                None => {
                    let kind = kind(item.get_ref());
                    self.fault(at, format!("{shown} is a list of texts in quotes; one in it is {kind}"));
                }
            }
        }
        texts
    }

    /// The one list of a section, which may be left out where it is empty.
    fn list<'t>(&mut self, section: &'t DeTable<'_>, shown: &str, only: &str) -> Vec<(usize, &'t str)> {
        let mut texts = Vec::new();
        for (name, value) in section {
            if name.get_ref() == only {
                texts = self.texts(name, value, &format!("{shown}.{only}"));
            } else {
                self.unknown(name, &format!("{shown}."), std::iter::once(only));
            }
        }
        texts
    }

    fn user(&mut self, name: &Key<'_>, section: &DeTable<'_>, shown: &str) {
        let at = name.span().start;
        let login: Option<Login> = self.parse(name.get_ref(), at, shown);
        let mut addresses = BTreeSet::new();
        for (at, text) in self.list(section, shown, "addresses") {
            let Some(address) = self.parse(text, at, &format!("{shown}.addresses: {text:?}")) else {
                continue;
            };
            if let Some(twice) = addresses.replace(address) {
                self.fault(at, format!("{shown}.addresses: {twice} stands in the list twice"));
            }
        }
        if let Some(login) = login
            && self.note(Part::User(login.clone()), at, &format!("user {login}"))
        {
            self.written.declaration.users.insert(login, addresses);
        }
    }

    fn group(&mut self, name: &Key<'_>, section: &DeTable<'_>, shown: &str) {
        let at = name.span().start;
        let group: Option<GroupName> = self.parse(name.get_ref(), at, shown);
        let group =
            group.filter(|group| self.note(Part::Group(group.clone()), at, &format!("group {group}")));
        let mut members = BTreeSet::new();
        for (at, text) in self.list(section, shown, "members") {
            let Some(member) = self.parse::<Member>(text, at, &format!("{shown}.members: {text:?}")) else {
                continue;
            };
            if let Some(group) = &group {
                let part = Part::Member(group.clone(), member.clone());
                self.note(part, at, &format!("{shown}.members: {member}"));
            }
            members.insert(member);
        }
        if let Some(group) = group {
            self.written.declaration.groups.insert(group, members);
        }
    }

    fn library(&mut self, name: &Key<'_>, section: &DeTable<'_>, shown: &str) {
        let at = name.span().start;
        let library: Option<LibraryName> = self.parse(name.get_ref(), at, shown);
        let library =
            library.filter(|name| self.note(Part::Library(name.clone()), at, &format!("library {name}")));
        let (mut alias, mut settings) = (None, LibrarySettings::default());
        for (setting, value) in section {
            match setting.get_ref().as_ref() {
                "alias" => alias = Some((value.span().start, self.alias(setting, value, shown))),
                "grants" => self.grants(library.as_ref(), setting, value, shown),
                _ => self.setting(&mut settings, setting, value, shown),
            }
        }
        match (library, alias) {
            (Some(library), Some((at, Some(alias)))) => {
                self.written.places.insert(Part::Alias(library.clone()), at);
                self.written.declaration.libraries.insert(library, Library { alias, settings });
            }
            (_, None) => {
                let hint = "alias = \"NAME\" is the local-part that mail to it is sent to".to_owned();
                self.faults.push(Fault { at, why: format!("{shown} has no alias"), hint: Some(hint) });
            }
            _ => {}
        }
    }

    fn alias(&mut self, name: &Key<'_>, value: &Entry<'_>, shown: &str) -> Option<Alias> {
        let shown = format!("{shown}.alias");
        match value.get_ref().as_str() {
            Some(text) => self.parse(text, value.span().start, &format!("{shown}: {text:?}")),
            None => {
                let kind = kind(value.get_ref());
                self.fault(name.span().start, format!("{shown} is a text in quotes, not {kind}"));
                None
            }
        }
    }

    fn setting(&mut self, settings: &mut LibrarySettings, name: &Key<'_>, value: &Entry<'_>, shown: &str) {
        let mut fields = fields(settings);
        let Some((_, field)) = fields.iter_mut().find(|(key, _)| name.get_ref() == key) else {
            let known = fields.iter().map(|(key, _)| *key).chain(["alias", "grants"]);
            return self.unknown(name, &format!("{shown}."), known);
        };
        let set = match value.get_ref() {
            DeValue::String(text) => field.set_text(text),
            DeValue::Boolean(yes) => field.set_yes_no(*yes),
            other => Err(format!("is {}, not {}", field.expects(), kind(other))),
        };
        if let Err(why) = set {
            self.fault(name.span().start, format!("{shown}.{} {why}", name.get_ref()));
        }
    }

    fn grants(&mut self, library: Option<&LibraryName>, name: &Key<'_>, value: &Entry<'_>, shown: &str) {
        let shown = format!("{shown}.grants");
        let Some(grants) = self.table(value, name, &shown, "[{}]") else { return };
        for (name, value) in in_order(grants) {
            let at = name.span().start;
            let shown = format!("{shown}.{}", key(name.get_ref()));
            let principal: Option<Principal> = self.parse(name.get_ref(), at, &shown);
            let words = || one_of(Role::ALL.iter().map(|role| role.as_str()));
            let role: Option<Role> = match value.get_ref().as_str().map(|text| (text, text.parse())) {
                Some((_, Ok(role))) => Some(role),
                Some((text, Err(_))) => {
                    self.fault(value.span().start, format!("{shown} is {}, not {text:?}", words()));
                    None
                }
                None => {
                    self.fault(at, format!("{shown} is {}, not {}", words(), kind(value.get_ref())));
                    None
                }
            };
            let (Some(library), Some(principal)) = (library, principal) else { continue };
            let part = Part::Grant(library.clone(), principal.clone());
            if self.note(part, at, &format!("the right of {principal} in library {library}"))
                && let Some(role) = role
            {
                self.written.declaration.grants.insert((library.clone(), principal), role);
            }
        }
    }
}
