//! What the documents say is so.

use std::fs;
use std::path::{Path, PathBuf};

use crate::util::{entries, name};

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

/// Each row of docs/tolerances.md names the tests and the cases that hold it.
#[test]
fn the_tests_that_the_list_of_tolerances_names_are_there() {
    let mut all = String::new();
    ["src", "storage/src", "tests"].iter().for_each(|folder| code(&root(folder), &mut all));
    let text = fs::read_to_string(root("docs/tolerances.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| what comes"));
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
    assert!(count > 80, "{count} rows");
}
