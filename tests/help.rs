//! Help: every command says what it does, with an example.

use std::process::Command;

use crate::util::PROGRAM;

fn help(words: &[String]) -> String {
    let output = Command::new(PROGRAM).args(words).arg("--help").output().unwrap();
    assert!(output.status.success(), "{words:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that a help text lists.
fn listed(help: &str) -> Vec<String> {
    let commands = help.split("Commands:\n").nth(1).unwrap_or_default();
    let begins = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
    let lines = commands.lines().take_while(|line| !line.is_empty()).filter(begins);
    let names = lines.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn every_command_has_an_example_and_fits_a_terminal() {
    let mut open = vec![Vec::new()];
    let mut seen = 0;
    while let Some(words) = open.pop() {
        let text = help(&words);
        let deeper: Vec<_> = listed(&text).into_iter().map(|name| [&words[..], &[name]].concat()).collect();
        assert!(!deeper.is_empty() || text.contains("Example: mailshelf "), "{words:?}:\n{text}");
        assert_eq!(text.lines().find(|line| line.chars().count() > 120), None, "{words:?}");
        seen += usize::from(deeper.is_empty());
        open.extend(deeper);
    }
    assert!(seen > 25, "only {seen} commands were found");
}
