//! Colour: on a terminal, and nowhere else.

use std::process::Command;

use crate::util::{PROGRAM, Site, mail};

/// What the program prints in a terminal of its own, standard error included; line ends as in a pipe. `None` where
/// there is no `script` (util-linux) to make one.
pub fn in_terminal(site: &Site, environment: &[(&str, &str)], arguments: &str) -> Option<String> {
    let config = site.path("mailshelf.toml");
    let mut command = Command::new("script");
    command
        .arg("-qec")
        .arg(format!("'{PROGRAM}' --config '{}' {arguments}", config.display()))
        .arg("/dev/null");
    command.env_remove("NO_COLOR").env("TERM", "xterm").envs(environment.iter().copied());
    let Ok(output) = command.output() else {
        crate::util::skip("there is no script(1) here");
        assert!(std::env::var_os("CI").is_none(), "skipped where it must not be");
        return None;
    };
    Some(String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n"))
}

/// What a terminal shows of it.
fn bare(text: &str) -> String {
    let mut pieces = text.split("\u{1b}[");
    let first = pieces.next().unwrap_or_default();
    pieces.fold(first.to_owned(), |bare, piece| bare + piece.split_once('m').unwrap().1)
}

#[test]
fn outcomes_and_headings_have_their_colours_on_a_terminal() {
    let site = Site::open_to_all();
    site.deliver("a.eml", mail("a", &["docs72"], "a"));
    let Some(run) = in_terminal(&site, &[], "run") else { return };
    assert!(
        run.contains("  \u{1b}[33mrejected\u{1b}[0m   docs72@docs.example.org: unknown-alias"),
        "{run:?}"
    );
    let list = in_terminal(&site, &[], "library list").unwrap();
    assert!(list.starts_with("\u{1b}[1mname\u{1b}[0m "), "{list:?}");
    let error = in_terminal(&site, &[], "library show nosuch").unwrap();
    let (first, second) = error.trim_end().split_once('\n').unwrap();
    assert_eq!(first, "\u{1b}[31mmailshelf:\u{1b}[0m library nosuch: there is none");
    assert!(second.starts_with("\u{1b}[36mhint:\u{1b}[0m `mailshelf library list`"), "{second:?}");
}

#[test]
fn colour_moves_no_column() {
    let site = Site::open_to_all();
    let Some(list) = in_terminal(&site, &[], "library list") else { return };
    assert!(list.contains('\u{1b}'));
    assert_eq!(bare(&list), site.ok(&["library", "list"]));
}

#[test]
fn whoever_wants_none_gets_none() {
    let site = Site::open_to_all();
    for environment in [("NO_COLOR", "1"), ("TERM", "dumb"), ("TERM", "")] {
        for arguments in ["library list", "library show nosuch"] {
            let Some(plain) = in_terminal(&site, &[environment], arguments) else { return };
            assert!(!plain.contains('\u{1b}'), "{environment:?} {arguments}: {plain:?}");
        }
    }
    let empty = in_terminal(&site, &[("NO_COLOR", "")], "library list").unwrap();
    assert!(empty.contains('\u{1b}'), "an empty one asks for nothing: {empty:?}");
}

#[test]
fn neither_json_nor_a_pipe_is_coloured() {
    let site = Site::open_to_all();
    site.deliver("a.eml", mail("a", &["docs72"], "a"));
    let Some(json) = in_terminal(&site, &[], "--json run") else { return };
    assert!(json.starts_with('{') && !json.contains('\u{1b}'), "{json:?}");
    for arguments in [&["library", "list"][..], &["library", "show", "nosuch"], &["run"]] {
        let mut command = site.command(arguments);
        let output = command.env("TERM", "xterm").env("CLICOLOR_FORCE", "1").output().unwrap();
        let printed = [output.stdout, output.stderr].concat();
        assert!(!printed.is_empty() && !printed.contains(&0x1b), "{arguments:?}: {printed:?}");
    }
}
