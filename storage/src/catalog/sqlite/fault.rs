//! What SQLite says, sorted: a fault of the site, or of what was asked.

use rusqlite::ErrorCode;

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
    let why = error.to_string();
    if is_of_what_was_asked(&error) {
        Error::Refused { action, why }
    } else {
        Error::Catalog { name: name.to_owned(), action, why }
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
