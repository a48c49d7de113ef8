//! An alias that was changed still leads to its library, and every word on that.

use serde_json::Value;

use crate::util::{DOMAIN, Site, mail};

/// A site with the libraries `a` and `b`, each with its name as alias.
fn site() -> Site {
    let site = Site::new();
    for name in ["a", "b"] {
        site.ok(&["library", "add", name, "--alias", name, "--sender-policy", "anyone"]);
    }
    site
}

fn set(site: &Site, library: &str, alias: &str) {
    site.ok(&["library", "set", library, "--alias", alias]);
}

/// Explains a mail to this recipient, files it, and asserts that this was foretold: the library, or the reason where
/// there is none, and the former alias.
fn leads(site: &Site, local: &str) -> (String, Option<String>) {
    let id = format!("to-{local}-{}", site.events().len());
    site.deliver("a.eml", mail(&id, &[local], &id));
    let told = site.json(&["explain", site.path("drop/a.eml").to_str().unwrap()]).remove(0);
    let record = site.pass()["mails"][0]["recipients"][0].clone();
    for field in ["outcome", "reason", "library", "former_alias"] {
        assert_eq!(told["recipients"][0].get(field), record.get(field), "{field}");
    }
    let kept = site.json(&["mail", "list", "-n", "1"]).remove(0);
    assert_eq!(kept["recipients"][0].get("former_alias"), record.get("former_alias"));
    let text = |field: &str| record[field].as_str().map(str::to_owned);
    (text("library").or(text("reason")).unwrap(), text("former_alias"))
}

fn by(library: &str, former: Option<&str>) -> (String, Option<String>) {
    (library.to_owned(), former.map(str::to_owned))
}

fn former(site: &Site, library: &str) -> Vec<String> {
    let shown = site.json(&["library", "show", library]).remove(0);
    let listed = shown["former_aliases"].as_array().unwrap().clone();
    let mut listed: Vec<_> = listed.iter().map(|one| one["alias"].as_str().unwrap().to_owned()).collect();
    listed.sort();
    listed
}

#[test]
fn it_leads_there_after_one_change_and_after_two_and_after_going_back() {
    let site = site();
    set(&site, "a", "second");
    assert_eq!(leads(&site, "a"), by("a", Some("a")));
    assert_eq!(leads(&site, "second"), by("a", None));
    set(&site, "a", "third");
    assert_eq!((leads(&site, "A"), leads(&site, "Second")), (by("a", Some("a")), by("a", Some("second"))));
    assert_eq!(former(&site, "a"), ["a", "second"]);
    set(&site, "a", "a");
    assert_eq!((leads(&site, "a"), leads(&site, "third+x")), (by("a", None), by("a", Some("third"))));
    assert_eq!(former(&site, "a"), ["second", "third"]);
    site.ok(&["library", "set", "a", "--enabled", "no"]);
    assert_eq!(leads(&site, "third"), by("a", Some("third")));
    let last = site.json(&["mail", "list"]).remove(0);
    assert_eq!(last["recipients"][0]["reason"], "mail-disabled");
    site.assert_sound();
}

#[test]
fn another_library_that_is_given_it_has_it_at_once() {
    let site = site();
    set(&site, "a", "new");
    let output = site.output(&["library", "set", "b", "--alias", "a"]);
    let warning = String::from_utf8(output.stderr).unwrap();
    assert!(
        warning
            .contains("warning: alias a: mail to it went to library a until now, and goes to b from now on"),
        "{warning}"
    );
    assert_eq!((leads(&site, "a"), leads(&site, "b")), (by("b", None), by("b", Some("b"))));
    assert_eq!((former(&site, "a"), former(&site, "b")), (vec![], vec!["b".to_owned()]));
    let made = site.output(&["library", "add", "c", "--alias", "b", "--sender-policy", "anyone"]);
    assert!(made.status.success() && String::from_utf8(made.stderr).unwrap().contains("went to library b"));
    assert_eq!(leads(&site, "b"), by("c", None));
    // Given up, it is the last one's, and goes with it.
    set(&site, "b", "other");
    assert_eq!(leads(&site, "a"), by("b", Some("a")));
    site.ok(&["library", "add", "d", "--alias", "d"]);
    set(&site, "d", "e");
    site.ok(&["library", "remove", "d"]);
    assert_eq!(leads(&site, "d"), by("unknown-alias", None));
    // No library took anything from itself, so none is warned of.
    let back = site.output(&["library", "set", "b", "--alias", "a"]);
    assert_eq!(String::from_utf8(back.stderr).unwrap(), "");
}

/// A whole match comes before a subaddress, for a former alias as for a live one.
#[test]
fn subaddresses_and_prefixes_are_as_for_an_alias_in_use() {
    let site = site();
    set(&site, "b", "a+x");
    set(&site, "b", "b2");
    assert_eq!((leads(&site, "a+x"), leads(&site, "a+y")), (by("b", Some("a+x")), by("a", None)));
    assert_eq!(leads(&site, "b+march"), by("b", Some("b")));
    site.configure("alias_prefix = \"\"", "alias_prefix = \"to-\"");
    assert_eq!((leads(&site, "TO-B"), leads(&site, "b")), (by("b", Some("b")), by("unknown-alias", None)));
}

#[test]
fn it_ends_with_its_term_when_it_is_dropped_and_where_none_is_wanted() {
    let site = site();
    set(&site, "a", "new");
    site.configure("former_alias = \"90d\"", "former_alias = \"0s\"");
    assert_eq!((leads(&site, "a"), former(&site, "a").len()), (by("unknown-alias", None), 0));
    let text = site.ok(&["library", "show", "a"]);
    assert!(
        text.lines().any(|line| line.starts_with("former-aliases") && line.ends_with("  none")),
        "{text}"
    );
    site.configure("former_alias = \"0s\"", "former_alias = \"1s\"");
    site.wait_for("the end of a second", |site| former(site, "a").is_empty());
    assert_eq!(leads(&site, "a"), by("unknown-alias", None));
    // What has ended is nobody's to be warned of.
    let output = site.output(&["library", "set", "b", "--alias", "a"]);
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    site.configure("former_alias = \"1s\"", "former_alias = \"36500d\"");
    assert_eq!(leads(&site, "b"), by("b", Some("b")));
    let error = site.fails(2, &["library", "set", "b", "--forget", "a"]);
    assert!(
        error.contains("alias a: no former alias of library b") && error.contains("library show b"),
        "{error}"
    );
    site.ok(&["library", "set", "b", "--forget", "B"]);
    assert_eq!((leads(&site, "b"), former(&site, "b").len()), (by("unknown-alias", None), 0));
    // At once with the change, too.
    site.ok(&["library", "set", "b", "--alias", "c", "--forget", "a"]);
    assert_eq!(leads(&site, "a"), by("unknown-alias", None));
    site.configure("former_alias = \"36500d\"", "former_alias = \"soon\"");
    let error = site.fails(2, &["library", "list"]);
    assert!(error.contains("former_alias") && error.contains("\"soon\" is no time"), "{error}");
    site.configure("former_alias", "formeralias");
    assert!(site.fails(2, &["library", "list"]).contains("the nearest known one is `site.former_alias`"));
}

#[test]
fn people_are_told_by_which_alias_it_came() {
    let site = site();
    set(&site, "a", "new");
    site.deliver("a.eml", mail("1", &["a+x"], "text"));
    let text = site.ok(&["explain", site.path("drop/a.eml").to_str().unwrap()]);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let until = site.json(&["library", "show", "a"])[0]["former_aliases"][0]["until"].clone();
    let until = until.as_str().unwrap();
    let said = format!(
        "a, by its former alias a, which leads there until {until} (site.former_alias); its alias is new now; from the + on \
         it is a subaddress"
    );
    assert!(text.contains(&said), "{text}");
    site.pass();
    let listed = site.json(&["mail", "list"]).remove(0);
    let shown = site.ok(&["mail", "show", listed["mail"].as_str().unwrap()]);
    assert!(shown.contains("\n  library        a\n  former alias   a\n"), "{shown}");
    let line = site.ok(&["events"]);
    assert!(line.contains(&format!("a+x@{DOMAIN} (a former alias of a) → a: attachment.txt")), "{line}");
    let shown = site.ok(&["library", "show", "a"]);
    assert!(shown.contains(&format!("a until {until}")), "{shown}");
    // A replay may name it.
    let old: Value = site.events().remove(0);
    assert_eq!(old["mails"][0]["recipients"][0]["former_alias"], "a");
    let source = site.path("one.eml");
    std::fs::write(&source, crate::util::message("2", "other")).unwrap();
    let replayed = site.ok(&["replay", source.to_str().unwrap(), "--to", &format!("a@{DOMAIN}"), "--json"]);
    assert!(replayed.contains("\"former_alias\":\"a\""), "{replayed}");
    site.assert_sound();
}
