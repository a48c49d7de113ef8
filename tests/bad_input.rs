//! Bad input: each has its own clear error or clean end, and its exit code.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use crate::util::{DOMAIN, Limit, PROGRAM, Site, is_root, mail};

/// The first line on standard error, and the hint.
fn first_and_hint(error: &str) -> (&str, &str) {
    let mut lines = error.lines();
    let first = lines.next().unwrap_or_default();
    (first, lines.find_map(|line| line.strip_prefix("hint: ")).unwrap_or_default())
}

fn assert_says(error: &str, what: &[&str]) {
    assert!(error.starts_with("mailshelf: "), "{error}");
    for part in what {
        assert!(error.contains(part), "{part} is not in: {error}");
    }
}

#[test]
fn a_missing_configuration() {
    let site = Site::new();
    fs::remove_file(site.path("mailshelf.toml")).unwrap();
    let error = site.fails(2, &["run"]);
    assert_says(&error, &["mailshelf.toml: cannot be read", "hint: `mailshelf init DIR"]);
}

#[test]
fn an_unknown_key() {
    let site = Site::new();
    site.configure("settle =", "setle =");
    let error = site.fails(2, &["run"]);
    assert_says(&error, &["mailshelf.toml: line ", "unknown key `drop.setle`"]);
    assert_eq!(first_and_hint(&error).1, "the nearest known one is `drop.settle`");
}

#[test]
fn a_wrong_type() {
    let site = Site::new();
    site.configure("authenticated_only = false", "authenticated_only = \"no\"");
    assert_says(
        &site.fails(2, &["run"]),
        &["line ", "site.authenticated_only is true or false, not a text in quotes"],
    );
}

#[test]
fn a_server_a_type_and_a_term_that_are_none() {
    for (from, to, told, way_out) in [
        (
            "safe_servers = []",
            "safe_servers = [\"192.0.2.1/24\"]",
            "drop.safe_servers: \"192.0.2.1/24\" has bits behind its length",
            "the network is \"192.0.2.0/24\", the one address \"192.0.2.1\"",
        ),
        (
            "blocked_types = []",
            "blocked_types = [\"*.exe\"]",
            "limits.blocked_types: \"*.exe\" is no extension",
            "name what stands behind the last dot",
        ),
        (
            "keep_rejected = \"30d\"",
            "keep_rejected = \"0d\"",
            "drop.keep_rejected is a time from 1s on",
            "rejected = \"delete\"",
        ),
        (
            "recycle = \"30d\"",
            "recycle = \"0d\"",
            "storage.recycle is a time from 1s on",
            "`mailshelf document purge` deletes at once",
        ),
    ] {
        let site = Site::new();
        site.configure(from, to);
        let error = site.fails(2, &["run"]);
        assert_says(&error, &["line ", told]);
        assert!(first_and_hint(&error).1.contains(way_out), "{error}");
    }
}

#[test]
fn a_missing_drop_folder_is_never_made() {
    let site = Site::new();
    fs::remove_dir_all(site.path("drop")).unwrap();
    let error = site.fails(2, &["run"]);
    assert_says(&error, &["drop folder ", ": there is none"]);
    assert!(first_and_hint(&error).1.contains("set drop.path"), "{error}");
    assert!(!site.path("drop").exists());
}

#[test]
fn a_drop_that_is_a_file() {
    let site = Site::new();
    fs::remove_dir_all(site.path("drop")).unwrap();
    fs::write(site.path("drop"), "").unwrap();
    assert_says(&site.fails(2, &["run"]), &["drop folder ", ": not a folder"]);
}

#[test]
fn a_maildir_that_is_none() {
    let site = Site::new();
    site.configure("format = \"auto\"", "format = \"maildir\"");
    assert_says(&site.fails(2, &["run"]), &["format is maildir, but new/ is missing"]);
}

/// The program as an ordinary user, who has no right to what root locked away.
#[test]
fn no_rights() {
    let site = Site::new();
    let open =
        |path: &str, mode| fs::set_permissions(site.path(path), fs::Permissions::from_mode(mode)).unwrap();
    let run = || {
        let mut command = site.command(&["run"]);
        if is_root() {
            // Where the program was built an ordinary user may have no right to go.
            let copy = site.path("program");
            fs::copy(PROGRAM, &copy).unwrap();
            command = Command::new(copy);
            command.arg("--config").arg(site.path("mailshelf.toml")).arg("run").uid(65534).gid(65534);
        }
        command.output().unwrap()
    };
    if is_root() {
        let all = Command::new("chown").args(["-R", "65534:65534"]).arg(site.path("")).status().unwrap();
        assert!(all.success());
    }
    open("drop", 0o555);
    let output = run();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_says(
        &String::from_utf8(output.stderr).unwrap(),
        &["folder ", "no right to", "hint: give the user"],
    );
    open("drop", 0o755);
    open("state", 0o000);
    let output = run();
    open("state", 0o755);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_says(
        &String::from_utf8(output.stderr).unwrap(),
        &["storage.catalog ", "no right to enter the folders above"],
    );
    for (mode, why) in
        [(0o000, "no right to read "), (0o600, "no right to enter "), (0o500, "no right to write ")]
    {
        open("state/contents", mode);
        let output = run();
        open("state/contents", 0o755);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert_says(&error, &["storage.contents ", why]);
        assert!(!error.contains("not mounted?"), "{error}");
    }
}

#[test]
fn an_unreachable_catalog() {
    let site = Site::new();
    site.configure("sqlite:state/catalog.db", "sqlite:nowhere/catalog.db");
    assert_says(&site.fails(2, &["run"]), &["storage.catalog ", "nowhere/catalog.db", "is not there"]);
    assert!(!site.path("nowhere").exists());
}

#[test]
fn a_catalog_that_is_no_database() {
    let site = Site::new();
    fs::write(site.path("state/catalog.db"), "this is not a database, whatever its name says").unwrap();
    assert_says(&site.fails(2, &["run"]), &["catalog ", "not an SQLite database"]);
    let left = fs::read_to_string(site.path("state/catalog.db")).unwrap();
    assert_eq!(left, "this is not a database, whatever its name says");
}

#[test]
fn a_site_made_by_a_newer_version() {
    let site = Site::new();
    let catalog = rusqlite::Connection::open(site.path("state/catalog.db")).unwrap();
    catalog.pragma_update(None, "user_version", 9999).unwrap();
    let error = site.fails(2, &["run"]);
    assert_says(&error, &["made by a newer version", "9999"]);
    assert!(first_and_hint(&error).1.contains("newer mailshelf"));
}

#[test]
fn contents_that_are_gone() {
    let site = Site::open_to_all();
    site.deliver("a.eml", mail("a", &["all"], "a"));
    site.run();
    fs::rename(site.path("state/contents"), site.path("state/unmounted")).unwrap();
    assert_says(&site.fails(2, &["run"]), &["contents", "not mounted?"]);
    assert!(!site.path("state/contents").exists());
}

#[test]
fn a_taken_alias_names_its_library() {
    let site = Site::new();
    site.ok(&["library", "add", "invoices", "--alias", "bills"]);
    let error = site.fails(2, &["library", "add", "other", "--alias", "BILLS"]);
    assert_says(&error, &["alias bills: already taken by", "invoices"]);
    site.ok(&["library", "add", "other", "--alias", "other"]);
    assert_says(
        &site.fails(2, &["library", "set", "other", "--alias", "bills"]),
        &["already taken by", "invoices"],
    );
    assert_says(
        &site.fails(2, &["library", "add", "invoices", "--alias", "new"]),
        &["library invoices: already taken"],
    );
}

#[test]
fn an_unknown_library_user_group_role_or_principal() {
    let site = Site::new();
    site.ok(&["library", "add", "invoices", "--alias", "invoices"]);
    for (arguments, what) in [
        (&["library", "show", "nothing"][..], "library nothing: there is none"),
        (&["document", "list", "nothing"], "library nothing: there is none"),
        (&["grant", "nothing", "everyone", "owner"], "library nothing: there is none"),
        (&["grant", "invoices", "user:nobody", "owner"], "user nobody: there is none"),
        (&["grant", "invoices", "group:nobody", "owner"], "group nobody: there is none"),
        (&["grant", "invoices", "everyone", "king"], "a role is one of reader contributor owner"),
        (&["grant", "invoices", "alice", "owner"], "a principal is user:LOGIN, group:NAME or everyone"),
        (&["user", "remove", "nobody"], "user nobody: there is none"),
        (&["user", "set", "nobody", "--no-address"], "user nobody: there is none"),
        (&["group", "set", "nobody", "--no-member"], "group nobody: there is none"),
        (&["revoke", "invoices", "everyone"], "right of everyone in library invoices: there is none"),
        (&["document", "get", "invoices", "x.pdf", "--version", "0"], "0 is not in 1.."),
        (&["user", "add", "a b"], "a name is made of"),
        (&["user", "add", "bob", "--address", "bob"], "an address is LOCAL-PART@DOMAIN"),
        (&["group", "add", "g", "--member", "nobody"], "user nobody: there is none"),
        (&["group", "remove", "g"], "group g: there is none"),
        (&["library", "add", "x", "--alias", "a..b"], "no two dots together"),
        (&["library", "add", "../x", "--alias", "a"], "a name is made of"),
        (&["library", "add", "x", "--alias", "a", "--save-original", "maybe"], "say yes or no"),
        (&["document", "show", "invoices", "x.pdf"], "document x.pdf: there is none in library invoices"),
        (&["frobnicate"], "unrecognized subcommand"),
    ] {
        assert_says(&site.fails(2, arguments), &[what]);
    }
    // A name may have one of many forms that are none: nothing of it was kept.
    assert_eq!(site.json(&["library", "list"]).len(), 1);
    assert_eq!(site.json(&["user", "list"]).len() + site.json(&["group", "list"]).len(), 0);
}

#[test]
fn no_user_is_the_system_account() {
    let site = Site::new();
    site.configure("system_account = \"System Account\"", "system_account = \"Robot\"");
    assert_says(&site.fails(2, &["user", "add", "robot"]), &["that is the system account"]);
    site.configure("system_account = \"Robot\"", "system_account = \"System Account\"");
    site.ok(&["user", "add", "robot"]);
    site.configure("system_account = \"System Account\"", "system_account = \"Robot\"");
    assert_says(&site.fails(2, &["run"]), &["site.system_account robot: a user has this login"]);
}

#[test]
fn init_over_an_existing_site_changes_nothing() {
    let site = Site::new();
    let before = fs::read(site.path("mailshelf.toml")).unwrap();
    let again = |arguments: &[&str]| {
        let output = Command::new(PROGRAM).args(arguments).arg(site.path("")).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert_says(&again(&["init", "--domain", "other.example"]), &["there is one already"]);
    assert_says(&again(&["demo"]), &["there is one already", "hint: name another folder"]);
    assert_eq!(fs::read(site.path("mailshelf.toml")).unwrap(), before);
}

#[test]
fn init_with_a_bad_domain_makes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(PROGRAM)
        .args(["init", "--domain", "a b"])
        .arg(dir.path().join("site"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_says(&String::from_utf8(output.stderr).unwrap(), &["\"a b\" is no domain"]);
    assert!(!dir.path().join("site").exists());
}

#[test]
fn a_claim_folder_that_is_a_link() {
    let site = Site::new();
    fs::create_dir(site.path("elsewhere")).unwrap();
    symlink(site.path("elsewhere"), site.path("drop/.claimed")).unwrap();
    let error = site.fails(2, &["run"]);
    assert_says(&error, &["claim folder ", ".claimed: a symbolic link", "hint: "]);
    assert!(crate::util::entries(&site.path("elsewhere")).is_empty());
}

#[test]
fn a_claim_folder_that_is_a_mount_point() {
    if !is_root() {
        crate::util::skip("only root can mount");
        return;
    }
    let site = Site::new();
    let claimed = site.path("drop/.claimed");
    fs::create_dir(&claimed).unwrap();
    fs::create_dir(site.path("elsewhere")).unwrap();
    // In a mount namespace of its own, so that nothing is left mounted whatever happens.
    let script = "mount --bind \"$1\" \"$2\" || exit 99; exec \"$3\" --config \"$4\" run";
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(site.path("elsewhere"))
        .arg(&claimed)
        .arg(PROGRAM);
    let output = command.arg(site.path("mailshelf.toml")).output().unwrap();
    if output.status.code() == Some(99) {
        crate::util::skip(format_args!("this machine lets nobody mount: {output:?}"));
        assert!(std::env::var_os("CI").is_none(), "skipped where it must not be");
        return;
    }
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_says(
        &String::from_utf8(output.stderr).unwrap(),
        &[".claimed: on another file system", "mount point"],
    );
}

#[test]
fn a_claim_folder_that_was_removed_is_made_again() {
    let site = Site::open_to_all();
    site.run();
    fs::remove_dir_all(site.path("drop/.claimed")).unwrap();
    site.deliver("a.eml", mail("a", &["all"], "a"));
    assert_eq!(site.pass()["filed"], 1);
}

/// A run that stands still with a batch in hand.
fn paused(site: &Site) -> std::process::Child {
    site.deliver("a.eml", mail("a", &["all"], "a"));
    let mut command = site.command(&["run"]);
    command.env("MAILSHELF_FAILPOINT", "stored=wait").env("MAILSHELF_GATE", site.path("gate"));
    let child = command.stdout(Stdio::null()).spawn().unwrap();
    site.wait_for("something to be stored", |site| !site.contents().is_empty());
    child
}

#[test]
fn a_second_pass_at_the_same_time() {
    let site = Site::open_to_all();
    let mut first = paused(&site);
    let error = site.fails(75, &["run"]);
    assert_says(&error, &["drop folder ", "held by another pass"]);
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(site.run()[0]["filed"], 1);
    site.assert_sound();
}

#[test]
fn a_second_node_is_not_refused() {
    let site = Site::open_to_all();
    let mut first = paused(&site);
    site.configure("node = \"\"", "node = \"other\"");
    site.deliver("b.eml", mail("b", &["all"], "b"));
    assert_eq!(site.pass()["filed"], 1);
    first.kill().unwrap();
    first.wait().unwrap();
    // What the dead one held is adopted.
    assert_eq!(site.run()[0]["filed"], 1);
    assert_eq!(site.documents("all").len(), 4);
}

#[test]
fn ctrl_c_ends_a_run_after_the_batch_in_hand() {
    // More than the batch in hand and those that were read meanwhile.
    const MAILS: u64 = 1000;
    let site = Site::open_to_all();
    for nth in 0..MAILS {
        site.deliver(&format!("{nth}.eml"), mail(&nth.to_string(), &["all"], &nth.to_string()));
    }
    let mut command = site.command(&["run", "--json"]);
    command.env("MAILSHELF_FAILPOINT", "stored=wait").env("MAILSHELF_GATE", site.path("gate"));
    let child = command.stdout(Stdio::piped()).spawn().unwrap();
    let _limit = Limit::of(&child);
    site.wait_for("something to be stored", |site| !site.contents().is_empty());
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT)
        .unwrap();
    fs::write(site.path("gate"), "").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let event: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(event["interrupted"], true);
    let filed = event["filed"].as_u64().unwrap();
    assert!((1..MAILS).contains(&filed), "{filed} of {MAILS} were filed");
    assert_eq!((site.waiting().len() + site.claims().len()) as u64 + filed, MAILS);
    site.run();
    assert_eq!(site.documents("all").len() as u64, 2 * MAILS);
    site.assert_sound();
}

#[test]
fn output_that_nobody_reads_is_no_error() {
    let site = Site::new();
    for nth in 0..300 {
        let name = format!("library-{nth}");
        site.ok(&["library", "add", &name, "--alias", &name]);
    }
    let mut child =
        site.command(&["library", "list"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn the_domain_of_the_site_is_the_one_that_was_asked_for() {
    let site = Site::new();
    let shown = site.json(&["library", "add", "x", "--alias", "x"]);
    assert_eq!(shown[0]["address"], format!("x@{DOMAIN}"));
}

/// What root makes in the site of another user that user could not use any more.
#[test]
fn root_does_not_work_in_the_site_of_another_user() {
    if !is_root() {
        crate::util::skip("only root could do that");
        return;
    }
    let site = Site::new();
    std::os::unix::fs::chown(site.path("state/catalog.db"), Some(65534), None).unwrap();
    for command in [&["run"][..], &["serve"], &["replay", "."]] {
        let error = site.fails(2, command);
        assert_says(
            &error,
            &["it belongs to user 65534, and this is root", "hint: do it as that user: runuser "],
        );
    }
    site.ok(&["status"]);
}
