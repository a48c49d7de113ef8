//! What SQLite says, sorted: a fault of the site, or of what was asked.

use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;

use crate::Error;

/// Why a look-up or a change failed.
pub(super) enum Fault {
    Sqlite(rusqlite::Error),
    Ours(Error),
}

pub(super) type Sql<T> = Result<T, Fault>;

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Fault {
        Fault::Sqlite(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        Fault::Ours(error)
    }
}

impl Fault {
    pub(super) fn told(self, name: &str, action: &'static str) -> Error {
        match self {
            Fault::Sqlite(error) => told(name, action, error),
            Fault::Ours(error) => error,
        }
    }
}

/// The error of storage for one of SQLite. In doubt it is the site's: then no mail is blamed.
pub(super) fn told(name: &str, action: &'static str, error: rusqlite::Error) -> Error {
    let why = words(&error);
    if is_of_what_was_asked(&error) {
        Error::Refused { action, why }
    } else {
        Error::Catalog { name: name.to_owned(), action, why }
    }
}

/// What SQLite says, but for one thing: where the index of the log cannot grow, which even who only reads needs, it speaks
/// of an I/O error. That index is a file of a few pages, and written to for no other reason.
fn words(error: &rusqlite::Error) -> String {
    match error.sqlite_error() {
        Some(failure) if failure.extended_code == SQLITE_IOERR_SHMSIZE => {
            "there is no room for the index of its log: the disk is full, or a limit is reached".to_owned()
        }
        _ => error.to_string(),
    }
}

fn is_of_what_was_asked(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => matches!(
            failure.code,
            ErrorCode::ConstraintViolation
                | ErrorCode::TypeMismatch
                | ErrorCode::ApiMisuse
                | ErrorCode::TooBig
                | ErrorCode::ParameterOutOfRange
        ),
        rusqlite::Error::ToSqlConversionFailure(_) => true,
        _ => false,
    }
}

pub(super) fn not_found(what: &'static str, name: impl ToString) -> Fault {
    Fault::Ours(Error::NotFound { what, name: name.to_string() })
}

pub(super) fn taken(what: &'static str, name: impl ToString, by: impl ToString) -> Fault {
    Fault::Ours(Error::Taken { what, name: name.to_string(), by: by.to_string() })
}

pub(super) fn refused(action: &'static str, why: impl ToString) -> Fault {
    Fault::Ours(Error::Refused { action, why: why.to_string() })
}
