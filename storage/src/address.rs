//! Mail addresses in the one form in which they are compared.

use std::fmt;
use std::str::FromStr;

use icu_casemap::CaseMapper;
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use serde::{Serialize, Serializer};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::{GeneralSecurityProfile, RestrictionLevel, RestrictionLevelDetection};

/// `local@domain` (RFC 5321 section 4.1.2, RFC 6531 section 3.3) in canonical form: two spellings of one address
/// are one, and two addresses that merely look alike are never equal.
///
/// * The whole compares without case. That goes for the local-part too, which RFC 5321 leaves to the receiving host:
///   it is the policy of this product, since no mail system in use tells `Alice` from `alice`.
/// * The domain is that of the DNS: A-labels (UTS #46, non-transitional), no final dot.
/// * A needless quoting of the local-part is taken off. What is not ASCII in it is in NFC (RFC 6532 section 3.1) and
///   folded by Unicode's simple case folding.
/// * The local-part and each label of the domain are of one script, or of the scripts that Japanese, Chinese and
///   Korean write beside Latin (UTS #39, highly restrictive), and of characters that UTS #39 lets into identifiers:
///   so no controls, no bidi marks, nothing invisible. What is ASCII throughout has always been one script.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Address {
    text: String,
    at: usize,
}

/// Not an address we can compare, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadAddress(&'static str);

const SHAPE: BadAddress = BadAddress("an address is LOCAL-PART@DOMAIN, at most 254 bytes");
const LOCAL: BadAddress = BadAddress(
    "the local-part of an address is words with dots between them, of one script and without invisible characters",
);
const DOMAIN: BadAddress = BadAddress(
    "the domain of an address is labels with dots between them, each of one script and fit for the DNS",
);

/// The longest, in bytes (RFC 5321 section 4.5.3.1.3, its angle brackets taken off).
const LONGEST: usize = 254;
/// A spelling that is not canonical may be longer: decomposed letters, U-labels of few short characters.
const LONGEST_SPELLING: usize = 4 * LONGEST;

/// STD3 but for the underscore, which hosts that send mail do have.
const NOT_IN_A_DOMAIN: AsciiDenyList = AsciiDenyList::new(true, "!\"#$%&'()*+,/:;<=>?@[\\]^`{|}~");

impl Address {
    /// What stands before the last `@`.
    pub fn local_part(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }

    /// What stands after the last `@`.
    pub fn domain(&self) -> &str {
        self.text.get(self.at + 1..).unwrap_or_default()
    }

    /// The whole.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric() || !c.is_ascii() || "!#$%&'*+-/=?^_`{|}~".contains(c)
}

fn is_dot_atom(text: &str) -> bool {
    text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

/// The inside of a quoted string (RFC 5321 `QcontentSMTP`, RFC 6531 for what is not ASCII), unescaped.
fn unquote(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => plain.push(chars.next().filter(|c| matches!(c, ' '..='~'))?),
            '"' => return None,
            ' '..='~' => plain.push(c),
            _ if c.is_ascii() => return None,
            _ => plain.push(c),
        }
    }
    Some(plain)
}

fn local_part(text: &str) -> Option<String> {
    let quoted = text.starts_with('"');
    let plain = if quoted { folded(&unquote(text)?)? } else { folded(text)? };
    if is_dot_atom(&plain) {
        return Some(plain);
    }
    let escaped = || plain.replace('\\', "\\\\").replace('"', "\\\"");
    quoted.then(|| format!("\"{}\"", escaped()))
}

/// A local-part without its quotes, without case. `None` where it might be taken for another.
fn folded(plain: &str) -> Option<String> {
    if plain.is_ascii() {
        return Some(plain.to_ascii_lowercase());
    }
    let fold = |text: &str| text.nfc().map(|c| CaseMapper::new().simple_fold(c)).nfc().collect::<String>();
    let folded = fold(plain);
    // The Kelvin sign is no K, nor the long s an s: else somebody who gets a mailbox by such a name were another. So the
    // text as written must be allowed too, not only what it is folded into. And what is kept must read back as itself.
    let posing = |c: char| !c.is_ascii() && fold(c.encode_utf8(&mut [0; 4])).contains(|c: char| c.is_ascii());
    let sound = !plain.contains(posing)
        && plain.nfc().all(is_allowed)
        && is_one_script(&folded)
        && !has_stray_mark(&folded)
        && fold(&folded) == folded;
    sound.then_some(folded)
}

fn is_allowed(c: char) -> bool {
    c.is_ascii() || c.identifier_allowed()
}

/// By the characters that have a script, or are none that an identifier has.
fn is_one_script(text: &str) -> bool {
    let telling: String = text.chars().filter(|c| !c.is_ascii() || c.is_ascii_alphanumeric()).collect();
    telling.check_restriction_level(RestrictionLevel::HighlyRestrictive)
}

/// Whether a mark stands where it has no letter to stand on, and would change a dot or a quote.
fn has_stray_mark(text: &str) -> bool {
    let before = std::iter::once('.').chain(text.chars());
    before.zip(text.chars()).any(|(before, c)| is_combining_mark(c) && before.is_ascii_punctuation())
}

/// A domain as the DNS has it: lower case, A-labels, no final dot. `None` where it is none, or mixes scripts.
pub fn canonical_domain(text: &str) -> Option<String> {
    let is_a_label = |label: &str| label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"));
    if text.is_ascii() && !text.split('.').any(is_a_label) {
        return host_name(text);
    }
    let idna = Uts46::new();
    let (hyphens, length) = (Hyphens::CheckFirstLast, DnsLength::VerifyAllowRootDot);
    // UTS #46 maps before it composes. A few marks (U+0345) become letters by that, wherever they happen to stand.
    let composed: String = text.nfc().collect();
    let ascii = idna.to_ascii(composed.as_bytes(), NOT_IN_A_DOMAIN, hyphens, length).ok()?;
    let (unicode, valid) = idna.to_unicode(ascii.as_bytes(), NOT_IN_A_DOMAIN, hyphens);
    let is_sound = |label: &str| label.is_ascii() || is_one_script(label);
    (valid.is_ok() && unicode.split('.').all(is_sound)).then(|| host_name(&ascii)).flatten()
}

fn host_name(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    text.split('.').all(label).then(|| text.to_ascii_lowercase())
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Address, BadAddress> {
        if text.len() > if text.is_ascii() { LONGEST } else { LONGEST_SPELLING } {
            return Err(SHAPE);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(SHAPE)?;
        let local = local_part(local).ok_or(LOCAL)?;
        let domain = canonical_domain(domain).ok_or(DOMAIN)?;
        let address = Address { at: local.len(), text: format!("{local}@{domain}") };
        if address.text.len() > LONGEST { Err(SHAPE) } else { Ok(address) }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
