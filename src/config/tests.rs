use super::*;

fn parse(text: &str) -> Result<Config, (String, Option<String>)> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("mailshelf.toml");
    fs::write(&file, text).unwrap();
    Config::load(&file).map_err(|error| (error.why.clone(), error.hint))
}

const SITE: &str = "[site]\ndomains = [\"Docs.Example.org\"]\n";

#[test]
fn the_shipped_file_says_the_defaults() {
    let bare = parse("[site]\ndomains = [\"docs.example.org\"]\n").unwrap();
    let shipped = parse(TEMPLATE).unwrap();
    let text = |config: &Config| {
        let base = config.file.parent().unwrap().display().to_string();
        format!("{config:?}").replace(&base, "")
    };
    assert_eq!(text(&bare), text(&shipped));
}

#[test]
fn paths_are_relative_to_the_file() {
    let config = parse(SITE).unwrap();
    let base = config.file.parent().unwrap();
    assert_eq!(config.drop.path, base.join("drop"));
    assert_eq!(config.storage.catalog, base.join("state/catalog.db"));
    assert_eq!(config.site.domains, ["docs.example.org"]);
}

#[test]
fn an_unknown_key_names_its_line_and_the_nearest_known_one() {
    let (why, hint) = parse(&format!("{SITE}[drop]\nsetle = \"1s\"\n")).unwrap_err();
    assert_eq!(why, "line 4: unknown key `drop.setle`");
    assert_eq!(hint.unwrap(), "the nearest known one is `drop.settle`");
    for (written, nearest) in [
        ("require_internal", "internal_require"),
        ("require-internal", "internal_require"),
        ("requires", "require"),
        ("authserv_ids", "authserv_id"),
        ("from_trust", "trust_from"),
        ("sealers_arc", "arc_sealers"),
    ] {
        let (_, hint) = parse(&format!("{SITE}[sender]\n{written} = 1\n")).unwrap_err();
        assert_eq!(hint.unwrap(), format!("the nearest known one is `sender.{nearest}`"));
    }
    let (why, hint) = parse("[sites]\n").unwrap_err();
    assert_eq!(why, "line 1: unknown key `sites`");
    assert_eq!(hint.unwrap(), "the nearest known one is `site`");
}

#[test]
fn each_wrong_value_is_refused_for_its_own_reason() {
    for (text, reason) in [
        ("[drop]\nsettle = 5", "line 4: drop.settle is a text in quotes, not a whole number"),
        (
            "[drop]\nsettle = \"5 weeks\"",
            "line 4: drop.settle: \"5 weeks\" is no time; one looks like \"2s\" or \"30d\"",
        ),
        ("[drop]\npath = [\"a\"]", "line 4: drop.path is a text in quotes, not a list"),
        ("[drop]\npath = \"\"", "line 4: drop.path is empty"),
        ("[drop]\nkept = \"\"", "line 4: drop.kept is empty"),
        ("[drop]\nkeep_rejected = \"0s\"", "line 4: drop.keep_rejected is a time from 1s on"),
        ("[storage]\nrecycle = \"0s\"", "line 4: storage.recycle is a time from 1s on"),
        ("[drop]\nbadmail = \"\"", "line 4: drop.badmail is empty"),
        ("[events]\nfile = \"\"", "line 4: events.file is empty"),
        (
            "[limits]\nmessage = \"64MB\"",
            "line 4: limits.message: \"64MB\" is no size; one looks like \"64MiB\"",
        ),
        ("[limits]\nmessage = \"5GiB\"", "line 4: limits.message is a size from 1 byte to 4GiB"),
        ("[limits]\nattachment = \"0\"", "line 4: limits.attachment is a size from 1 byte to 4GiB"),
        ("[limits]\nattachment = \"5GiB\"", "line 4: limits.attachment is a size from 1 byte to 4GiB"),
        ("[limits]\ndepth = 0", "line 4: limits.depth is a number from 1 to 100"),
        ("[limits]\nparts = 10001", "line 4: limits.parts is a number from 1 to 10000"),
        ("[limits]\nparts = -1", "line 4: limits.parts is a number from 1 to 10000"),
        ("[limits]\nparts = \"9\"", "line 4: limits.parts is a whole number, not a text in quotes"),
        (
            "[limits]\nblocked_types = [\"exe\", \"*.js\"]",
            "line 4: limits.blocked_types: \"*.js\" is no extension",
        ),
        ("[limits]\nblocked_types = [\".\"]", "line 4: limits.blocked_types: \".\" is no extension"),
        ("[limits]\nblocked_types = [\"exe \"]", "line 4: limits.blocked_types: \"exe \" is no extension"),
        ("[limits]\nblocked_types = [\"a/b\"]", "line 4: limits.blocked_types: \"a/b\" is no extension"),
        ("[limits]\nblocked_types = \"exe\"", "line 4: limits.blocked_types is a list, not a text in quotes"),
        (
            "[drop]\nformat = \"mbox\"",
            "line 4: drop.format is one of \"folder\", \"maildir\", \"auto\", not \"mbox\"",
        ),
        (
            "[storage]\ncatalog = \"postgres://me:secret@x\"",
            "line 4: storage.catalog is \"sqlite:PATH\" in this version, not \"postgres://…\"",
        ),
        (
            "[storage]\ncontents = \"me:secret@x\"",
            "line 4: storage.contents is \"file:PATH\" in this version",
        ),
        ("[storage]\ncatalog = \"sqlite:\"", "line 4: storage.catalog names no path after \"sqlite:\""),
        (
            "[sender]\nrequire = \"from-header\"",
            "line 4: sender.require is one of \"spf\", \"domain\", \"submission\", not \"from-header\"",
        ),
        (
            "[sender]\ninternal_require = \"none\"",
            "line 4: sender.internal_require is one of \"spf\", \"domain\", \"submission\", not \"none\"",
        ),
        (
            "[sender]\nresults_at = \"top\"",
            "line 4: sender.results_at is one of \"above\", \"below\", not \"top\"",
        ),
        ("[sender]\nauthserv_id = \"mx1\"", "line 4: sender.authserv_id is a list, not a text in quotes"),
        ("[sender]\nauthserv_id = [\"mx1\", \"\"]", "line 4: sender.authserv_id: \"\" is no authserv-id"),
        ("[sender]\nauthserv_id = [\"mx1;\"]", "line 4: sender.authserv_id: \"mx1;\" is no authserv-id"),
        (
            "[sender]\nown_domains = [\"a b\"]",
            "line 4: sender.own_domains: \"a b\" is no domain; one looks like docs.example.org",
        ),
        ("[sender]\nreceived_auth = 1", "line 4: sender.received_auth is true or false, not a whole number"),
        (
            "[sender]\nverify = \"spf\"",
            "line 4: sender.verify is one of \"off\", \"dkim\", \"dmarc\", not \"spf\"",
        ),
        (
            "[sender]\nresolver = \"192.0.2.1\"",
            "line 4: sender.resolver is \"system\" or \"IP:PORT\", not \"192.0.2.1\"; with the usual port it is \"192.0.2.1:53\"",
        ),
        (
            "[sender]\nresolver = \"dns.example.org:53\"",
            "line 4: sender.resolver is \"system\" or \"IP:PORT\", not \"dns.example.org:53\"",
        ),
        (
            "[sender]\nverify = \"dkim\"\narc_sealers = [\"a b\"]",
            "line 5: sender.arc_sealers: \"a b\" is no domain; one looks like docs.example.org",
        ),
        (
            "[sender]\narc_sealers = [\"x.org\"]",
            "line 4: sender.arc_sealers: nobody looks at seals while sender.verify is off",
        ),
        (
            "[drop]\nrejected = \"bounce\"",
            "line 4: drop.rejected is one of \"delete\", \"keep\", not \"bounce\"",
        ),
        (
            "[schedule]\nwatch = \"\"",
            "line 4: schedule.watch is one of \"auto\", \"inotify\", \"poll\", \"off\", not \"\"",
        ),
        (
            "[drop]\nsafe_servers = [\"::1\", \"192.0.2.0/33\"]",
            "line 4: drop.safe_servers: \"192.0.2.0/33\" is no network",
        ),
        ("[site.drop]\nx = 1", "line 3: unknown key `site.drop`"),
    ] {
        let (why, _) = parse(&format!("{SITE}{text}\n")).unwrap_err();
        assert_eq!(why, reason, "{text}");
    }
    let (why, _) = parse(&format!("{SITE}[drop\n")).unwrap_err();
    assert!(why.starts_with("line 3: "), "{why}");
    assert_eq!(parse(&format!("drop = 3\n{SITE}")).unwrap_err().0, "line 1: `drop` is a section: [drop]");
}

#[test]
fn a_drop_may_not_hold_the_site() {
    for (text, reason) in [
        ("[drop]\npath = \".\"", "line 4: the configuration "),
        ("[drop]\npath = \"state/../state\"", "line 4: storage.contents "),
        ("[events]\nfile = \"drop/events.jsonl\"", "line 4: events.file "),
        ("[storage]\ncatalog = \"sqlite:./drop/c.db\"", "line 4: storage.catalog "),
        // SQLite's own files count as the catalog.
        ("[events]\nfile = \"state/catalog.db-wal\"", "line 4: events.file "),
    ] {
        let (why, hint) = parse(&format!("{SITE}{text}\n")).unwrap_err();
        assert!(why.starts_with(reason), "{text}: {why}");
        assert_eq!(hint.as_deref(), Some(Overlap::HINT));
    }
}

#[test]
fn a_domain_that_is_named_twice_counts_once() {
    let config = parse("[site]\ndomains = [\"b.org\", \"a.org\", \"B.org\"]\n").unwrap();
    assert_eq!(config.site.domains, ["b.org", "a.org"]);
}

#[test]
fn a_site_needs_a_domain_and_sound_names() {
    for (site, reason) in [
        ("", "site.domains names no domain"),
        ("[site]\ndomains = []", "line 2: site.domains names no domain"),
        (
            "[site]\ndomains = [1]",
            "line 2: site.domains is a list of texts in quotes; one in it is a whole number",
        ),
        ("[site]\ndomains = \"x.org\"", "line 2: site.domains is a list, not a text in quotes"),
        ("[site]\ndomains = [\"a b\"]", "line 2: site.domains: \"a b\" is no domain"),
        ("[site]\ndomains = [\"x.org\"]\nnode = \"../a\"", "line 3: site.node \"../a\""),
        ("[site]\ndomains = [\"x.org\"]\nalias_prefix = \"a@\"", "line 3: site.alias_prefix"),
        ("[site]\ndomains = [\"x.org\"]\nsystem_account = \" \"", "line 3: site.system_account"),
    ] {
        let (why, _) = parse(site).unwrap_err();
        assert!(why.starts_with(reason), "{site}: {why}");
    }
}

#[test]
fn what_counts_as_proof() {
    let sender = |text: &str| parse(&format!("{SITE}[sender]\n{text}")).unwrap().sender;
    let usual = sender("");
    assert_eq!(usual.own_domains, ["docs.example.org"]);
    assert_eq!((usual.require, usual.internal_require), (Require::Domain, Require::Submission));
    let other = sender(
        "authserv_id = [\"MX1.Example.org\"]\nresults_at = \"below\"\nown_domains = [\"X.org\"]\nrequire = \"spf\"",
    );
    assert_eq!((other.authserv_id, other.results_at), (vec!["mx1.example.org".to_owned()], ResultsAt::Below));
    assert_eq!((other.own_domains, other.require), (vec!["x.org".to_owned()], Require::Spf));
}

#[test]
fn own_verification_is_set_up() {
    let text = "[sender]\nverify = \"dmarc\"\nresolver = \"[::1]:5353\"\narc_sealers = [\"Lists.X.org\"]\n";
    let config = parse(&format!("{SITE}{text}")).unwrap();
    assert_eq!(config.sender.verify, Verify::Dmarc);
    assert_eq!(config.sender.resolver, Resolver::At("[::1]:5353".parse().unwrap()));
    assert_eq!(config.sender.arc_sealers, ["lists.x.org"]);
}

#[test]
fn sizes_and_times_take_their_units() {
    let config =
        parse(&format!("{SITE}[limits]\nmessage = \"3KiB\"\nattachment = \"7\"\n[drop]\nsettle = \"2h\"\n"))
            .unwrap();
    assert_eq!((config.limits.message, config.limits.attachment), (3072, 7));
    assert_eq!(config.drop.settle, Duration::from_secs(7200));
}

#[test]
fn blocked_types_are_extensions_however_written() {
    let config = parse(&format!("{SITE}[limits]\nblocked_types = [\"EXE\", \".js\", \"tar.gz\"]\n")).unwrap();
    assert_eq!(config.limits.blocked_types, ["exe", "js", "tar.gz"]);
}
