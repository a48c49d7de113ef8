//! Whole mails: each folder of `tests/mail` holds one (`mail.eml`, as it stands in a drop), the site it comes to
//! (`site.toml`) and what must become of it (`expected.json`).

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::util::{Site, entries, name};

/// `site.toml`: commands that furnish the site, and lines of its configuration.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Setup {
    #[serde(default)]
    commands: Vec<String>,
    #[serde(default)]
    configure: Vec<(String, String)>,
}

/// Whether `actual` has everything that `expected` names; lists must have the same length.
fn check(expected: &Value, actual: &Value, at: &str) {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            for (key, value) in expected {
                check(value, actual.get(key).unwrap_or(&Value::Null), &format!("{at}.{key}"));
            }
        }
        (Value::Array(expected), Value::Array(actual)) => {
            assert_eq!(expected.len(), actual.len(), "{at}: {actual:#?}");
            for (nth, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                check(expected, actual, &format!("{at}[{nth}]"));
            }
        }
        _ => assert_eq!(expected, actual, "{at}"),
    }
}

/// All cases.
pub fn cases() -> Vec<PathBuf> {
    let cases = entries(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail"));
    assert!(cases.len() >= 20, "{} cases", cases.len());
    cases
}

/// The site of a case, with its mail in the drop.
pub fn site(case: &Path) -> Site {
    let read = |name: &str| fs::read(case.join(name)).unwrap();
    let setup: Setup = toml::from_slice(&read("site.toml")).unwrap();
    let site = Site::new();
    for (from, to) in &setup.configure {
        site.configure(from, to);
    }
    for command in &setup.commands {
        site.ok(&command.split_whitespace().collect::<Vec<_>>());
    }
    site.deliver("mail.eml", read("mail.eml"));
    site
}

fn run(case: &Path) {
    let read = |name: &str| fs::read(case.join(name)).unwrap();
    let site = site(case);
    let event = site.pass();
    let expected: Value = serde_json::from_slice(&read("expected.json")).unwrap();
    check(&expected["event"], &event, "event");
    let documents = expected["documents"].as_object().cloned().unwrap_or_default();
    for (library, expected) in documents {
        let listed: Vec<_> = site
            .documents(&library)
            .into_iter()
            .map(|mut document| {
                let bytes = site.document(&library, document["path"].as_str().unwrap());
                document["text"] = String::from_utf8_lossy(&bytes).into();
                document
            })
            .collect();
        check(&expected, &listed.into(), &format!("documents.{library}"));
    }
    let kept: Vec<_> =
        entries(&site.path("state/kept")).iter().map(|path| name(path)[27..].to_owned()).collect();
    check(expected.get("kept").unwrap_or(&Value::Array(Vec::new())), &kept.into(), "kept");
    site.assert_sound();
}

#[test]
fn every_case() {
    for case in cases() {
        println!("case {}", name(&case));
        run(&case);
    }
}
