//! Our values as SQLite's, and back.

use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::model::{Attachments, KeptFate, Level, MailState, OutcomeKind, Role, SenderPolicy, TrustFrom};
use crate::{
    Address, Alias, DeliveryId, Digest, DocumentId, GroupId, GroupName, LibraryId, LibraryName, Login,
    PassId, RemovalId, UserId,
};

macro_rules! as_text {
    ($($type:ty),+ $(,)?) => {$(
        impl ToSql for $type {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.to_string().into())
            }
        }

        impl FromSql for $type {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<$type> {
                value.as_str()?.parse().map_err(FromSqlError::other)
            }
        }
    )+};
}

as_text!(Address, Alias, GroupName, LibraryName, Login, DeliveryId, PassId, RemovalId);
as_text!(Attachments, KeptFate, Level, MailState, OutcomeKind, Role, SenderPolicy, TrustFrom);

macro_rules! as_row {
    ($($type:ident),+) => {$(
        impl ToSql for $type {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                self.0.to_sql()
            }
        }

        impl FromSql for $type {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<$type> {
                i64::column_result(value).map($type)
            }
        }
    )+};
}

as_row!(DocumentId, GroupId, LibraryId, UserId);

/// Several texts in one column, as JSON.
pub(super) struct Texts(pub Vec<String>);

impl ToSql for Texts {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let json = serde_json::to_string(&self.0);
        json.map(ToSqlOutput::from).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
    }
}

impl FromSql for Texts {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Texts> {
        serde_json::from_str(value.as_str()?).map(Texts).map_err(FromSqlError::other)
    }
}

impl ToSql for Digest {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_bytes().as_slice().into())
    }
}

impl FromSql for Digest {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Digest> {
        <[u8; 32]>::column_result(value).map(Digest::from_bytes)
    }
}

/// A time, to the millisecond.
pub(super) struct Millis(pub(super) Timestamp);

impl ToSql for Millis {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_millisecond().into())
    }
}

impl FromSql for Millis {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Millis> {
        Timestamp::from_millisecond(i64::column_result(value)?).map(Millis).map_err(FromSqlError::other)
    }
}

/// A text for people, whatever bytes stand there.
pub(super) fn as_written(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    Ok(match row.get_ref(column)? {
        ValueRef::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        _ => row.get::<_, Option<String>>(column)?.unwrap_or_default(),
    })
}
