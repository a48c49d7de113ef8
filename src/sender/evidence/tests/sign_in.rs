//! Who signed in, by results and by our own `Received`.

use super::*;

#[test]
fn who_signed_in_stands_in_the_first_received_alone() {
    let settings = Sender { received_auth: true, ..Sender::default() };
    let signed = "Received: from x (y [192.0.2.1]) (Authenticated sender: alice) by mx1 with ESMTPSA";
    for signed in [signed, &signed.replace(" with ESMTPSA", "")] {
        assert_eq!(found(&format!("{signed}\nFrom: {FROM}"), &settings).evidence.len(), 1);
    }
    for header in [
        format!("{}\nFrom: {FROM}", signed.replace("ESMTPSA", "ESMTPS")),
        format!("Received: from a (b [192.0.2.1]) by mx1\n{signed}\nFrom: {FROM}"),
        format!("From: {FROM}\n{signed}"),
        format!("{}\nFrom: {FROM}", signed.replace("Received:", "Received :")),
        format!("{}\nFrom: {FROM}", signed.replace("alice)", "alice) (Authenticated sender: bob)")),
    ] {
        assert_eq!(found(&header, &settings).evidence, [], "{header}");
    }
}

#[test]
fn results_of_a_sign_in_that_our_received_does_not_know_of() {
    let alice = "~; auth=pass smtp.auth=alice; dmarc=pass header.from=example.org";
    let below = Sender { results_at: ResultsAt::Below, ..settings() };
    for (received, above_counts, below_counts) in [
        ("from a (b [192.0.2.1]) by mx1 with ESMTPSA id 1", true, true),
        ("from a (b [192.0.2.1]) by mx1 (Exim 4) with esmtpa id 1", true, true),
        ("from a (b [192.0.2.1]) by mx1; x", true, false),
        ("from a (b [192.0.2.1]) by mx1 with ESMTPS id 1", true, false),
        ("from a with ESMTPSA (b [192.0.2.1]) by mx1 with ESMTPS id 1", true, false),
    ] {
        let above = found(&format!("{alice}\nReceived: {received}\nFrom: {FROM}"), &settings());
        let below = found(&format!("Received: {received}\n{alice}\nFrom: {FROM}"), &below);
        for (found, counts) in [(above, above_counts), (below, below_counts)] {
            let submission = |one: &Evidence| matches!(one.kind, Kind::Submission { .. });
            assert_eq!(found.evidence.iter().any(submission), counts, "{received}");
            let words =
                "auth=pass by mx1.docs.example.org for alice, but by our first Received nobody signed in";
            assert_eq!(found.somebody, (!counts).then(|| words.to_owned()), "{received}");
        }
    }
}

#[test]
fn somebody_signed_in_and_nobody_knows_who() {
    let somebody = |fields: &str| above(fields).somebody.unwrap_or_default();
    let twice = "auth is reported twice, or in an unknown version";
    assert_eq!(somebody("~; auth=pass smtp.auth=alice; auth=pass smtp.auth=alice"), twice);
    assert_eq!(somebody("~; auth=pass smtp.auth=alice\n~; auth=fail"), twice);
    assert_eq!(somebody("~; auth/2=pass smtp.auth=alice"), twice);
    assert_eq!(somebody("~; auth=none; auth=none"), "");
    let nameless = "auth=pass by mx1.docs.example.org names no account";
    assert_eq!(somebody("~; auth=pass smtp.mailfrom=alice@example.org"), nameless);
    assert_eq!(somebody("~; auth=fail smtp.auth=alice"), "");
    let odd = found(
        &format!(
            "Received: from x (y [192.0.2.1]) (authenticated sender: alice) by mx1 with ESMTPA\nFrom: {FROM}"
        ),
        &Sender { received_auth: true, ..Sender::default() },
    );
    assert_eq!(
        odd.somebody.as_deref(),
        Some("our first Received does not name an authenticated sender as Postfix does")
    );
}
