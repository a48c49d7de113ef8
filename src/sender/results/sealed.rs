//! What a sealer says it saw: `ARC-Authentication-Results` (RFC 8617 section 4.1.1), an instance and then what stands in an
//! `Authentication-Results`.
//!
//! One thing more is read here than there: a bare `key=value` is passed over. Microsoft's sealer writes
//! `dmarc=pass action=none header.from=…`, and Authentication Milter wrote `x-bits=2048`; whoever believes these sealers
//! believes them as they write. It lets nothing in: where a stranger could place one he could place a property.

use super::{Malformed, Results, read};

/// The instance that a value begins with, and what follows it.
pub fn instance(value: &[u8]) -> Option<(u32, &[u8])> {
    let mut pieces = value.splitn(2, |&byte| byte == b';');
    let (tag, rest) = (pieces.next()?, pieces.next()?);
    let (name, number) = std::str::from_utf8(tag).ok()?.split_once('=')?;
    let number = number.trim_ascii();
    let digits = (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    (name.trim_ascii() == "i" && digits).then_some(())?;
    Some((number.parse().ok()?, rest))
}

impl Results {
    /// Reads what follows the colon of an `ARC-Authentication-Results`, folds included.
    pub fn parse_sealed(value: &[u8]) -> Result<Results, Malformed> {
        let (_, rest) = instance(value).ok_or(Malformed("it has no instance"))?;
        read(rest, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_instance_comes_first() {
        assert_eq!(instance(b" i=1; mx.y.org; none"), Some((1, b" mx.y.org; none".as_slice())));
        assert_eq!(instance(b"i = 12 ;mx"), Some((12, b"mx".as_slice())));
        for none in ["mx; i=1", "i=; mx", "i=123; mx", "i=+1; mx", "j=1; mx", "i=1", "i(x)=1; mx"] {
            assert_eq!(instance(none.as_bytes()), None, "{none}");
        }
    }

    #[test]
    fn what_follows_it_is_read_as_results_are() {
        for results in [
            "mx.google.com; spf=pass (google.com: domain of a@x.org designates 192.0.2.1 as permitted sender) \
             smtp.mailfrom=a@x.org;\r\n       dmarc=pass (p=NONE sp=NONE dis=NONE) header.from=x.org",
            "mx.y.org 1; none",
            "mx.y.org; dmarc=pass header.from=x.org;",
            "mx.y.org; spf=pass (dmarc=pass header.from=x.org",
            "mx.y.org; dmarc=pass header.from=y.org header.from=x.org",
            "mx.y.org",
        ] {
            let sealed = format!(" i=1;\r\n {results}");
            assert_eq!(
                Results::parse_sealed(sealed.as_bytes()),
                Results::parse(results.as_bytes()),
                "{results}"
            );
        }
        assert!(Results::parse_sealed(b"mx.y.org; none").is_err());
    }

    #[test]
    fn a_bare_key_is_passed_over_here_and_only_here() {
        let microsoft = "mx.microsoft.com 1; spf=pass\r\n smtp.mailfrom=x.org; dmarc=pass action=none header.from=x.org;\r\n \
                         dkim=pass header.d=x.org; arc=none";
        assert_eq!(Results::parse(microsoft.as_bytes()), Err(Malformed("a property has no type")));
        let sealed = Results::parse_sealed(format!("i=1; {microsoft}").as_bytes()).unwrap();
        let plain = Results::parse(microsoft.replace("action=none ", "").as_bytes());
        assert_eq!(Ok(sealed), plain);
        for void in ["action=none; header.from=x.org", "action", "action=", "action=(x)", "action=\"none"] {
            let value = format!("i=1; mx; dmarc=pass {void}");
            assert!(Results::parse_sealed(value.as_bytes()).is_err(), "{void}");
        }
    }
}
