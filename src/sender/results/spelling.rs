//! Which characters words, values and addresses are made of.

/// What may stand in an unquoted property value; comments and blanks end it.
pub(super) fn is_value(byte: u8) -> bool {
    !matches!(byte, b' ' | b'\t' | b';' | b'(')
}

/// RFC 2045 section 5.1.
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte)
}

/// What servers write as a property's value without quotes: a token, or an address of IPv6, or base64.
pub(super) fn is_word(byte: u8) -> bool {
    is_token(byte) || matches!(byte, b':' | b'/')
}

/// RFC 5321 section 4.1.2, RFC 6531 section 3.3.
pub(super) fn is_dot_string(text: &str) -> bool {
    let atext = |c: char| c.is_ascii_alphanumeric() || !c.is_ascii() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(atext))
}

/// RFC 6376 section 3.5: host names of two labels or more; U-labels (RFC 5890 section 2.3.2.1) in the rough, for whoever
/// compares them brings them into one form, or finds that they are none. What other alphabets have for a dot is no dot
/// here, and no letter.
pub(super) fn is_domain(text: &str) -> bool {
    let letter =
        |c: char| c.is_ascii_alphanumeric() || !(c.is_ascii() || "\u{3002}\u{ff0e}\u{ff61}".contains(c));
    let label = |label: &str| {
        let ends = [label.chars().next(), label.chars().last()];
        ends.iter().all(|end| end.is_some_and(letter)) && label.chars().all(|c| letter(c) || c == '-')
    };
    text.contains('.') && text.split('.').all(label)
}
