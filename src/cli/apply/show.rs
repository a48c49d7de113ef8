//! A plan as people and scripts see it: a line for each change, then how much it was.

use std::collections::BTreeSet;
use std::fmt::Display;

use mailshelf::escape::Escaped;
use mailshelf::site::declaration::{Library, Value, settings};
use mailshelf::site::plan::{Change, Kept, Plan};
use mailshelf_storage::model::LibrarySettings;
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::cli::library::word;
use crate::cli::output::{Output, Tone};

/// One change.
#[derive(Serialize)]
struct View {
    change: &'static str,
    kind: &'static str,
    name: String,
    /// Of a right.
    #[serde(skip_serializing_if = "Option::is_none")]
    library: Option<String>,
    fields: Vec<Field>,
}

/// What changes of a thing; of one that is made only what is not as it is by default, of one that is removed nothing.
#[derive(Serialize)]
struct Field {
    key: &'static str,
    from: Json,
    to: Json,
    /// For people.
    #[serde(skip)]
    text: String,
}

/// What is on the last line.
#[derive(Serialize)]
struct Summary {
    changes: usize,
    applied: bool,
    dry_run: bool,
    kept: Kept,
}

pub fn show(out: &Output, plan: &Plan, dry_run: bool) -> anyhow::Result<()> {
    for view in views(plan) {
        out.value(&view, || view.text(out))?;
    }
    let changes = plan.len();
    let summary = Summary { changes, applied: changes > 0 && !dry_run, dry_run, kept: plan.kept };
    out.value(&summary, || summary.text())
}

fn views(plan: &Plan) -> Vec<View> {
    let Plan { users, groups, libraries, grants, kept: _, target: _ } = plan;
    let mut views = Vec::new();
    views.extend(
        users.iter().map(|user| view("user", &user.which, user, |from, to| list("addresses", from, to))),
    );
    views.extend(
        groups.iter().map(|group| view("group", &group.which, group, |from, to| list("members", from, to))),
    );
    views.extend(libraries.iter().map(|library| view("library", &library.which, library, fields)));
    views.extend(grants.iter().map(|grant| {
        let (library, principal) = &grant.which;
        let role = |from: Option<&_>, to: &_| vec![word_field("role", from, to)];
        View { library: Some(library.to_string()), ..view("grant", principal, grant, role) }
    }));
    views
}

fn view<K, V>(
    kind: &'static str,
    name: &impl Display,
    change: &Change<K, V>,
    fields: impl FnOnce(Option<&V>, &V) -> Vec<Field>,
) -> View {
    let word = match (&change.from, &change.to) {
        (None, _) => "add",
        (_, Some(_)) => "change",
        (_, None) => "remove",
    };
    let fields = change.to.as_ref().map(|to| fields(change.from.as_ref(), to)).unwrap_or_default();
    View { change: word, kind, name: name.to_string(), library: None, fields }
}

/// A field of one word, or of another text that needs no quotes.
fn word_field(key: &'static str, from: Option<&impl Display>, to: &impl Display) -> Field {
    let from = from.map(ToString::to_string);
    let text = match &from {
        Some(from) => format!("{from} → {to}"),
        None => to.to_string(),
    };
    Field { key, from: json!(from), to: json!(to.to_string()), text }
}

/// A list: of one that was there before what comes and what goes.
fn list<T: Display + Ord>(key: &'static str, from: Option<&BTreeSet<T>>, to: &BTreeSet<T>) -> Vec<Field> {
    let texts = |items: &BTreeSet<T>| items.iter().map(ToString::to_string).collect::<Vec<_>>();
    let text = match from {
        None => texts(to).join(", "),
        Some(from) => {
            let more = to.difference(from).map(|item| format!("+{item}"));
            let less = from.difference(to).map(|item| format!("-{item}"));
            more.chain(less).collect::<Vec<_>>().join(", ")
        }
    };
    vec![Field { key, from: json!(from.map(texts)), to: json!(texts(to)), text }]
}

fn fields(from: Option<&Library>, to: &Library) -> Vec<Field> {
    let mut fields = Vec::new();
    if from.is_none_or(|from| from.alias != to.alias) {
        fields.push(word_field("alias", from.map(|from| &from.alias), &to.alias));
    }
    let before = settings(from.map_or(&LibrarySettings::default(), |from| &from.settings));
    for ((key, from_value), (_, to_value)) in before.into_iter().zip(settings(&to.settings)) {
        if from_value == to_value {
            continue;
        }
        let text = match from {
            Some(_) => format!("{} → {}", shown(&from_value), shown(&to_value)),
            None => shown(&to_value),
        };
        let from = from.map(|_| &from_value);
        fields.push(Field { key, from: json!(from), to: json!(to_value), text });
    }
    fields
}

fn shown(value: &Value) -> String {
    match value {
        Value::YesNo(yes) => word(*yes),
        Value::Word(word) => (*word).to_owned(),
        Value::Text(text) => format!("“{text}”"),
    }
}

impl View {
    /// `~ library scans: save-original no → yes`
    fn text(&self, out: &Output) -> String {
        let View { change, kind, name, library, fields } = self;
        let (sign, tone) = match *change {
            "add" => ("+", Some(Tone::Filed)),
            "remove" => ("-", Some(Tone::Rejected)),
            _ => ("~", None),
        };
        let what = match library {
            Some(library) => format!("{kind} {library}: {name}"),
            None => format!("{kind} {name}"),
        };
        // A right has one field, and a list of a new thing is the only one it has: their keys say nothing.
        let bare =
            |field: &Field| library.is_some() || matches!((field.key, sign), ("addresses" | "members", "+"));
        let fields = fields.iter().filter(|field| !field.text.is_empty());
        let told = fields.map(|field| match bare(field) {
            true => field.text.clone(),
            false => format!("{} {}", field.key, field.text),
        });
        let told = told.collect::<Vec<_>>().join(", ");
        let line = match (told.as_str(), sign) {
            ("", _) => what,
            (told, _) if library.is_some() => format!("{what} {told}"),
            (told, "+") => format!("{what} ({told})"),
            (told, _) => format!("{what}: {told}"),
        };
        format!("{} {}", out.paint(tone, sign), Escaped(&line))
    }
}

impl Summary {
    fn text(&self) -> String {
        let what = match (self.changes, self.dry_run) {
            (0, _) => "Nothing to change.".to_owned(),
            (1, false) => "1 change is made.".to_owned(),
            (changes, false) => format!("{changes} changes are made."),
            (1, true) => "1 change would be made; nothing is changed.".to_owned(),
            (changes, true) => format!("{changes} changes would be made; nothing is changed."),
        };
        if self.kept.is_empty() {
            return what;
        }
        let Kept { users, groups, libraries, grants } = self.kept;
        let counts = [
            (users, "user", "users"),
            (groups, "group", "groups"),
            (libraries, "library", "libraries"),
            (grants, "right", "rights"),
        ];
        let counts = counts.into_iter().filter(|(count, ..)| *count > 0);
        let counts =
            counts.map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }));
        let counts: Vec<_> = counts.collect();
        format!("{what} The file lacks {}, which stay; --prune removes them.", counts.join(", "))
    }
}
