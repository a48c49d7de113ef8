//! Results written down again: in one spelling, which reads as the same.

use std::fmt::{self, Display, Write};

use super::{MethodResult, Property, Results, Value, is_dot_string, is_token};

impl Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_value(f, &self.id)?;
        if self.results.is_empty() {
            f.write_str("; none")?;
        }
        self.results.iter().try_for_each(|result| write!(f, "; {result}"))
    }
}

impl Display for MethodResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.method)?;
        if self.version != 1 {
            write!(f, "/{}", self.version)?;
        }
        write!(f, "={}", self.result)?;
        if let Some(reason) = &self.reason {
            f.write_str(" reason=")?;
            write_value(f, reason)?;
        }
        for Property { kind, name, value } in &self.properties {
            write!(f, " {kind}.{name}=")?;
            if kind == "header" && name == "b" {
                write_signature(f, value)?;
            } else {
                write!(f, "{value}")?;
            }
        }
        Ok(())
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => write_value(f, text),
            Value::Address { local, domain } if local.is_empty() => write!(f, "@{domain}"),
            Value::Address { local, domain } if is_dot_string(local) => write!(f, "{local}@{domain}"),
            Value::Address { local, domain } => {
                write_quoted(f, local)?;
                write!(f, "@{domain}")
            }
        }
    }
}

/// What stands unquoted as the beginning of a signature is read as base64 and nothing else.
fn write_signature(f: &mut fmt::Formatter<'_>, value: &Value) -> fmt::Result {
    match value {
        Value::Text(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            f.write_str(text)
        }
        Value::Text(text) => write_quoted(f, text),
        Value::Address { local, domain } => {
            write_quoted(f, local)?;
            write!(f, "@{domain}")
        }
    }
}

fn write_value(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    if !text.is_empty() && text.bytes().all(is_token) { f.write_str(text) } else { write_quoted(f, text) }
}

fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('"')
}
