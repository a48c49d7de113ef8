//! Mails and how they ended.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::fault::{Sql, refused};
use super::values::{Millis, Texts};
use crate::model::{Calendar, Filing, Mail, MailFields, MailQuery, Outcome};
use crate::{DeliveryId, Digest, LibraryId, PassId};

const MAIL: &str = "delivery, file, node, digest, size, message_id, from_address, envelope_sender, subject,
                    arrived_at, state, attempts, fault, to_addresses, cc_addresses, date, calendar_uid,
                    calendar_sequence, calendar_stamp, flaws FROM mails";

fn row(row: &Row<'_>) -> rusqlite::Result<Mail> {
    let Millis(arrived_at) = row.get(9)?;
    let time = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<Millis>>(column)?.map(|Millis(at)| at));
    let calendar = Calendar { uid: row.get(16)?, sequence: row.get(17)?, stamp: time(18)? };
    let fields = MailFields { to: row.get(13)?, cc: row.get(14)?, date: time(15)?, calendar };
    Ok(Mail {
        delivery: row.get(0)?,
        file: row.get(1)?,
        node: row.get(2)?,
        digest: row.get(3)?,
        size: row.get(4)?,
        message_id: row.get(5)?,
        from: row.get(6)?,
        envelope_sender: row.get(7)?,
        subject: row.get(8)?,
        arrived_at,
        state: row.get(10)?,
        attempts: row.get(11)?,
        fault: row.get(12)?,
        fields,
        flaws: row.get::<_, Option<Texts>>(19)?.map_or_else(Vec::new, |Texts(flaws)| flaws),
    })
}

pub(super) fn mail(db: &Connection, delivery: DeliveryId) -> Sql<Option<Mail>> {
    let mut query = db.prepare_cached(&format!("SELECT {MAIL} WHERE delivery = ?1"))?;
    Ok(query.query_row([delivery], row).optional()?)
}

/// After every id, as text.
const AFTER_ALL: &str = "~";

pub(super) fn list(db: &Connection, asked: &MailQuery) -> Sql<Vec<Mail>> {
    let first = |at| DeliveryId::first_at(at).to_string();
    let since = asked.since.map(first).unwrap_or_default();
    let before = asked.before.map(|id| id.to_string()).into_iter().chain(asked.until.map(first)).min();
    let before = before.unwrap_or_else(|| AFTER_ALL.to_owned());
    let sql = format!("SELECT {MAIL} WHERE delivery >= ?1 AND delivery < ?2 ORDER BY delivery DESC LIMIT ?3");
    let mut query = db.prepare_cached(&sql)?;
    Ok(query.query_map(params![since, before, asked.limit], row)?.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn open(db: &Connection, node: &str) -> Sql<Vec<DeliveryId>> {
    let sql = "SELECT delivery FROM mails WHERE node = ?1 AND state = 'open' ORDER BY delivery";
    let mut query = db.prepare_cached(sql)?;
    let found = query.query_map([node], |row| row.get(0))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn deliveries(db: &Connection, prefix: &str, limit: usize) -> Sql<Vec<DeliveryId>> {
    let sql = "SELECT delivery FROM mails WHERE delivery >= ?1 AND delivery < ?2 ORDER BY delivery LIMIT ?3";
    let mut query = db.prepare_cached(sql)?;
    let found = query.query_map(params![prefix, format!("{prefix}{AFTER_ALL}"), limit], |row| row.get(0))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// By the two indexes that duplicates are found by. One by digest over all mails would cost each mail a page somewhere
/// else.
pub(super) fn filed_deliveries(
    db: &Connection,
    digest: Digest,
    likeness: Option<Digest>,
    limit: usize,
) -> Sql<Vec<DeliveryId>> {
    let sql = "SELECT delivery FROM outcomes WHERE digest = ?1
               UNION SELECT delivery FROM outcomes WHERE likeness = ?2 AND kind = 'filed'
               ORDER BY delivery LIMIT ?3";
    let mut query = db.prepare_cached(sql)?;
    let found = query.query_map(params![digest, likeness, limit], |row| row.get(0))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Never `INSERT OR REPLACE`: that removes the row that outcomes and versions refer to.
pub(super) fn put_mail(db: &Connection, mail: &Mail) -> Sql<()> {
    let sql = "INSERT INTO mails (delivery, file, node, digest, size, message_id, from_address, envelope_sender,
                   subject, arrived_at, state, attempts, fault, to_addresses, cc_addresses, date, calendar_uid,
                   calendar_sequence, calendar_stamp, flaws)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)
               ON CONFLICT (delivery) DO UPDATE SET file = ?2, node = ?3, digest = ?4, size = ?5, message_id = ?6,
                   from_address = ?7, envelope_sender = ?8, subject = ?9, arrived_at = ?10, state = ?11,
                   attempts = ?12, fault = ?13, to_addresses = ?14, cc_addresses = ?15, date = ?16,
                   calendar_uid = ?17, calendar_sequence = ?18, calendar_stamp = ?19, flaws = ?20";
    let MailFields { to, cc, date, calendar: Calendar { uid, sequence, stamp } } = &mail.fields;
    let flaws = (!mail.flaws.is_empty()).then(|| Texts(mail.flaws.clone()));
    db.prepare_cached(sql)?.execute(params![
        mail.delivery,
        mail.file,
        mail.node,
        mail.digest,
        mail.size,
        mail.message_id,
        mail.from,
        mail.envelope_sender,
        mail.subject,
        Millis(mail.arrived_at),
        mail.state,
        mail.attempts,
        mail.fault,
        to,
        cc,
        date.map(Millis),
        uid,
        sequence,
        stamp.map(Millis),
        flaws,
    ])?;
    Ok(())
}

const OUTCOME: &str =
    "recipient, kind, reason, coalesce(library, gone_library), identity, level, proof, because,
                       likeness, gone_name, former_alias, duplicate_of";
/// Its columns.
const COLUMNS: usize = 12;

fn outcome(row: &Row<'_>) -> rusqlite::Result<Outcome> {
    Ok(Outcome {
        recipient: row.get(0)?,
        kind: row.get(1)?,
        reason: row.get(2)?,
        library: row.get(3)?,
        identity: row.get(4)?,
        level: row.get(5)?,
        proof: row.get(6)?,
        because: row.get(7)?,
        likeness: row.get(8)?,
        gone: row.get(9)?,
        former_alias: row.get(10)?,
        duplicate_of: row.get(11)?,
    })
}

pub(super) fn outcomes(db: &Connection, delivery: DeliveryId) -> Sql<Vec<Outcome>> {
    let mut query =
        db.prepare_cached(&format!("SELECT {OUTCOME} FROM outcomes WHERE delivery = ?1 ORDER BY id"))?;
    Ok(query.query_map([delivery], outcome)?.collect::<rusqlite::Result<_>>()?)
}

/// Two look-ups, however many mails have this digest or likeness and however many recipients each of them has: only
/// outcomes that are `filed` are found by them.
pub(super) fn filed_before(
    db: &Connection,
    library: LibraryId,
    digest: Digest,
    likeness: Option<Digest>,
) -> Sql<Vec<Filing>> {
    let sql = format!(
        "SELECT {OUTCOME}, delivery, coalesce(digest = ?1, 0) FROM outcomes
         WHERE id IN (SELECT id FROM outcomes WHERE digest = ?1 AND library = ?2
                      UNION SELECT id FROM outcomes WHERE likeness = ?3 AND library = ?2 AND kind = 'filed')
         AND EXISTS (
             SELECT 1 FROM versions JOIN documents ON documents.id = versions.document
             WHERE versions.delivery = outcomes.delivery AND removal IS NULL
             AND coalesce(versions.filed_in, documents.library) = ?2)
         ORDER BY id"
    );
    let mut query = db.prepare_cached(&sql)?;
    let filing = |row: &Row<'_>| {
        Ok(Filing { delivery: row.get(COLUMNS)?, exact: row.get(COLUMNS + 1)?, outcome: outcome(row)? })
    };
    Ok(query.query_map(params![digest, library, likeness], filing)?.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn put_outcome(
    db: &Connection,
    delivery: DeliveryId,
    pass: PassId,
    outcome: &Outcome,
    now: Timestamp,
) -> Sql<()> {
    let sql = "INSERT INTO outcomes (delivery, recipient, kind, reason, library, identity, level, pass, recorded_at,
                   proof, because, likeness, former_alias, duplicate_of, digest)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,
                   (SELECT digest FROM mails WHERE delivery = ?1 AND ?3 = 'filed'))
               ON CONFLICT (delivery, recipient) DO UPDATE SET kind = ?3, reason = ?4, library = ?5, identity = ?6,
                   level = ?7, pass = ?8, recorded_at = ?9, proof = ?10, because = ?11, likeness = ?12,
                   former_alias = ?13, duplicate_of = ?14, digest = excluded.digest, gone_library = NULL,
                   gone_name = NULL WHERE kind = 'deferred'";
    let Outcome { recipient, kind, reason, because, library, gone: _, .. } = outcome;
    let Outcome { former_alias, duplicate_of, identity, level, proof, likeness, .. } = outcome;
    let now = Millis(now);
    let values = params![
        delivery,
        recipient,
        kind,
        reason,
        library,
        identity,
        level,
        pass,
        now,
        proof,
        because,
        likeness,
        former_alias,
        duplicate_of
    ];
    match db.prepare_cached(sql)?.execute(values)? {
        0 => Err(refused("record an outcome", format!("{delivery} has a final one for {recipient:?}"))),
        _ => Ok(()),
    }
}
