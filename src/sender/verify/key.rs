//! Keys as domains publish them (RFC 6376 section 3.6.1), and what they say of a signature. Alone knows mail-auth.

use mail_auth::common::crypto::{Algorithm, HashAlgorithm, VerifyingKey};
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::dkim::Canonicalization;

use super::message::SignedField;
use super::tags::Tags;

/// Weaker ones can be broken (RFC 8301 section 3.2), in bits.
const WEAKEST: usize = 1024;
/// Stronger ones nobody need use, and a stranger may not keep us busy with, in bits.
const STRONGEST: usize = 4096;

/// How a signature was made. SHA-1 proves nothing any more (RFC 8301 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `rsa-sha256`
    Rsa,
    /// `ed25519-sha256` (RFC 8463)
    Ed25519,
}

/// A canonical form (RFC 6376 section 3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As it stands.
    Simple,
    /// Blanks and the case of field names do not count.
    Relaxed,
}

impl Form {
    fn canonical(self) -> Canonicalization {
        match self {
            Form::Simple => Canonicalization::Simple,
            Form::Relaxed => Canonicalization::Relaxed,
        }
    }
}

/// The SHA-256 of a body in canonical form; its lines end in CRLF.
pub fn body_hash(body: &[u8], form: Form) -> Vec<u8> {
    // mail-auth keeps a last line of nothing but blanks, which the relaxed form does not have.
    let end = body.iter().rposition(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    let body = match form {
        Form::Relaxed => body.get(..end.map_or(0, |last| last + 1)).unwrap_or_default(),
        Form::Simple => body,
    };
    HashAlgorithm::Sha256.hash(form.canonical().canonical_body(body, 0)).as_ref().to_vec()
}

/// A key that may be used.
pub struct Key {
    key: Box<dyn VerifyingKey + Send + Sync>,
    /// `t=s`: the signature's `i=` must be of its `d=` itself.
    pub strict: bool,
}

impl Key {
    /// Reads the records found where a key should be. `Err` says why there is none to use.
    pub fn read(records: &[Vec<u8>], method: Method) -> Result<Key, &'static str> {
        let [record] = records else {
            return Err(if records.is_empty() { "it has no key" } else { "it has more than one key" });
        };
        let tags = Tags::of_record(record).ok_or("its key is malformed")?;
        let strict = usable(&tags, method)?;
        // A key without k= is RSA to every reader.
        let key = DomainKey::parse(record).map_err(|_| "its key is malformed")?.p;
        if method == Method::Rsa {
            match key.public_key_bits() {
                ..WEAKEST => return Err("its key is too weak"),
                WEAKEST..=STRONGEST => {}
                _ => return Err("its key is too long"),
            }
        }
        Ok(Key { key, strict })
    }

    /// Whether the key made this signature over these fields.
    pub fn made(&self, signature: &[u8], method: Method, form: Form, fields: &[SignedField<'_>]) -> bool {
        let algorithm = match method {
            Method::Rsa => Algorithm::RsaSha256,
            Method::Ed25519 => Algorithm::Ed25519Sha256,
        };
        let mut fields = fields.iter().map(|(name, value)| (*name, value.as_slice()));
        self.key.verify(&mut fields, signature, form.canonical(), algorithm).is_ok()
    }
}

/// What a key's record says of its use; gives whether it is strict about `i=`.
fn usable(tags: &Tags<'_>, method: Method) -> Result<bool, &'static str> {
    let list = |name| tags.joined(name);
    let has = |list: &str, item: &str| list.split(':').any(|one| one.eq_ignore_ascii_case(item));
    match (tags.get("v"), tags.first()) {
        (None, _) | (_, Some(("v", "DKIM1"))) => {}
        _ => return Err("its key is of an unknown version"),
    }
    let kind = tags.get("k").unwrap_or("rsa");
    if kind != if method == Method::Rsa { "rsa" } else { "ed25519" } {
        return Err("its key is of another kind");
    }
    if list("h").is_some_and(|hashes| !has(&hashes, "sha256")) {
        return Err("its key is not for SHA-256");
    }
    if list("s").is_some_and(|services| !has(&services, "*") && !has(&services, "email")) {
        return Err("its key is not for mail");
    }
    match tags.get("p") {
        None => return Err("its key is malformed"),
        Some("") => return Err("its key is revoked"),
        Some(_) => {}
    }
    let flags = list("t").unwrap_or_default();
    if has(&flags, "y") {
        return Err("its domain only tests it (t=y)");
    }
    Ok(has(&flags, "s"))
}

#[cfg(test)]
mod tests {
    use mailshelf_storage::Digest;
    use proptest::prelude::*;

    use super::*;

    /// RFC 6376 sections 3.4.3 and 3.4.4, line by line and word by word.
    fn canonical(body: &str, form: Form) -> String {
        let words = |line: &str| {
            let blank = |c| matches!(c, ' ' | '\t');
            let inside: Vec<&str> = line.split(blank).filter(|word| !word.is_empty()).collect();
            let before = if line.starts_with(blank) && !inside.is_empty() { " " } else { "" };
            format!("{before}{}", inside.join(" "))
        };
        let lines = body.split("\r\n");
        let mut lines: Vec<String> = match form {
            Form::Relaxed => lines.map(words).collect(),
            Form::Simple => lines.map(str::to_owned).collect(),
        };
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        let ended = lines.into_iter().map(|line| line + "\r\n").collect::<String>();
        if ended.is_empty() && form == Form::Simple { "\r\n".to_owned() } else { ended }
    }

    proptest! {
        #[test]
        fn bodies_are_hashed_in_the_canonical_forms(body in "([ab\u{c}é\u{0}]|[ \t]|(\r\n)){0,40}") {
            for form in [Form::Simple, Form::Relaxed] {
                let expected = Digest::of(canonical(&body, form).as_bytes()).to_string();
                let hash = body_hash(body.as_bytes(), form);
                let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
                prop_assert_eq!(hash, expected);
            }
        }
    }

    const ED25519: &str = "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

    fn of(record: &str) -> Result<bool, &'static str> {
        Key::read(&[record.as_bytes().to_vec()], Method::Ed25519).map(|key| key.strict)
    }

    #[test]
    fn what_a_record_lets_its_key_do() {
        for (before, outcome) in [
            ("v=DKIM1; k=ed25519;", Ok(false)),
            ("k=ed25519; t=s;", Ok(true)),
            ("k=ed25519; s=*; h=sha1:sha256;", Ok(false)),
            ("k=ed25519; s=email;", Ok(false)),
            ("k=ed25519; s=tlsrpt;", Err("its key is not for mail")),
            ("k=ed25519; h=sha1;", Err("its key is not for SHA-256")),
            ("k=ed25519; t=s:y;", Err("its domain only tests it (t=y)")),
            ("k=ed25519; t=Y;", Err("its domain only tests it (t=y)")),
            ("k=rsa;", Err("its key is of another kind")),
            ("", Err("its key is of another kind")),
            ("k=ed25519; v=DKIM1;", Err("its key is of an unknown version")),
            ("v=DKIM2; k=ed25519;", Err("its key is of an unknown version")),
            ("k=ed25519; k=ed25519;", Err("its key is malformed")),
        ] {
            assert_eq!(of(&format!("{before} {ED25519}")), outcome, "{before}");
        }
        assert_eq!(of("k=ed25519; p="), Err("its key is revoked"));
        assert_eq!(of("k=ed25519"), Err("its key is malformed"));
    }

    #[test]
    fn one_record_or_none() {
        let record = format!("k=ed25519; {ED25519}").into_bytes();
        let read = |records: &[Vec<u8>]| Key::read(records, Method::Ed25519).map(|_| ());
        assert_eq!(read(std::slice::from_ref(&record)), Ok(()));
        assert_eq!(read(&[]), Err("it has no key"));
        assert_eq!(read(&[record.clone(), record]), Err("it has more than one key"));
    }
}
