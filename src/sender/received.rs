//! Who signed in, as Postfix notes it in its `Received` (`smtpd_sasl_authenticated_header`):
//!
//! ```text
//! Received: from client.example (unknown [192.0.2.1])
//!         (using TLSv1.3 with cipher …)
//!         (Authenticated sender: alice)
//!         by mx1.docs.example.org (Postfix) with ESMTPSA id …
//! ```
//!
//! The client names itself in that field (HELO, the names in its certificate), so only this form counts: the comment
//! stands by itself, last before `by`, and its words stand nowhere else.

use super::results::unfold;

/// Who signed in, by one `Received`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SignIn {
    /// It does not say.
    #[default]
    Unsaid,
    /// This account.
    Account(String),
    /// It says so in a way that Postfix does not.
    Odd,
}

const WORDS: &str = "authenticated sender";

/// Reads the value of a `Received`.
pub fn sign_in(value: &[u8]) -> SignIn {
    let lower = value.to_ascii_lowercase();
    let mut said = lower.windows(WORDS.len()).filter(|window| *window == WORDS.as_bytes());
    match (said.next(), said.next()) {
        (None, _) => SignIn::Unsaid,
        (Some(_), None) => account(value).map_or(SignIn::Odd, SignIn::Account),
        (Some(_), Some(_)) => SignIn::Odd,
    }
}

fn account(value: &[u8]) -> Option<String> {
    let text = unfold(value).ok()?;
    let (_helo, rest) = text.trim_start_matches(BLANKS).strip_prefix("from ")?.split_once(' ')?;
    let (_client, mut rest) = comment(rest)?;
    let mut last = "";
    while !rest.starts_with("by ") {
        (last, rest) = comment(rest)?;
    }
    let account = last.strip_prefix("Authenticated sender: ")?;
    // Postfix writes ? for what may not stand in a comment: nobody knows what the account was.
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"()\\\"?<>,;:[]".contains(&byte);
    (!account.is_empty() && account.bytes().all(plain)).then(|| account.to_owned())
}

const BLANKS: [char; 2] = [' ', '\t'];

/// The comment that the text begins with, and what follows it and the blanks behind it.
fn comment(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.checked_sub(1)?,
            b'\\' => return None,
            _ => {}
        }
        if depth == 0 {
            let rest = text.get(at + 1..)?;
            let next = rest.trim_start_matches(BLANKS);
            return (at > 0 && next.len() < rest.len()).then_some((text.get(1..at)?, next));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(between: &str) -> SignIn {
        let value = format!(
            " from [192.0.2.7] (client.example [192.0.2.7])\r\n\t(using TLSv1.3 with cipher X (256/256 bits))\r\n\
             \t(No client certificate requested)\r\n\t{between}\r\n\tby mx1.docs.example.org (Postfix) with ESMTPSA id 4F2C\r\n\
             \tfor <x@docs.example.org>; Sat, 21 Nov 2026 04:00:00 +0000 (UTC)"
        );
        sign_in(value.as_bytes())
    }

    #[test]
    fn the_form_of_postfix() {
        for account in ["alice", "alice@example.org", "a.b+c_d-e"] {
            assert_eq!(
                said(&format!("(Authenticated sender: {account})")),
                SignIn::Account(account.to_owned())
            );
        }
        assert_eq!(said("(Client did not present a certificate)"), SignIn::Unsaid);
    }

    #[test]
    fn anything_like_it_says_nothing() {
        for odd in [
            "(authenticated sender: alice)",
            "(Authenticated sender:alice)",
            "(Authenticated sender: )",
            "(Authenticated sender: a b)",
            "(Authenticated sender: alice?)",
            "(Authenticated sender: alice (b))",
            "(Authenticated sender: alice) (Authenticated sender: bob)",
            "(Client CN \"Authenticated sender: alice\", Issuer \"x\" (not verified))",
            "(Client CN \"(Authenticated sender: alice)\", Issuer \"x\" (not verified))",
            "(Authenticated sender: alice) (later)",
            "(Authenticated sender: alice)with x",
            "(Authenticated sender: alice",
            "Authenticated sender: alice",
            "(a \\) (Authenticated sender: alice)",
            "by evil (Authenticated sender: alice)",
            "x (Authenticated sender: alice)",
        ] {
            assert_eq!(said(odd), SignIn::Odd, "{odd}");
        }
        for odd in [
            "from (Authenticated sender: alice) by x",
            "from x (Authenticated sender: alice) by x",
            "(Authenticated sender: alice) by x",
            "from x (y [192.0.2.1]) (Authenticated sender: alice)",
            "from x (y [192.0.2.1])\r\n(Authenticated sender: alice) by x",
            "by x (y) (Authenticated sender: alice)",
            "",
        ] {
            assert!(!matches!(sign_in(odd.as_bytes()), SignIn::Account(_)), "{odd}");
        }
    }
}
