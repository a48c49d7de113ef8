//! What the header of one part says about its content.

use super::decode::Encoding;
use super::fields::{End, Field, Fields, Line};
use super::limits::{Limits, Unreadable};
use super::params::Params;

/// The fields of a part that MIME defines (RFC 2045, RFC 2183), the first of each.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub content_type: Option<Params>,
    pub disposition: Option<Params>,
    pub encoding: Encoding,
    /// Without its angle brackets.
    pub content_id: Option<Vec<u8>>,
    /// A delimiter stood where its header had not ended.
    pub cut: bool,
    /// There was none, not even an empty line.
    pub none: bool,
    /// A field stood there twice or oddly, or its header was cut short: readers may differ on this part.
    pub odd: bool,
}

impl Head {
    /// Reads the header `fields`, counting; gives the head and where the body begins.
    pub fn read<'m, S>(fields: &mut Fields<'m, S>, limits: &Limits) -> Result<(Head, usize), Unreadable>
    where
        S: Fn(&[u8]) -> bool,
    {
        let start = fields.offset();
        let mut head = Head::default();
        let mut seen = [false; 4];
        let mut count = 0;
        while let Some(line) = fields.next() {
            count += 1;
            if count > limits.header_fields {
                return Err(Unreadable::more_than(limits.header_fields, "header fields"));
            }
            if fields.offset() - start > limits.header_bytes {
                return Err(Unreadable::more_than(limits.header_bytes, "bytes of header"));
            }
            match line {
                Line::Field(field) => {
                    // Some readers take it for no field, and what follows for the body.
                    head.odd |= !field.exact;
                    head.take(&field, &mut seen, limits)?;
                }
                Line::Junk(_) => head.odd = true,
            }
        }
        head.odd |= matches!(fields.end(), Some(End::Text)) || has_odd_breaks(fields.since(start));
        head.cut = matches!(fields.end(), Some(End::Delimiter)) && count > 0;
        head.none = count == 0 && !matches!(fields.end(), Some(End::Blank));
        Ok((head, fields.offset()))
    }

    fn take(&mut self, field: &Field<'_>, seen: &mut [bool; 4], limits: &Limits) -> Result<(), Unreadable> {
        const NAMES: [&str; 4] =
            ["content-type", "content-disposition", "content-transfer-encoding", "content-id"];
        let Some(which) = NAMES.iter().position(|name| field.is(name)) else { return Ok(()) };
        if seen.get_mut(which).is_some_and(|seen| std::mem::replace(seen, true)) {
            self.odd = true;
            return Ok(());
        }
        self.odd |= field.value.split(|&byte| byte == b'\n').skip(1).any(is_blank);
        match which {
            0 => {
                let params = structured(field, limits)?;
                self.odd |= params.is_type_odd();
                self.content_type = Some(params);
            }
            1 => self.disposition = Some(structured(field, limits)?),
            2 => {
                self.encoding = Encoding::parse(field.value);
                self.odd |= Encoding::is_odd(field.value);
            }
            _ => self.content_id = content_id(field.value),
        }
        Ok(())
    }

    /// `type/subtype`, lower case. Without the field, or where it names no type, RFC 2045 section 5.2 says text/plain;
    /// that may be meant for `text`, but `pdf` is better taken for a file.
    pub fn media_type(&self, in_digest: bool) -> String {
        match self.content_type.as_ref().map(|params| params.main.as_str()) {
            None if in_digest => "message/rfc822".to_owned(),
            None | Some("" | "text" | "text/") => "text/plain".to_owned(),
            Some("html") => "text/html".to_owned(),
            Some(main) if is_media_type(main) => main.to_owned(),
            Some("multipart" | "multipart/") => "multipart/mixed".to_owned(),
            Some(_) => "application/octet-stream".to_owned(),
        }
    }

    /// What delimits the parts of a multipart; blanks at its end are not part of it (RFC 2046 section 5.1.1).
    pub fn boundary(&self) -> Option<Vec<u8>> {
        let mut boundary = self.content_type.as_ref()?.raw("boundary")?;
        boundary.truncate(boundary.trim_ascii_end().len());
        Some(boundary).filter(|boundary| !boundary.is_empty())
    }

    /// Readers may disagree on what delimits the parts of this multipart.
    pub fn is_boundary_odd(&self) -> bool {
        let content_type = self.content_type.as_ref();
        content_type.is_some_and(|params| params.main.starts_with("multipart") && params.is_boundary_odd())
    }

    /// The file name as written, decoded: of `Content-Disposition` first, then of `Content-Type`.
    pub fn name(&self) -> Option<String> {
        let of = |params: &Option<Params>, name| params.as_ref().and_then(|params| params.text(name));
        of(&self.disposition, "filename")
            .or_else(|| of(&self.content_type, "name"))
            .or_else(|| of(&self.disposition, "name"))
            .or_else(|| of(&self.content_type, "filename"))
    }

    /// The sender says that this is a file.
    pub fn is_attachment(&self) -> bool {
        self.disposition.as_ref().is_some_and(|params| params.main == "attachment")
    }

    /// It says what a calendar asks of the reader (RFC 6047 section 2.4).
    pub fn has_method(&self) -> bool {
        self.content_type.as_ref().is_some_and(|params| params.raw("method").is_some())
    }

    /// The charset it declares.
    pub fn charset(&self) -> Vec<u8> {
        self.content_type.as_ref().and_then(|params| params.raw("charset")).unwrap_or_default()
    }
}

/// Some readers take a bare CR for the end of a line, and two before the LF for an empty one; some end at a NUL.
fn has_odd_breaks(header: &[u8]) -> bool {
    memchr::memchr2_iter(b'\r', 0, header)
        .any(|at| header.get(at) == Some(&0) || header.get(at + 1) != Some(&b'\n'))
}

/// Whether a line, without the LF that ends it, is of nothing but blanks. In a header it is a fold (RFC 5322 section
/// 4.2), and some readers take it for the empty line that ends the header.
pub(super) fn is_blank(line: &[u8]) -> bool {
    line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) && line.trim_ascii().is_empty()
}

fn structured(field: &Field<'_>, limits: &Limits) -> Result<Params, Unreadable> {
    if field.value.len() > limits.structured_bytes {
        return Err(Unreadable::more_than(limits.structured_bytes, "bytes in one field"));
    }
    Params::parse(field.value, limits.parameters)
        .map_err(|_| Unreadable::more_than(limits.parameters, "parameters in one field"))
}

/// Whether it is `type/subtype` and nothing else.
pub(super) fn is_media_type(main: &str) -> bool {
    let token =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'!'..=b'~') && byte != b'/');
    main.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype))
}

fn content_id(value: &[u8]) -> Option<Vec<u8>> {
    let id = value.trim_ascii();
    let id = id.strip_prefix(b"<").unwrap_or(id);
    let id = id.strip_suffix(b">").unwrap_or(id);
    Some(id.to_vec()).filter(|id| !id.is_empty())
}
