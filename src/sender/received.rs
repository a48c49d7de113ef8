//! Who signed in, as Postfix notes it in its `Received` (`smtpd_sasl_authenticated_header`):
//!
//! ```text
//! Received: from client.example (unknown [192.0.2.1])
//!         (using TLSv1.3 with cipher …)
//!         (Authenticated sender: alice)
//!         by mx1.docs.example.org (Postfix) with ESMTPSA id …
//! ```
//!
//! That somebody signed in at all, many servers say by the protocol behind `with` (RFC 3848, RFC 6531).
//!
//! The client names itself in that field (HELO, the names in its certificate), so only this form counts: the comment
//! stands by itself, last before `by`, and its words stand nowhere else.

use super::results::unfold;

/// What one `Received` says of the session that the mail came in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// Who signed in.
    pub sign_in: SignIn,
    /// Whether anybody did.
    pub protocol: Protocol,
}

/// Whether the client signed in, by the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// No protocol is named.
    #[default]
    Unsaid,
    /// It did: ESMTPA and its like.
    Authenticated,
    /// It did not, or this cannot be told.
    Other,
}

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

/// The protocols whose clients have signed in (RFC 3848, RFC 6531 section 4.3; the last two are Exim's), lower case.
const AUTHENTICATED: [&str; 10] = [
    "esmtpa",
    "esmtpsa",
    "lmtpa",
    "lmtpsa",
    "utf8smtpa",
    "utf8smtpsa",
    "utf8lmtpa",
    "utf8lmtpsa",
    "utf8esmtpa",
    "utf8esmtpsa",
];

/// Reads the value of a `Received`.
pub fn session(value: &[u8]) -> Session {
    let text = unfold(value).unwrap_or_default();
    let is_authenticated = with(&text).is_some_and(|with| AUTHENTICATED.contains(&with.as_str()));
    let says_with =
        value.to_ascii_lowercase().split(|byte| !byte.is_ascii_alphanumeric()).any(|word| word == b"with");
    let protocol = match (is_authenticated, says_with) {
        (true, _) => Protocol::Authenticated,
        (false, true) => Protocol::Other,
        (false, false) => Protocol::Unsaid,
    };
    let sign_in = match sign_in(value) {
        // Postfix never names another protocol with it.
        SignIn::Account(_) if protocol == Protocol::Other => SignIn::Odd,
        sign_in => sign_in,
    };
    Session { sign_in, protocol }
}

/// What stands behind `with`, lower case. A client may name itself in several words (HELO), and these among them: where a
/// word stands out of place, or twice, nothing is told.
fn with(text: &str) -> Option<String> {
    let plain = without_comments(text)?.to_ascii_lowercase();
    let words: Vec<&str> = plain.split_ascii_whitespace().collect();
    let once = |keyword: &str| words.iter().filter(|word| **word == keyword).count() <= 1;
    let mut clauses = words
        .chunks_exact(2)
        .filter_map(|pair| if let [name, value] = pair { Some((*name, *value)) } else { None });
    let mut next = clauses.next()?;
    if next.0 == "from" {
        next = clauses.next()?;
    }
    if next.0 != "by" {
        return None;
    }
    let next = match clauses.next() {
        Some(("via", _)) => clauses.next(),
        next => next,
    };
    let (_, with) = next.filter(|(name, _)| *name == "with")?;
    ["from", "by", "via", "with"].into_iter().all(once).then(|| with.trim_end_matches(';').to_owned())
}

/// The text outside comments; none where it cannot be told what is.
fn without_comments(text: &str) -> Option<String> {
    let mut depth = 0usize;
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            '\\' => return None,
            _ if depth == 0 => plain.push(character),
            _ => {}
        }
    }
    (depth == 0).then_some(plain)
}

/// Whether the `by` that a text begins with is the only one outside comments. Where the client could write one, in HELO,
/// there is another behind it: the server's own.
pub(super) fn has_one_by(text: &str) -> bool {
    let is_by = |word: &&str| word.eq_ignore_ascii_case("by");
    without_comments(text).is_some_and(|plain| plain.split_ascii_whitespace().filter(is_by).count() == 1)
}

fn sign_in(value: &[u8]) -> SignIn {
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
    let account = last.strip_prefix("Authenticated sender: ").filter(|_| has_one_by(rest))?;
    // Postfix writes ? for what may not stand in a comment: nobody knows what the account was.
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"()\\\"?<>,;:[]".contains(&byte);
    (!account.is_empty() && account.bytes().all(plain)).then(|| account.to_owned())
}

pub(super) const BLANKS: [char; 2] = [' ', '\t'];

/// The comment that the text begins with, and what follows it and the blanks behind it.
pub(super) fn comment(text: &str) -> Option<(&str, &str)> {
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
        session_of(between).sign_in
    }

    fn session_of(between: &str) -> Session {
        let value = format!(
            " from [192.0.2.7] (client.example [192.0.2.7])\r\n\t(using TLSv1.3 with cipher X (256/256 bits))\r\n\
             \t(No client certificate requested)\r\n\t{between}\r\n\tby mx1.docs.example.org (Postfix) with ESMTPSA id 4F2C\r\n\
             \tfor <x@docs.example.org>; Sat, 21 Nov 2026 04:00:00 +0000 (UTC)"
        );
        session(value.as_bytes())
    }

    #[test]
    fn whether_anybody_signed_in() {
        use Protocol::{Authenticated, Other, Unsaid};
        for (value, protocol) in [
            ("from a (b [192.0.2.1]) by MX1.example.org (Postfix) with ESMTPSA id 1; x", Authenticated),
            (
                "from a (b [192.0.2.1])\r\n\t(using TLSv1.3 with cipher X (256/256 bits))\r\n\tby mx (Postfix) with ESMTPA id 1",
                Authenticated,
            ),
            (
                "from [192.0.2.7] (helo=x)\r\n\tby mx with esmtpsa  (TLS1.3) tls X\r\n\t(Exim 4.96)\r\n\tid 1",
                Authenticated,
            ),
            ("by mx via TCP with UTF8SMTPSA;", Authenticated),
            ("from a (b [192.0.2.1]) by mx (Postfix) with ESMTPS id 1; x", Other),
            ("from a (1.2.3.4) by mx (5.6.7.8) with Microsoft SMTP Server (version=TLS1_2) id 1", Other),
            ("from a ([192.0.2.1]) by mx; x", Unsaid),
            ("by mx (Postfix, from userid 1000) id 1; x", Unsaid),
            ("x", Unsaid),
            // What a client says of itself.
            ("from a by evil with ESMTPSA (b [192.0.2.1]) by mx (Postfix) with ESMTP id 1", Other),
            ("from a by evil with ESMTPSA (b [192.0.2.1]) by mx (Postfix) id 1", Other),
            ("from a with ESMTPSA (b [192.0.2.1]) by mx (Postfix) with ESMTP id 1", Other),
            ("from a (by evil with ESMTPSA) by mx (Postfix) with ESMTP id 1", Other),
            ("from a \\( by evil with ESMTPSA (b) by mx with ESMTP id 1", Other),
            ("from a (b [192.0.2.1]) by mx (with ESMTPSA) id 1", Other),
        ] {
            assert_eq!(session(value.as_bytes()).protocol, protocol, "{value}");
        }
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
