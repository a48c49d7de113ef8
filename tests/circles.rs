//! Mail that goes round in circles, and mail that only looks so.

use serde_json::Value;

use crate::util::{DOMAIN, Site, mail};

/// The one mail of a pass, foretold by `explain` to end as it does.
fn outcome(site: &Site, text: &str) -> Value {
    site.deliver("a.eml", text);
    let told = site.json(&["explain", site.path("drop/a.eml").to_str().unwrap()]).remove(0);
    let mut mail = site.pass()["mails"][0].take();
    for (told, done) in
        told["recipients"].as_array().unwrap().iter().zip(mail["recipients"].as_array().unwrap())
    {
        assert_eq!((&told["outcome"], &told["because"]), (&done["outcome"], &done["because"]));
    }
    mail["recipients"].take()
}

#[test]
fn a_mail_that_has_passed_too_many_servers_is_refused() {
    let site = Site::open_to_all();
    let passed = |count: usize| {
        let more = "Received: from a by b; Sat, 21 Nov 2026 04:00:00 +0000\r\n".repeat(count - 1);
        mail("a", &["all", "nobody"], "a").replace("From: Alice", &format!("{more}From: Alice"))
    };
    let recipients = outcome(&site, &passed(51));
    assert_eq!(
        (&recipients[0]["outcome"], &recipients[0]["reason"]),
        (&"rejected".into(), &"mail-loop".into())
    );
    assert_eq!(recipients[0]["because"], "it has passed 51 servers, and the limit is 50");
    assert_eq!(recipients[0]["library"], "all");
    assert_eq!(recipients[1]["reason"], "unknown-alias");
    site.deliver("a.eml", passed(51));
    let told = site.ok(&["explain", site.path("drop/a.eml").to_str().unwrap()]);
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    let why = "but the mail goes round in circles: it has passed 51 servers, and the limit is 50";
    assert!(told.contains(why), "{told}");
    site.pass();
    assert_eq!(outcome(&site, &passed(50))[0]["outcome"], "filed");
    site.assert_sound();
}

/// For the library it was sent on for, under whichever of its addresses; others get it.
#[test]
fn a_mail_that_a_library_sent_on_does_not_come_back_to_it() {
    let site = Site::open_to_all();
    site.ok(&["library", "add", "other", "--alias", "other", "--sender-policy", "anyone"]);
    let looped = |address: &str| {
        mail("a", &["all", "other"], address)
            .replace("From: Alice", &format!("X-Loop: {address}\r\nFrom: Alice"))
    };
    for own in [format!("all@{DOMAIN}"), format!("<ALL+reports@{}>", DOMAIN.to_uppercase())] {
        let recipients = outcome(&site, &looped(&own));
        assert_eq!(recipients[0]["reason"], "mail-loop", "{own}");
        assert!(
            recipients[0]["because"].as_str().unwrap().starts_with("by its X-Loop it was sent on for all")
        );
        assert_eq!(recipients[1]["outcome"], "filed", "{own}");
    }
    for other in ["all@example.net", "nobody@docs.example.org", "all", "yes"] {
        assert_eq!(outcome(&site, &looped(other))[0]["outcome"], "filed", "{other}");
    }
}

/// They warn those who would answer, and nobody answers here.
#[test]
fn automatic_and_list_mail_is_filed_as_policy_says() {
    let site = Site::open_to_all();
    for (nth, field) in [
        "Auto-Submitted: auto-generated",
        "Auto-Submitted: auto-replied",
        "Precedence: bulk",
        "List-Id: <l.example.org>",
        "X-Auto-Response-Suppress: All",
        "Return-Path: <>",
        "Delivered-To: all@docs.example.org",
        "From: all@docs.example.org",
    ]
    .iter()
    .enumerate()
    {
        let mut text =
            mail(&nth.to_string(), &["all"], "a").replace("From: Alice", &format!("{field}\r\nX-Was: Alice"));
        if !field.starts_with("From") {
            text = text.replace("X-Was: ", "From: ");
        }
        let text = text.replace("x-sender: alice@example.org", "x-sender: <>");
        assert_eq!(outcome(&site, &text)[0]["outcome"], "filed", "{field}");
    }
}
