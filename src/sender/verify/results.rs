//! What a sealer saw: the `ARC-Authentication-Results` of one instance (RFC 8617 section 4.1.1). Strict: what does not
//! follow the grammar of RFC 8601 section 2.2 says nothing.

/// The instance of the field, and what follows it: an authserv-id and results.
pub fn instance(value: &str) -> Option<(u32, &str)> {
    let (first, rest) = value.split_once(';')?;
    let (tag, number) = first.split_once('=')?;
    let number = number.trim_ascii();
    let digits = (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    (tag.trim_ascii() == "i" && digits).then_some(())?;
    Some((number.parse().ok()?, rest))
}

/// The domain that `header.from` names in a result `dmarc=pass`, lower case; it must be the one DMARC result.
pub fn dmarc_passed(results: &str) -> Option<String> {
    let plain = plain(results)?;
    let mut pieces = plain.split(';').map(str::split_ascii_whitespace);
    let mut server = pieces.next()?.peekable();
    (server.peek().is_some() && server.all(|word| !word.contains('='))).then_some(())?;
    let mut seen = None;
    for mut words in pieces {
        let Some(first) = words.next() else { continue };
        let (method, result) = first.split_once('=')?;
        let method = method.split_once('/').map_or(method, |(method, _)| method);
        if !method.eq_ignore_ascii_case("dmarc") {
            continue;
        }
        if seen.is_some() {
            return None;
        }
        let mut from = None;
        for word in words {
            let (property, value) = word.split_once('=')?;
            if property.eq_ignore_ascii_case("header.from")
                && from.replace(value.to_ascii_lowercase()).is_some()
            {
                return None;
            }
        }
        seen = Some((result.eq_ignore_ascii_case("pass"), from));
    }
    let (passed, from) = seen?;
    from.filter(|_| passed)
}

/// The text without its comments, quoted strings as one character that no value has, blanks around `=` closed up.
fn plain(text: &str) -> Option<String> {
    const QUOTED: char = '"';
    let (mut plain, mut depth, mut quoted, mut escaped) = (String::new(), 0usize, false, false);
    for c in text.chars() {
        if !matches!(c, ' '..='~' | '\t' | '\r' | '\n') {
            return None;
        }
        match c {
            _ if std::mem::take(&mut escaped) => {}
            '\\' if depth > 0 || quoted => escaped = true,
            '"' if depth == 0 => {
                quoted = !quoted;
                plain.extend(quoted.then_some(QUOTED));
            }
            _ if quoted => {}
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            _ if depth > 0 => {}
            '\\' => return None,
            c => plain.push(c),
        }
        // A comment stands for a blank.
        if c == ')' && depth == 0 && !quoted {
            plain.push(' ');
        }
    }
    if depth > 0 || quoted || escaped {
        return None;
    }
    let closed: Vec<&str> = plain.split('=').map(str::trim_ascii).collect();
    Some(closed.join("="))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(results: &str) -> Option<String> {
        dmarc_passed(results)
    }

    #[test]
    fn the_one_dmarc_result() {
        let x = Some("x.org".to_owned());
        assert_eq!(seen(" mx.y.org; dmarc=pass header.from=X.org"), x);
        assert_eq!(seen("mx.y.org 1; spf=fail; dmarc = pass (p=none; dis=none)\r\n header.from=x.org;"), x);
        assert_eq!(seen("mx.y.org; DMARC/1=pass reason=\"a; b=c\" header.from=x.org; dkim=none"), x);
        for nothing in [
            "mx.y.org; dmarc=fail header.from=x.org",
            "mx.y.org; dmarc=pass",
            "mx.y.org; dmarc=fail header.from=x.org; dmarc=pass header.from=x.org",
            "mx.y.org; dmarc=pass header.from=y.org header.from=x.org",
            "mx.y.org; spf=pass (dmarc=pass header.from=x.org)",
            "mx.y.org; spf=pass reason=\"; dmarc=pass header.from=x.org\"",
            "mx.y.org; spf=pass (; dmarc=pass header.from=x.org",
            "mx.y.org; dmarc=pass header.from=x.org)",
            "mx.y.org; dmarc=pass header.from=x.org \\",
            "mx.y.org; dmarc=pass header.from=x.org odd",
            "mx.y.org; odd; dmarc=pass header.from=x.org",
            "mx.y.org; dmarc=passed header.from=x.org",
            "dmarc=pass header.from=x.org",
            "; dmarc=pass header.from=x.org",
            "mx.y.org; none",
            "mx.y.\u{e4}; dmarc=pass header.from=x.org",
        ] {
            assert_eq!(seen(nothing), None, "{nothing}");
        }
        // A quoted value is none that From could have.
        assert_ne!(seen("mx.y.org; dmarc=pass header.from=\"x.org\""), x);
    }

    #[test]
    fn the_instance_comes_first() {
        assert_eq!(instance(" i=1; mx.y.org; none"), Some((1, " mx.y.org; none")));
        assert_eq!(instance("i = 12 ;mx"), Some((12, "mx")));
        for none in ["mx; i=1", "i=; mx", "i=123; mx", "i=+1; mx", "j=1; mx", "i=1"] {
            assert_eq!(instance(none), None, "{none}");
        }
    }
}
