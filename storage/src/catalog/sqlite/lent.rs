//! Functions of ours that SQL may use.

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;

use super::readable::is_readable;
use crate::model::name_key;

/// Some migrations make keys anew, and `integrity` compares them and looks at the form of values. None of these fails:
/// that would end what looks for damage.
pub(super) fn lend(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("name_key", 1, flags, |call| {
        Ok(name_key(&String::from_utf8_lossy(&bytes(call, 0))))
    })?;
    connection.create_scalar_function("is_readable", 2, flags, |call| {
        Ok(is_readable(&String::from_utf8_lossy(&bytes(call, 0)), &bytes(call, 1)))
    })
}

/// A text as it is, a number in digits.
fn bytes(call: &Context<'_>, argument: usize) -> Vec<u8> {
    match call.get_raw(argument) {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.to_vec(),
        ValueRef::Integer(number) => number.to_string().into_bytes(),
        ValueRef::Null | ValueRef::Real(_) => Vec::new(),
    }
}
