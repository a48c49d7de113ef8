//! Looking back: mails by time and by id, where a digest was filed, what came with a mail.

use super::*;
use crate::model::MailQuery;

pub(super) const TESTS: &[CatalogTest] = &[
    mails_newest_first,
    deliveries_by_the_beginning_of_their_ids,
    where_a_digest_was_filed,
    documents_of_a_mail,
];

/// A delivery of the millisecond `ms`, the `nth` of it.
fn delivery(ms: i64, nth: char) -> DeliveryId {
    let first = DeliveryId::first_at(at(ms)).to_string();
    the(&format!("{}{nth}", &first[..25]))
}

fn put_mails(catalog: &dyn Catalog, deliveries: &[DeliveryId]) {
    write(catalog, |writer| {
        for &delivery in deliveries {
            writer.put_mail(&Mail { delivery, ..mail(None) }).unwrap();
        }
    });
}

fn mails_newest_first(catalog: &dyn Catalog) {
    let [a, b, c, d] = [delivery(0, '1'), delivery(0, '2'), delivery(1, '0'), delivery(2, 'Z')];
    put_mails(catalog, &[c, a, d, b]);
    let reader = catalog.read().unwrap();
    let all = MailQuery { limit: 9, ..MailQuery::default() };
    let found = |query| {
        let mails = reader.mails(&query).unwrap();
        mails.iter().map(|mail| mail.delivery).collect::<Vec<_>>()
    };
    assert_eq!(found(all), [d, c, b, a]);
    assert_eq!(reader.mails(&all).unwrap()[0], reader.mail(d).unwrap().unwrap());
    assert_eq!(found(MailQuery { limit: 2, ..all }), [d, c]);
    assert_eq!(found(MailQuery { before: Some(c), limit: 1, ..all }), [b]);
    assert_eq!(found(MailQuery { before: Some(a), ..all }), []);
    assert_eq!(found(MailQuery { since: Some(at(1)), ..all }), [d, c]);
    assert_eq!(found(MailQuery { until: Some(at(1)), ..all }), [b, a]);
    assert_eq!(found(MailQuery { since: Some(at(0)), until: Some(at(2)), before: Some(c), ..all }), [b, a]);
    assert_eq!(found(MailQuery { before: Some(d), until: Some(at(1)), ..all }), [b, a]);
    assert_eq!(found(MailQuery { since: Some(Timestamp::MIN), until: Some(Timestamp::MAX), ..all }).len(), 4);
}

fn deliveries_by_the_beginning_of_their_ids(catalog: &dyn Catalog) {
    let [a, b, c] = [delivery(0, '1'), delivery(0, 'Z'), delivery(1, '0')];
    put_mails(catalog, &[c, b, a]);
    let reader = catalog.read().unwrap();
    let found = |prefix: &str, limit| reader.deliveries(prefix, limit).unwrap();
    assert_eq!(found(&a.to_string(), 9), [a]);
    assert_eq!(found(&a.to_string()[..25], 9), [a, b]);
    assert_eq!(found(&a.to_string()[..25], 1), [a]);
    assert_eq!(found(&c.to_string()[..10], 9), [c]);
    assert_eq!(found("", 9), [a, b, c]);
    assert_eq!(found("7ZZZ", 9), []);
    assert_eq!(found("0", 0), []);
}

fn where_a_digest_was_filed(catalog: &dyn Catalog) {
    let digest = Digest::of(b"mail");
    let put = |writer: &mut dyn Writer, digest, outcomes: &[(&str, OutcomeKind)]| {
        let mail = mail(Some(digest));
        writer.put_mail(&mail).unwrap();
        for (recipient, kind) in outcomes {
            let outcome = outcome(recipient, *kind, None);
            writer.put_outcome(mail.delivery, PassId::generate(), &outcome, at(0)).unwrap();
        }
        mail.delivery
    };
    use OutcomeKind::{Deferred, Duplicate, Filed, Rejected};
    let mut filed = write(catalog, |writer| {
        let twice = put(writer, digest, &[("a@x.org", Filed), ("b@x.org", Filed), ("c@x.org", Rejected)]);
        put(writer, digest, &[("a@x.org", Duplicate), ("b@x.org", Deferred)]);
        put(writer, Digest::of(b"another mail"), &[("a@x.org", Filed)]);
        vec![twice, put(writer, digest, &[("a@x.org", Filed)])]
    });
    filed.sort();
    let reader = catalog.read().unwrap();
    assert_eq!(reader.filed_deliveries(digest, None, 9).unwrap(), filed);
    assert_eq!(reader.filed_deliveries(digest, None, 1).unwrap(), filed[..1]);
    assert_eq!(reader.filed_deliveries(Digest::of(b"never"), None, 9).unwrap(), []);
    drop(reader);
    // By likeness those that were filed, too, and each once.
    let likeness = Some(Digest::of(b"like it"));
    write(catalog, |writer| {
        for (digest, kind) in
            [(digest, Filed), (Digest::of(b"another way"), Filed), (Digest::of(b"x"), Duplicate)]
        {
            let mail = mail(Some(digest));
            writer.put_mail(&mail).unwrap();
            let outcome = Outcome { likeness, ..outcome("a@x.org", kind, None) };
            writer.put_outcome(mail.delivery, PassId::generate(), &outcome, at(0)).unwrap();
            if kind == Filed {
                filed.push(mail.delivery);
            }
        }
    });
    filed.sort();
    let reader = catalog.read().unwrap();
    assert_eq!(reader.filed_deliveries(digest, likeness, 9).unwrap(), filed);
    assert_eq!(reader.filed_deliveries(Digest::of(b"never"), likeness, 9).unwrap().len(), 2);
}

fn documents_of_a_mail(catalog: &dyn Catalog) {
    let (mail, other) = (mail(None), mail(None));
    write(catalog, |writer| {
        let (a, b) = (add_library(writer, "a"), add_library(writer, "b"));
        writer.put_mail(&mail).unwrap();
        writer.put_mail(&other).unwrap();
        writer.add_content(Digest::of(b"x"), 1).unwrap();
        for (library, name, mail) in [(b, "2", &mail), (a, "1", &other), (a, "1", &mail), (a, "0", &mail)] {
            writer.add_document(&document(library, "f", name, mail, b"x")).unwrap();
        }
    });
    let reader = catalog.read().unwrap();
    let documents = reader.documents_of(mail.delivery).unwrap();
    let places: Vec<_> =
        documents.iter().map(|found| format!("{}:{}", found.library, found.path())).collect();
    assert_eq!(places, ["b:f/2", "a:f/1 (2)", "a:f/0"], "in the order in which they were added");
    assert!(documents.iter().all(|found| found.delivery == mail.delivery));
    assert_eq!(reader.documents_of(DeliveryId::generate()).unwrap(), []);
}
