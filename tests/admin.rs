//! What an administrator meets: commands that refuse what would do harm, say why, and print what can be used.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::util::{PROGRAM, Site, entries, is_root, mail};

fn program(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).current_dir(folder).env_remove("MAILSHELF_CONFIG").env_remove("MAILSHELF_LOG");
    command.output().unwrap()
}

fn refused(output: &Output, code: i32, what: &[&str]) {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    let error = str::from_utf8(&output.stderr).unwrap();
    let first = error.lines().next().unwrap_or_default();
    assert!(first.starts_with("mailshelf: "), "{error}");
    for part in what {
        assert!(error.contains(part), "{part} is not in: {error}");
    }
}

fn printed(output: &Output) -> &str {
    assert!(output.status.success(), "{output:?}");
    str::from_utf8(&output.stdout).unwrap()
}

/// A site with a mail filed: the documents `attachment.txt` and `Mail a.eml`.
fn filed() -> Site {
    let site = Site::open_to_all();
    site.deliver("a.eml", mail("a", &["all"], "the bytes"));
    site.run();
    site
}

#[test]
fn a_drop_that_would_eat_the_site_is_refused() {
    let site = Site::open_to_all();
    for (path, what) in
        [(".", "mailshelf.toml: lies inside drop.path"), ("state", "contents: lies inside drop.path")]
    {
        site.configure("path = \"drop\"", &format!("path = {path:?}"));
        refused(&site.output(&["run"]), 2, &["line ", what, "hint: "]);
        site.configure(&format!("path = {path:?}"), "path = \"drop\"");
    }
    fs::remove_dir(site.path("drop")).unwrap();
    symlink("state", site.path("drop")).unwrap();
    refused(&site.output(&["run"]), 2, &["lies inside drop.path, once links are followed"]);
    assert!(site.path("state/catalog.db").exists());
}

#[test]
fn an_event_file_without_a_place_is_told_before_anything_is_done() {
    let site = Site::open_to_all();
    site.deliver("a.eml", mail("a", &["all"], "a"));
    site.configure("state/events.jsonl", "nowhere/events.jsonl");
    for command in ["run", "verify"] {
        refused(&site.output(&[command]), 2, &["events.file ", "nowhere is not there"]);
    }
    site.configure("nowhere/events.jsonl", "state/events.jsonl");
    fs::create_dir(site.path("state/events.jsonl")).unwrap();
    for command in ["run", "verify"] {
        refused(&site.output(&[command]), 2, &["events.file ", "a folder, not a file"]);
    }
    assert_eq!(site.waiting(), ["a.eml"]);
}

#[test]
fn a_document_replaces_files_and_only_files() {
    let site = filed();
    let get = |to: &str| {
        let to = if to == "-" || to.starts_with('/') { to.into() } else { site.path(to) };
        let mut command = site.command(&["document", "get", "all", "attachment.txt", "-o"]);
        command.arg(to).output().unwrap()
    };
    assert_eq!(printed(&get("-")), "the bytes");
    assert_eq!(printed(&get("/dev/stdout")), "the bytes");
    printed(&get("/dev/null"));
    use std::os::unix::fs::FileTypeExt;
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    refused(&get("/dev/full"), 1, &["file /dev/full: cannot write: "]);

    fs::write(site.path("target"), "a longer text than the document").unwrap();
    symlink("target", site.path("link")).unwrap();
    symlink("new", site.path("dangling")).unwrap();
    for (to, file) in [("link", "target"), ("dangling", "new")] {
        printed(&get(to));
        assert!(site.path(to).is_symlink(), "{to}");
        assert_eq!(fs::read(site.path(file)).unwrap(), b"the bytes");
    }
    refused(&get("state"), 2, &["state: it is a folder"]);
    refused(&get("nowhere/file"), 2, &["its folder is not there"]);
    assert_eq!(entries(&site.path("nowhere")).len(), 0);
}

#[test]
fn what_a_shell_has_open_is_written_on_and_not_replaced() {
    let site = filed();
    let mut command = site.command(&["document", "get", "all", "attachment.txt", "-o", "/dev/stdout"]);
    fs::write(site.path("log"), "before: ").unwrap();
    let log = File::options().append(true).open(site.path("log")).unwrap();
    assert!(command.stdout(log).status().unwrap().success());
    assert_eq!(fs::read_to_string(site.path("log")).unwrap(), "before: the bytes");
}

#[test]
fn a_new_site_takes_over_nobodys_drop_and_nobodys_state() {
    for folder in ["drop", "state"] {
        for command in [&["init", ".", "--domain", "x.org"][..], &["demo", "."]] {
            let dir = tempfile::tempdir().unwrap();
            fs::create_dir(dir.path().join(folder)).unwrap();
            fs::write(dir.path().join(folder).join("mine"), "").unwrap();
            let output = program(command, dir.path());
            refused(&output, 2, &["is no empty folder", "hint: name another folder"]);
            assert_eq!(entries(dir.path()).len(), 1, "{command:?}");
            fs::remove_file(dir.path().join(folder).join("mine")).unwrap();
            printed(&program(command, dir.path()));
        }
    }
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    for command in [&["init", "file", "--domain", "x.org"][..], &["demo", "file"]] {
        refused(&program(command, dir.path()), 2, &["site file: it is a file, not a folder"]);
    }
    refused(&program(&["demo", "file/below"], dir.path()), 2, &["folder file/below: cannot make it"]);
}

#[test]
fn a_demo_that_was_interrupted_can_be_repeated() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(".mailshelf-demo"), "").unwrap();
    fs::create_dir(dir.path().join("state")).unwrap();
    printed(&program(&["demo", "."], dir.path()));
    // Configured, but not furnished.
    fs::remove_dir_all(dir.path().join("state")).unwrap();
    fs::create_dir(dir.path().join("state")).unwrap();
    assert!(printed(&program(&["demo", "."], dir.path())).contains("by alice"));
    // Furnished, but without its configuration.
    fs::remove_file(dir.path().join("mailshelf.toml")).unwrap();
    printed(&program(&["demo", "."], dir.path()));
}

#[test]
fn the_demo_prints_its_event_as_json() {
    let dir = tempfile::tempdir().unwrap();
    let output = program(&["demo", "d", "--json"], dir.path());
    let events: Vec<serde_json::Value> =
        printed(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len(), 1);
    assert_eq!((&events[0]["event_id"], &events[0]["processed"]), (&6871.into(), &6.into()));
}

#[test]
fn the_commands_that_are_suggested_can_be_pasted() {
    let dir = tempfile::tempdir().unwrap();
    let paste = |text: &str, count: usize| {
        let lines: Vec<_> = text.lines().map(str::trim).filter(|line| line.starts_with(PROGRAM)).collect();
        assert_eq!(lines.len(), count, "{text}");
        for line in lines {
            let output = Command::new("sh").args(["-c", line]).current_dir(&dir).output().unwrap();
            assert!(output.status.success(), "{line}: {output:?}");
        }
    };
    paste(printed(&program(&["init", "it's mine", "--domain", "x.org"], dir.path())), 2);
    paste(printed(&program(&["demo", "a $demo"], dir.path())), 5);
}

/// Standard output that somebody closed before anything was printed.
fn closed(command: &mut Command) -> Output {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap()
}

#[test]
fn a_closed_output_changes_no_exit_code() {
    let site = filed();
    for (arguments, code) in
        [(&["library", "list"][..], 0), (&["verify"], 0), (&["document", "get", "all", "attachment.txt"], 0)]
    {
        let output = closed(&mut site.command(arguments));
        assert_eq!((output.status.code(), &*output.stderr), (Some(code), &b""[..]), "{arguments:?}");
    }
    fs::remove_file(&site.contents()[0]).unwrap();
    assert_eq!(closed(&mut site.command(&["verify"])).status.code(), Some(1));
    // A run whose events cannot be published.
    fs::remove_file(site.path("state/events.jsonl")).unwrap();
    symlink("/dev/full", site.path("state/events.jsonl")).unwrap();
    for arguments in [&["run"][..], &["run", "--json"]] {
        assert_eq!(closed(&mut site.command(arguments)).status.code(), Some(1), "{arguments:?}");
    }
}

#[test]
fn output_that_cannot_be_written_names_standard_output() {
    let site = filed();
    for arguments in [&["library", "list"][..], &["document", "get", "all", "attachment.txt"], &["--help"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = site.command(arguments).stdout(full).output().unwrap();
        refused(&output, 1, &["mailshelf: standard output: cannot write: No space left"]);
    }
}

#[test]
fn nothing_is_emptied_by_leaving_something_out() {
    let site = Site::open_to_all();
    site.ok(&["user", "add", "alice", "--address", "alice@example.org"]);
    site.ok(&["group", "add", "g", "--member", "alice"]);
    refused(&site.output(&["user", "set", "alice"]), 2, &["--no-address", "hint: "]);
    refused(&site.output(&["group", "set", "g"]), 2, &["--no-member", "hint: "]);
    refused(&site.output(&["library", "set", "all"]), 2, &["library all: nothing is named", "hint: "]);
    refused(
        &site.output(&["user", "set", "alice", "--no-address", "--address", "a@b.org"]),
        2,
        &["cannot be used with"],
    );
    assert_eq!(site.json(&["user", "list"])[0]["addresses"][0], "alice@example.org");
    assert_eq!(site.json(&["group", "list"])[0]["members"][0], "alice");
    assert_eq!(site.json(&["user", "set", "alice", "--no-address"])[0]["addresses"], serde_json::json!([]));
    assert_eq!(site.json(&["group", "set", "g", "--no-member"])[0]["members"], serde_json::json!([]));
}

#[test]
fn what_is_removed_is_told() {
    let site = Site::open_to_all();
    for (make, remove, key, text) in [
        (&["user", "add", "bob"][..], ["user", "remove", "bob"], "login", "User bob is removed.\n"),
        (&["group", "add", "bob"], ["group", "remove", "bob"], "name", "Group bob is removed.\n"),
        (
            &["library", "add", "bob", "--alias", "bob"],
            ["library", "remove", "bob"],
            "name",
            "Library bob is removed.\n",
        ),
    ] {
        site.ok(make);
        assert_eq!(site.ok(&remove), text);
        site.ok(make);
        assert_eq!(site.json(&remove), [serde_json::json!({key: "bob", "removed": true})]);
    }
}

#[test]
fn a_title_is_a_line_that_has_room() {
    let site = Site::open_to_all();
    site.ok(&["library", "set", "all", "--title", &"ü".repeat(255)]);
    for (title, why) in
        [("ü".repeat(256), "at most 255 characters"), ("a\nb".into(), "no control characters")]
    {
        refused(&site.output(&["library", "set", "all", "--title", &title]), 2, &[why]);
    }
}

#[test]
fn wrong_usage_is_one_line_whatever_was_typed() {
    let site = Site::new();
    for (arguments, first) in [
        (&["a\n\nUsage: b"][..], "mailshelf: unrecognized subcommand 'a\\n\\nUsage: b'"),
        (&["run", "x\ny"], "mailshelf: unexpected argument 'x\\ny' found"),
        (&["library", "add"], "mailshelf: the following required arguments were not provided: "),
        (&["library"], "mailshelf: no command is given"),
    ] {
        let error = site.fails(2, arguments);
        let mut lines = error.lines();
        assert!(lines.next().unwrap().starts_with(first), "{error}");
        assert!(lines.next().unwrap().starts_with("hint: "), "{error}");
        assert!(!error.contains("For more information"), "{error}");
    }
    assert!(!site.ok(&["library", "set", "--help"]).contains("[default: no]"));
}

#[test]
fn a_table_begins_at_the_margin_and_is_never_wrapped() {
    let site = Site::new();
    let name = "a".repeat(60);
    site.ok(&["library", "add", &name, "--alias", &name, "--title", &"long ".repeat(40)]);
    let text = site.ok(&["library", "list"]);
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.starts_with("name ") && text.lines().nth(1).unwrap().starts_with(&name), "{text}");
}

#[test]
fn a_document_is_shown_with_its_library_and_folder() {
    let text = filed().ok(&["document", "show", "all", "Mail a.eml"]);
    for line in ["library     all", "folder      (root)", "original    yes"] {
        assert!(text.lines().any(|shown| shown == line), "{line}: {text}");
    }
}

#[test]
fn the_configuration_is_found_in_the_order_of_the_manual() {
    let (named, variable, here) = (Site::new(), Site::new(), Site::new());
    let makes = |mut command: Command, site: &Site| {
        let id = unused_login(site);
        let output = command.args(["user", "add", &id]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let users = site.json(&["user", "list"]);
        assert!(users.iter().any(|user| user["login"] == *id), "{users:?}");
    };
    let command = |set: &str| {
        let mut command = Command::new(PROGRAM);
        command.current_dir(here.path("")).env("MAILSHELF_CONFIG", set).env_remove("MAILSHELF_LOG");
        command
    };
    let of_variable = variable.path("mailshelf.toml");
    let of_variable = of_variable.to_str().unwrap();
    let mut first = command(of_variable);
    first.arg("--config").arg(named.path("mailshelf.toml"));
    makes(first, &named);
    makes(command(of_variable), &variable);
    makes(command(""), &here);
    refused(&command("/nowhere.toml").arg("run").output().unwrap(), 2, &["/nowhere.toml: cannot be read"]);
}

/// A login that no test has used yet.
fn unused_login(site: &Site) -> String {
    format!("u{}", site.json(&["user", "list"]).len())
}

#[test]
fn global_options_stand_before_or_after_the_command() {
    let site = Site::open_to_all();
    let config = site.path("mailshelf.toml");
    let config = config.to_str().unwrap();
    let before = program(&["--config", config, "--json", "library", "list"], Path::new("/"));
    for after in [
        &["library", "--config", config, "list", "--json"][..],
        &["library", "list", "--json", "--config", config],
        &["--json", "library", "list", "--config", config],
    ] {
        assert_eq!(printed(&program(after, Path::new("/"))), printed(&before), "{after:?}");
    }
    assert!(printed(&before).starts_with('{'));
}

#[test]
fn a_bad_log_setting_is_told_and_stops_nothing() {
    let site = Site::open_to_all();
    let output = site.command(&["library", "list"]).env("MAILSHELF_LOG", "mailshelf=loud").output().unwrap();
    assert!(printed(&output).contains("all@docs.example.org"));
    refused(&output, 0, &["mailshelf: MAILSHELF_LOG mailshelf=loud: ", "hint: "]);
    let output = site.command(&["library", "list"]).env("MAILSHELF_LOG", "").output().unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
}

/// In a mount namespace of its own, so that nothing is left mounted whatever happens. `None` where nobody may mount.
fn mounted(site: &Site, script: &str) -> Option<Output> {
    let can = "mount -t tmpfs -o size=1m tmpfs \"$1\" || exit 99\n";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &format!("{can}{script}"), "sh"]).arg(site.path("state"));
    command.arg(PROGRAM).arg(site.path("mailshelf.toml"));
    let output =
        is_root().then(|| command.output().unwrap()).filter(|output| output.status.code() != Some(99));
    if output.is_none() {
        crate::util::skip("this machine lets nobody mount");
        assert!(std::env::var_os("CI").is_none(), "skipped where it must not be");
    }
    output
}

#[test]
fn a_full_disk_defers_and_loses_nothing() {
    let site = Site::new();
    site.deliver("a.eml", mail("a", &["all"], &"0123456789abcdef\r\n".repeat(200_000)));
    let script = "run() { \"$program\" --config \"$config\" \"$@\"; }
        program=$2 config=$3
        run library add all --alias all --sender-policy anyone >/dev/null || exit 90
        run run >/dev/null; [ $? = 1 ] || exit 91
        mount -o remount,size=64m \"$1\" || exit 92
        run run >/dev/null || exit 93
        run document list all --json && run verify >/dev/null";
    let Some(output) = mounted(&site, script) else { return };
    assert_eq!(printed(&output).lines().count(), 1, "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("No space left"), "{output:?}");
    assert_eq!(site.waiting(), Vec::<String>::new());
    assert_eq!(site.claims(), Vec::<String>::new());
}

#[test]
fn a_read_only_file_system_is_a_fault_that_may_pass() {
    let site = Site::new();
    let script = "\"$2\" --config \"$3\" run >/dev/null || exit 90
        mount -o remount,ro \"$1\" || exit 92
        \"$2\" --config \"$3\" run";
    let Some(output) = mounted(&site, script) else { return };
    refused(&output, 1, &["Read-only file system"]);
}
