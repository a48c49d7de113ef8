//! The file that is applied: read whole, within bounds, as text.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use mailshelf::site::declaration::Lines;
use rustix::fs::{OFlags, fcntl_setfl, fstat, fstatfs};
use rustix::io::Errno;

use crate::cli::wrong;

/// The most that is read, in bytes: a site of a few hundred thousand users.
const LARGEST: u64 = 64 << 20;

/// The file system of pipes without a name (`PIPEFS_MAGIC`, statfs(2)).
const PIPES: i64 = 0x5049_5045;

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

/// Whether a path (`/dev/stdin`, `/dev/fd/0`) leads to what standard input is, and that is no regular file.
fn is_stream_of_stdin(file: &Path) -> bool {
    let (Ok(found), Ok(stdin)) = (fs::metadata(file), fstat(io::stdin())) else { return false };
    !found.is_file() && !found.is_dir() && (found.dev(), found.ino()) == (stdin.st_dev, stdin.st_ino)
}

/// Opens a file, or a pipe without a name, as a shell hands it over by `/dev/fd/63`. None of anything else: nobody may ever
/// write to a pipe that stands in a folder. Of a folder its reading says what is wrong.
fn open(path: &Path) -> io::Result<Option<File>> {
    let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
    let file = match OpenOptions::new().read(true).custom_flags(nonblocking).open(path) {
        // A socket.
        Err(error) if Errno::from_io_error(&error) == Some(Errno::NXIO) => return Ok(None),
        opened => opened?,
    };
    let found = file.metadata()?;
    if found.file_type().is_fifo() && fstatfs(&file)?.f_type == PIPES {
        fcntl_setfl(&file, OFlags::empty())?;
        return Ok(Some(file));
    }
    Ok((found.is_file() || found.is_dir()).then_some(file))
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
    let read = match is_stdin(file) || is_stream_of_stdin(file) {
        true => io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes),
        false => {
            let Some(file) = open(file).map_err(cannot)? else {
                let hint = "name a file; `-` is standard input".to_owned();
                return Err(wrong(format!("{name}: it is no regular file"), Some(hint)));
            };
            file.take(LARGEST + 1).read_to_end(&mut bytes)
        }
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
