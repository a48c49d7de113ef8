//! From which server a mail came: the address of the client that our own server spoke to, as it noted it itself.
//!
//! In its `Received` the client has a say too: in HELO, which may be an address in brackets, and by the name its address
//! has in the DNS. So an address only counts in the place where each server puts the one it saw:
//!
//! ```text
//! from HELO (name [192.0.2.1])                 Postfix, OpenSMTPD, IIS; (unknown [192.0.2.1])
//! from HELO ([192.0.2.1])                      IIS, Sendmail; (name [192.0.2.1] (may be forged))
//! from HELO (192.0.2.1)                        Exchange
//! from name ([192.0.2.1] helo=HELO)            Exim; ([192.0.2.1]:25 helo=HELO ident=…)
//! from [192.0.2.1] (helo=HELO)                 Exim, where the address has no name
//! ```
//!
//! then further comments, and `by`. An address in a second place leaves doubt, and then there is none: so does a second
//! `by`, as the first may be the client's, and a bracket among words of its own. Only the client's name may be an address,
//! as the first word or behind `helo=`.

use std::net::{IpAddr, Ipv6Addr};

use super::received::{BLANKS, comment, has_one_by};
use super::results::unfold;
use super::traces::Traces;
use crate::config::Servers;
use crate::envelope::Envelope;

/// The client's address, by the value of a `Received`.
pub fn client(value: &[u8]) -> Option<IpAddr> {
    let text = unfold(value).ok()?;
    let (first, rest) = text.trim_start_matches(BLANKS).strip_prefix("from ")?.split_once(BLANKS)?;
    let mut rest = rest.trim_start_matches(BLANKS);
    if first.contains(['(', ')']) {
        return None;
    }
    let mut seen = Vec::new();
    let mut is_first = true;
    while !rest.starts_with("by ") {
        let (text, next) = comment(rest)?;
        let address = match is_first && is_exim(text) {
            true if !is_exims(text) => return None,
            true => bracketed(first).filter(|(_, rest)| rest.is_empty()).map(|(address, _)| address),
            false => noted(text),
        };
        match address {
            Some(address) => seen.push(address),
            None if has_address(text) => return None,
            None => {}
        }
        (rest, is_first) = (next, false);
        if seen.is_empty() {
            return None;
        }
    }
    match seen.as_slice() {
        [address] if has_one_by(rest) && !has_address(before_last_by(rest)) => Some(address.to_canonical()),
        _ => None,
    }
}

/// What stands before the last `by`, in a comment or out of it: of what is behind it the client had nothing to do with the
/// address.
fn before_last_by(text: &str) -> &str {
    let words = text.split_inclusive(BLANKS).scan(0, |end, word| {
        let start = *end;
        *end += word.len();
        Some((start, word.trim_end_matches(BLANKS)))
    });
    let last = words.filter(|(_, word)| word.eq_ignore_ascii_case("by")).last();
    last.and_then(|(at, _)| text.get(..at)).unwrap_or_default()
}

/// Whether an address may stand here: after a bracket, or alone in parentheses.
fn has_address(text: &str) -> bool {
    let mut comments = text.split('(').skip(1).filter_map(|rest| rest.split_once(')'));
    text.contains('[') || comments.any(|(comment, _)| parse(comment.trim_matches(BLANKS)).is_some())
}

/// What Exim puts behind an address without a name, and nobody else begins with.
fn is_exim(comment: &str) -> bool {
    comment.starts_with("helo=") || comment.starts_with("port=")
}

/// Whether what Exim puts behind an address holds none but the client's name.
fn is_exims(words: &str) -> bool {
    let is_name =
        |word: &str| word.strip_prefix("helo=").and_then(bracketed).is_some_and(|(_, rest)| rest.is_empty());
    words.split(BLANKS).all(|word| is_name(word) || !has_address(word))
}

/// The address in a comment of one of these forms.
fn noted(comment: &str) -> Option<IpAddr> {
    if let Some(address) = parse(comment) {
        return Some(address);
    }
    let name = comment.split_once(' ').filter(|(name, _)| is_name(name));
    let (address, rest) = bracketed(name.map_or(comment, |(_, literal)| literal))?;
    let rest = rest.trim_start_matches(BLANKS);
    // The name may end in what the client answers to a question for its user (RFC 1413).
    let may_be_exim = name.is_none() && (rest.starts_with("helo=") || rest.starts_with("ident="));
    let is_known = matches!(rest, "" | "(may be forged)" | "unverified") || (may_be_exim && is_exims(rest));
    is_known.then_some(address)
}

/// Whether this may be the name of an address, and not what the client calls itself (qmail).
fn is_name(word: &str) -> bool {
    !word.contains(['[', '=', '"']) && !["helo", "ehlo"].iter().any(|helo| word.eq_ignore_ascii_case(helo))
}

/// An address in brackets, and what follows it and its port.
fn bracketed(text: &str) -> Option<(IpAddr, &str)> {
    let (address, rest) = text.strip_prefix('[')?.split_once(']')?;
    let rest = match rest.strip_prefix(':') {
        Some(port) => port.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    (rest.is_empty() || rest.starts_with(BLANKS)).then_some((parse(address)?, rest))
}

/// An address, with the tag of RFC 5321 section 4.1.3 or without it, a zone (`%eth0`) taken off.
fn parse(text: &str) -> Option<IpAddr> {
    let tagged = text.get(..5).filter(|tag| tag.eq_ignore_ascii_case("ipv6:")).and(text.get(5..));
    let bare = tagged.unwrap_or(text);
    match bare.split_once('%') {
        Some((address, _)) => address.parse::<Ipv6Addr>().ok().map(IpAddr::from),
        None if tagged.is_some() => bare.parse::<Ipv6Addr>().ok().map(IpAddr::from),
        None => bare.parse().ok(),
    }
}

/// Whether a mail comes from one of the servers it may come from: what was seen and by which rule, in words, either way.
/// `None` where any server may send.
pub fn check(servers: &Servers, envelope: &Envelope, traces: &Traces) -> Option<Result<String, String>> {
    if servers.are_any() {
        return None;
    }
    let (address, by) = match &envelope.source {
        Some(source) => (parse(source), "X-SourceIPAddress, as Exchange wrote it"),
        None => (traces.client, "the first Received"),
    };
    Some(match address.map(|address| (address, servers.network_of(address))) {
        Some((address, Some(network))) => {
            Ok(format!("it comes from {address}, by {by}: in {network} of drop.safe_servers"))
        }
        Some((address, None)) => {
            Err(format!("it comes from {address}, by {by}; drop.safe_servers has {servers}"))
        }
        None => Err(format!(
            "no address of the server it comes from is found in {by}; drop.safe_servers has {servers}"
        )),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(value: &str) -> Option<String> {
        client(value.as_bytes()).map(|address| address.to_string())
    }

    #[test]
    fn the_forms_of_servers() {
        for value in [
            " from mail.example.org (mail.example.org [192.0.2.1])\r\n\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\r\n\
             \t(No client certificate requested)\r\n\tby mx1.docs.example.org (Postfix) with ESMTPS id 4F2C\r\n\tfor <x@docs.example.org>; Sat",
            " from [203.0.113.9] (unknown [192.0.2.1])\r\n\tby mx1 (Postfix) with ESMTP id 1; Sat",
            " from [203.0.113.9] (client.example [192.0.2.1])\r\n\t(Authenticated sender: alice)\r\n\tby mx1 (Postfix) with ESMTPSA id 1",
            "from mail.example.org ([192.0.2.1])\r\n\tby mx1.docs.example.org with esmtps (TLS1.3) (Exim 4.96)\r\n\tid 1; Sat",
            "from mail.example.org ([192.0.2.1] helo=[203.0.113.9]) by mx1 with esmtp (Exim 4.96) id 1; Sat",
            "from mail.example.org ([192.0.2.1]:54321 helo=x ident=y) by mx1 with esmtp (Exim 4.96) id 1; Sat",
            "from [192.0.2.1] (helo=[203.0.113.9]) by mx1 with esmtp (Exim 4.96) id 1; Sat",
            "from [192.0.2.1] (port=4711 helo=x) by mx1 with esmtp (Exim 4.96) id 1; Sat",
            "from [192.0.2.1]:4711 (helo=x) by mx1 with esmtp (Exim 4.96) id 1; Sat",
            "from x.example.org (x.example.org [192.0.2.1]) by mx1 (8.17.1/8.17.1) with ESMTPS id 1 for <x@y>; Sat",
            "from [203.0.113.9] ([192.0.2.1]) by mx1 (8.17.1/8.17.1) with ESMTP id 1; Sat",
            "from x (IDENT:alice@x.example.org [192.0.2.1] (may be forged)) by mx1 (8.17.1) with ESMTP id 1; Sat",
            "from mail ([192.0.2.1]) by server with Microsoft SMTPSVC(10.0.14393.0);\r\n\t Sat",
            "from EX1.example.org (192.0.2.1) by EX2.docs.example.org (10.0.0.2) with\r\n Microsoft SMTP Server (version=TLS1_2) id 15.1; Sat",
            "from [203.0.113.9] (192.0.2.1) by EX2.docs.example.org (10.0.0.2) with Microsoft SMTP Server id 14",
            "from x (y [::ffff:192.0.2.1]) by mx1",
            "from x\r\n\t(y [192.0.2.1])\r\n\tby mx1",
            "from mail ([192.0.2.1] unverified) by server with Microsoft SMTPSVC(6.0.3790.1830); Sat",
            "from x (192.0.2.1) by mx1 with SMTP; 21 Nov 2026",
            "from mail.example.org ([192.0.2.1] ident=alice by x) by mx1 with esmtp (Exim 4.96)\r\n\t(envelope-from <\"a by b\"@x>) id 1; Sat",
            "from [192.0.2.1] (port=4711 helo=[203.0.113.9] ident=y) by mx1 with esmtp (Exim 4.96) id 1; Sat",
            "from x ([192.0.2.1] helo=my own pc) by mx1 with esmtp (Exim 4.96) id 1; Sat",
            "from mail.example.org (mail.example.org [192.0.2.1]) (Client CN \"made by x\", Issuer \"y\" (verified OK)) by mx1 (Postfix) with ESMTPS",
            "from mail.example.org (mail.example.org [192.0.2.1])\r\n\tby mx1 (OpenSMTPD) with ESMTPS id 1 (TLSv1.3:X:256:NO)\r\n\tfor <x@y>;\r\n\tSat",
        ] {
            assert_eq!(found(value).as_deref(), Some("192.0.2.1"), "{value}");
        }
        for value in [
            "from x (y [IPv6:2001:db8::1]) by mx1 (Postfix)",
            "from x (y [ipv6:2001:DB8::1]) by mx1",
            "from x ([2001:db8::1] helo=y) by mx1 (Exim)",
            "from [IPv6:2001:db8::1] (helo=y) by mx1",
            "from EX1 (2001:db8::1) by EX2 (::1) with Microsoft SMTP Server",
            "from EX1 (2001:db8::1%12) by EX2 (fe80::2%4) with Microsoft SMTP Server",
        ] {
            assert_eq!(found(value).as_deref(), Some("2001:db8::1"), "{value}");
        }
    }

    /// What the client says of itself, and what leaves doubt.
    #[test]
    fn nothing_else_is_an_address() {
        for value in [
            "from [192.0.2.1] by mx1",
            "from 192.0.2.1 by mx1",
            "from mail.example.net by mx1; Sat",
            "by mx1 (Postfix, from userid 1000) id 1; Sat",
            "from x (HELO [192.0.2.1]) by mx1",
            "from x (HELO 192.0.2.1) (203.0.113.9) by mx1",
            "from x (y [192.0.2.1]) (z [203.0.113.9]) by mx1",
            "from [192.0.2.1] (helo=x) (unknown [203.0.113.9]) by mx1",
            "from [192.0.2.1] (helo=x) ([203.0.113.9]) by mx1",
            "from [192.0.2.1] (helo=x) (203.0.113.9) by mx1",
            "from [192.0.2.1] ([203.0.113.9] x) by mx1",
            "from x ([192.0.2.1] evil [203.0.113.9]) by mx1",
            "from x ([192.0.2.1]@host [203.0.113.9]) by mx1",
            "from x (using TLS) (y [192.0.2.1]) by mx1",
            "from x (y [192.0.2.1])",
            "from x (y [192.0.2.1]) with by mx1",
            "from x y (z [192.0.2.1]) by mx1",
            "from (x [192.0.2.1]) (y [203.0.113.9]) by mx1",
            "from x (y [192.0.2.1.5]) by mx1",
            "from x (y [192.0.2]) by mx1",
            "from x (y [IPv6:192.0.2.1]) by mx1",
            "from x (y [fe80::1%eth0) by mx1",
            "from x (\"y [192.0.2.1]\") by mx1",
            "from x (a=b [192.0.2.1]) by mx1",
            "",
            // HELO in several words, some of them as the server writes them.
            "from x ([192.0.2.1]) by y ([203.0.113.9]) by srv with Microsoft SMTPSVC(10.0.14393.0)",
            "from x ([192.0.2.1]) BY y ([203.0.113.9])\r\n\tby srv with Microsoft SMTPSVC(10.0.14393.0)",
            "from x ([192.0.2.1]) by y with SMTP id 1; Sat ([203.0.113.9]) by srv with Microsoft SMTPSVC(10.0.14393.0)",
            "from x (192.0.2.1) by y (203.0.113.9) by EX2 (10.0.0.2) with Microsoft SMTP Server",
            "from x (192.0.2.1) by y ( (203.0.113.9) by EX2 (10.0.0.2) with Microsoft SMTP Server",
            "from x (192.0.2.1) by y ( (203.0.113.9) by EX2 with SMTP for <\"a)\"@docs.example.org>",
            "from x ([192.0.2.1]) ( ([203.0.113.9]) by srv with SMTP for <\"a) by y\"@docs.example.org>",
            "from x ([192.0.2.1]) ( (203.0.113.9) by srv with SMTP for <\"a) by y\"@docs.example.org>",
            // An answer to a question for the user, or a name in the DNS.
            "from x (IDENT:a [192.0.2.1] ident=@y [203.0.113.9]) by mx",
            "from x (IDENT:a [192.0.2.1] ident=@[203.0.113.9]) by mx",
            "from x (IDENT:a [192.0.2.1] ident=b) by mx",
            "from x (IDENT:a [192.0.2.1]) (b c@y [203.0.113.9]) by mx",
            "from x (IDENT:a [192.0.2.1]) by z (@y [203.0.113.9]) by mx",
            "from x (y [192.0.2.1] helo=z [203.0.113.9]) by mx",
            "from x ([192.0.2.1] helo=z [203.0.113.9]) by mx",
            "from x ([192.0.2.1] helo=[203.0.113.9]z) by mx",
            "from x ([192.0.2.1] helo=z (203.0.113.9)) by mx",
            "from [192.0.2.1] (helo=z [203.0.113.9]) by mx",
            "from x ([192.0.2.1] unverified evil [203.0.113.9]) by mx",
            "from x (y [192.0.2.1] (may be forged) [203.0.113.9]) by mx",
        ] {
            assert_eq!(found(value), None, "{value}");
        }
    }
}
