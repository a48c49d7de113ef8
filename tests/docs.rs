//! What the documents say is so.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::util::{Site, entries, name};

fn root(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}

/// All Rust code below a folder.
fn code(folder: &Path, into: &mut String) {
    for path in entries(folder) {
        if path.is_dir() {
            code(&path, into);
        } else if name(&path).ends_with(".rs") {
            into.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

/// Each row of docs/tolerances.md and docs/sharepoint.md names the tests and the cases that hold it.
#[test]
fn the_tests_that_documents_name_are_there() {
    for (page, most) in [("docs/tolerances.md", 80), ("docs/sharepoint.md", 20)] {
        let rows = rows_with_tests(page);
        assert!(rows > most, "{page}: {rows} rows");
    }
}

fn rows_with_tests(page: &str) -> usize {
    let mut all = String::new();
    ["src", "storage/src", "tests"].iter().for_each(|folder| code(&root(folder), &mut all));
    let text = fs::read_to_string(root(page)).unwrap();
    let heads = ["| what comes", "| SharePoint"];
    let rows = text
        .lines()
        .filter(|line| line.starts_with("| ") && !heads.iter().any(|head| line.starts_with(head)));
    let mut count = 0;
    for row in rows {
        let held_by = row.trim_end_matches(" |").rsplit_once(" | ").unwrap().1;
        let mut parts = held_by.split('`');
        let mut named = 0;
        while let (Some(before), Some(what)) = (parts.next(), parts.next()) {
            let there = if before.ends_with("case ") {
                root("tests/mail").join(what).is_dir()
            } else {
                all.contains(&format!("fn {what}("))
            };
            assert!(there, "{what}, named in: {row}");
            named += 1;
        }
        assert!(named > 0, "no test: {row}");
        count += 1;
    }
    count
}

/// The fenced blocks of docs/flow.md: what stands behind the fence, and the text.
fn blocks() -> Vec<(String, String)> {
    let text = fs::read_to_string(root("docs/flow.md")).unwrap();
    let fences = text.split("```").skip(1).step_by(2);
    let pairs = fences.map(|block| block.split_once('\n').unwrap());
    pairs.map(|(info, text)| (info.to_owned(), text.to_owned())).collect()
}

fn block(info: &str) -> String {
    blocks().into_iter().find(|(found, _)| found == info).unwrap().1
}

/// The site of docs/flow.md, with its mail in the drop.
fn site() -> Site {
    let site = Site::new();
    site.configure("node = \"\"", "node = \"wfe1\"");
    let commands = block("sh");
    for command in commands.lines().filter_map(|line| line.strip_prefix("mailshelf ")) {
        if !command.starts_with("init ") {
            site.ok(&command.split_whitespace().collect::<Vec<_>>());
        }
    }
    deliver(&site, "march.eml");
    site
}

fn deliver(site: &Site, name: &str) {
    site.deliver(name, block("eml").replace('\n', "\r\n"));
}

fn explain(site: &Site, name: &str) -> String {
    site.ok(&["explain", site.path("drop").join(name).to_str().unwrap()])
}

/// The files of a site, but for locks, slots and SQLite's log.
fn files(folder: &Path, below: &str, into: &mut Vec<String>) {
    for path in entries(folder) {
        let shown = format!("{below}{}", name(&path));
        if path.is_dir() {
            files(&path, &format!("{shown}/"), into);
        } else if ![".lock", ".slots", "-wal", "-shm"].iter().any(|end| shown.ends_with(end)) {
            into.push(shown);
        }
    }
}

/// Whether a text is as quoted, where `…` stands for what was cut off; of an id all of it was.
fn is_quoted(quoted: &str, actual: &str) -> bool {
    match quoted.split_once('…') {
        Some((start, end)) => {
            let start = start.strip_suffix("01M7").unwrap_or(start);
            actual.len() > quoted.len() && actual.starts_with(start) && actual.ends_with(end)
        }
        None => quoted == actual,
    }
}

fn assert_files(site: &Site, quoted: &str) {
    let mut found = Vec::new();
    ["drop", "state"].iter().for_each(|folder| files(&site.path(folder), &format!("{folder}/"), &mut found));
    let quoted: Vec<_> = quoted.lines().collect();
    assert_eq!(found.len(), quoted.len(), "{found:?}");
    for (quoted, found) in quoted.iter().zip(&found) {
        assert!(is_quoted(quoted, found), "{quoted}: {found}");
    }
}

fn assert_event(quoted: &Value, actual: &Value, at: &str) {
    match (quoted, actual) {
        (Value::Object(quoted), Value::Object(actual)) => {
            assert_eq!(quoted.keys().collect::<Vec<_>>(), actual.keys().collect::<Vec<_>>(), "{at}");
            let stable = quoted
                .iter()
                .filter(|(key, _)| !["time", "elapsed_ms", "elapsed_us"].contains(&key.as_str()));
            stable.for_each(|(key, value)| assert_event(value, &actual[key], &format!("{at}.{key}")));
        }
        (Value::Array(quoted), Value::Array(actual)) => {
            assert_eq!(quoted.len(), actual.len(), "{at}");
            quoted.iter().zip(actual).for_each(|(quoted, actual)| assert_event(quoted, actual, at));
        }
        (Value::String(quoted), Value::String(actual)) => {
            assert!(is_quoted(quoted, actual), "{at}: {actual}")
        }
        _ => assert_eq!(quoted, actual, "{at}"),
    }
}

/// What docs/flow.md quotes is what the program prints and leaves.
#[test]
fn the_mail_that_is_followed_goes_that_way() {
    let mut stops = 0;
    for (info, quoted) in blocks() {
        let Some(place) = info.strip_prefix("text at=").filter(|place| *place != "end") else { continue };
        let site = site();
        if place != "start" {
            site.die(&format!("{place}=kill"));
        }
        assert_files(&site, &quoted);
        site.run();
        assert_eq!(site.documents("invoices").len(), 2, "{place}");
        site.assert_sound();
        stops += 1;
    }
    assert_eq!(stops, 5);
    let site = site();
    assert_eq!(explain(&site, "march.eml"), block("text explain"));
    site.run();
    assert_files(&site, &block("text at=end"));
    assert_event(&serde_json::from_str(&block("json")).unwrap(), &site.events()[0], "event");
    deliver(&site, "march-again.eml");
    assert_eq!(explain(&site, "march-again.eml"), block("text again"));
    assert_eq!(site.pass()["duplicate"], 1);
    assert_eq!(site.documents("invoices").len(), 2);
}

/// The demo shows the same mail.
#[test]
fn the_mail_that_is_followed_is_that_of_the_demo() {
    assert_eq!(block("eml"), fs::read_to_string(root("src/cli/demo/march.eml")).unwrap());
}

/// A key that may be missing is one that nobody sees in an example.
#[test]
fn each_key_that_may_be_left_out_is_told_of() {
    let page = fs::read_to_string(root("docs/flow.md")).unwrap();
    let mut keys = 0;
    for file in [
        "record/words.rs",
        "record/words/fault.rs",
        "cli/mail/view.rs",
        "cli/mail/show.rs",
        "cli/document/view.rs",
    ] {
        let text = fs::read_to_string(root("src").join(file)).unwrap();
        let mut lines = text.lines().map(str::trim);
        while lines.any(|line| line.contains("skip_serializing_if")) {
            let field = lines.find(|line| !line.starts_with("#[")).unwrap();
            let key = field.trim_start_matches("pub ").split(':').next().unwrap();
            assert!(page.contains(&format!("`{key}`")), "{file}: {key}");
            keys += 1;
        }
    }
    assert!(keys > 20, "{keys}");
    for key in ["anonymous_today", "envelope_sender"] {
        assert!(page.contains(&format!("`{key}`")), "{key}");
    }
}
