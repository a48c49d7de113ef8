//! The file that is applied: read whole, within bounds, as text.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use mailshelf::site::declaration::Lines;

use crate::cli::wrong;

/// The most that is read, in bytes: a site of a few hundred thousand users.
const LARGEST: u64 = 64 << 20;

/// How errors name it.
pub fn name(file: &Path) -> String {
    match is_stdin(file) {
        true => "declaration (standard input)".to_owned(),
        false => format!("declaration {}", file.display()),
    }
}

fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

pub fn read(file: &Path) -> anyhow::Result<String> {
    let name = name(file);
    let cannot = |error: io::Error| {
        let hint = match error.kind() {
            ErrorKind::NotFound => {
                Some("`mailshelf export -o FILE` writes one of the site as it is".to_owned())
            }
            ErrorKind::IsADirectory | ErrorKind::NotADirectory => Some("name a file".to_owned()),
            ErrorKind::PermissionDenied => None,
            // Nothing is wrong with what was asked.
            _ => return anyhow::anyhow!("{name}: cannot be read: {error}"),
        };
        wrong(format!("{name}: cannot be read: {error}"), hint)
    };
    let mut bytes = Vec::new();
    let read = match is_stdin(file) {
        true => io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes),
        false => File::open(file).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)),
    };
    read.map_err(cannot)?;
    if bytes.len() as u64 > LARGEST {
        return Err(wrong(format!("{name}: it has more than {} MiB", LARGEST >> 20), None));
    }
    String::from_utf8(bytes).map_err(|error| {
        let sound = error.utf8_error().valid_up_to();
        let text = error.as_bytes().get(..sound).unwrap_or_default();
        let (line, column) = Lines::of(&String::from_utf8_lossy(text)).place(sound);
        let hint = "a declaration is UTF-8, without any other encoding's letters".to_owned();
        wrong(format!("{name}: line {line}, column {column}: not UTF-8"), Some(hint))
    })
}
