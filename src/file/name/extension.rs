//! Extensions for parts that come without a name.

use crate::file::sniff;

/// By the media type that is declared, else by the bytes.
pub fn of(media_type: &str, bytes: &[u8]) -> String {
    if let Some(known) = known(media_type) {
        return known.to_owned();
    }
    if let Some(shown) = sniff::sniff(bytes).map(sniff::Kind::extension) {
        return format!(".{shown}");
    }
    by_subtype(media_type).map_or_else(|| ".bin".to_owned(), |subtype| format!(".{subtype}"))
}

/// Sound, pictures and fonts are mostly called as the second half of their type.
fn by_subtype(media_type: &str) -> Option<&str> {
    let (kind, subtype) = media_type.split_once('/')?;
    let subtype = subtype.strip_prefix("x-").unwrap_or(subtype);
    let is_plain =
        (2..=5).contains(&subtype.len()) && subtype.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (matches!(kind, "image" | "audio" | "video" | "font") && is_plain).then_some(subtype)
}

fn known(media_type: &str) -> Option<&'static str> {
    Some(match media_type {
        "application/pdf" | "application/x-pdf" => ".pdf",
        "application/zip" | "application/x-zip-compressed" => ".zip",
        "application/gzip" | "application/x-gzip" => ".gz",
        "application/x-7z-compressed" => ".7z",
        "application/x-tar" => ".tar",
        "application/json" => ".json",
        "application/rtf" | "text/rtf" => ".rtf",
        "application/xml" | "text/xml" => ".xml",
        "application/postscript" => ".ps",
        "application/msword" => ".doc",
        "application/vnd.ms-excel" => ".xls",
        "application/vnd.ms-powerpoint" => ".ppt",
        "application/vnd.ms-outlook" => ".msg",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => ".docx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => ".xlsx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation" => ".pptx",
        "application/vnd.oasis.opendocument.text" => ".odt",
        "application/vnd.oasis.opendocument.spreadsheet" => ".ods",
        "application/vnd.oasis.opendocument.presentation" => ".odp",
        "application/pgp-signature" | "application/pgp-encrypted" => ".asc",
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => ".p7s",
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => ".p7m",
        "application/ms-tnef" | "application/vnd.ms-tnef" => ".dat",
        "audio/mpeg" => ".mp3",
        "audio/wave" | "audio/x-wav" | "audio/vnd.wave" => ".wav",
        "audio/mp4" => ".m4a",
        "image/jpeg" | "image/jpg" | "image/pjpeg" => ".jpg",
        "image/tiff" => ".tif",
        "image/svg+xml" => ".svg",
        "image/vnd.microsoft.icon" | "image/x-icon" => ".ico",
        "message/rfc822" | "message/global" => ".eml",
        "text/calendar" | "application/ics" => ".ics",
        "text/csv" => ".csv",
        "text/html" => ".html",
        "text/vcard" | "text/x-vcard" => ".vcf",
        "video/quicktime" => ".mov",
        _ if media_type.starts_with("text/") || media_type.starts_with("message/") => ".txt",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_called_by_its_type_or_else_by_its_bytes() {
        for (media_type, bytes, extension) in [
            ("application/pdf", &b"no pdf"[..], ".pdf"),
            ("application/x-pdf", b"", ".pdf"),
            ("image/png", b"", ".png"),
            ("image/webp", b"", ".webp"),
            ("image/heic", b"", ".heic"),
            ("image/x-ms-bmp", b"", ".bin"),
            ("audio/mpeg", b"", ".mp3"),
            ("audio/x-aiff", b"", ".aiff"),
            ("video/mp4", b"", ".mp4"),
            ("application/vnd.oasis.opendocument.text", b"", ".odt"),
            ("application/ics", b"", ".ics"),
            ("application/octet-stream", b"%PDF-1.4\n", ".pdf"),
            ("application/x-unheard-of", b"%PDF-1.4\n", ".pdf"),
            ("application/octet-stream", b"bytes", ".bin"),
            ("image/..\\x", b"bytes", ".bin"),
            ("text/x-unheard-of", b"bytes", ".txt"),
            ("", b"bytes", ".bin"),
        ] {
            assert_eq!(of(media_type, bytes), extension, "{media_type}");
        }
    }
}
