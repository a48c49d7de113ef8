//! Passes, records, events, notices.

use super::*;
use crate::model::{Event, NewEvent};

pub(super) const TESTS: &[CatalogTest] =
    &[passes_that_have_not_ended, records_of_a_pass, events_are_numbered_without_gaps, notices];

fn passes_that_have_not_ended(catalog: &dyn Catalog) {
    let pass = |node: &str, ms| Pass { id: PassId::generate(), node: node.to_owned(), started_at: at(ms) };
    let (late, early, other, ended) = (pass("a", 9), pass("a", 1), pass("b", 0), pass("a", 5));
    write(catalog, |writer| {
        for pass in [&late, &early, &other, &ended] {
            writer.begin_pass(pass).unwrap();
        }
        let again = writer.begin_pass(&late);
        assert!(matches!(again, Err(Error::Refused { .. })), "{again:?}");
        writer.end_pass(ended.id, at(6)).unwrap();
        let unknown = writer.end_pass(PassId::generate(), at(6));
        assert!(matches!(unknown, Err(Error::NotFound { .. })), "{unknown:?}");
    });
    let reader = catalog.read().unwrap();
    assert_eq!(reader.open_passes("a").unwrap(), [early, late]);
    assert_eq!(reader.open_passes("b").unwrap(), [other]);
    assert_eq!(reader.open_passes("c").unwrap(), []);
}

fn records_of_a_pass(catalog: &dyn Catalog) {
    let (pass, other, mail, second) = (PassId::generate(), PassId::generate(), mail(None), mail(None));
    write(catalog, |writer| {
        writer.put_mail(&mail).unwrap();
        writer.put_mail(&second).unwrap();
        writer.add_record(pass, mail.delivery, "replaced").unwrap();
        writer.add_record(other, mail.delivery, "{}").unwrap();
        writer.add_record(pass, second.delivery, r#"{"n":1}"#).unwrap();
        writer.add_record(pass, mail.delivery, r#"{"n":2}"#).unwrap();
        writer.savepoint().unwrap();
        writer.add_record(pass, mail.delivery, "taken back").unwrap();
        writer.roll_back().unwrap();
    });
    let reader = catalog.read().unwrap();
    assert_eq!(reader.records(pass).unwrap(), [r#"{"n":2}"#, r#"{"n":1}"#]);
    assert_eq!(reader.records(PassId::generate()).unwrap(), [""; 0]);
}

fn events_are_numbered_without_gaps(catalog: &dyn Catalog) {
    let event = |body: &str| NewEvent {
        event_id: 6871,
        pass: PassId::generate(),
        time: at(0),
        body: body.to_owned(),
    };
    assert_eq!(catalog.read().unwrap().last_event().unwrap(), 0);
    assert_eq!(write(catalog, |writer| writer.add_event(&event("one")).unwrap()), 1);
    assert_eq!(catalog.write().unwrap().add_event(&event("dropped")).unwrap(), 2);
    write(catalog, |writer| {
        writer.savepoint().unwrap();
        assert_eq!(writer.add_event(&event("taken back")).unwrap(), 2);
        writer.roll_back().unwrap();
        assert_eq!(writer.add_event(&event("two")).unwrap(), 2);
        assert_eq!(writer.add_event(&event("three")).unwrap(), 3);
        assert_eq!(writer.last_event().unwrap(), 3);
    });
    let reader = catalog.read().unwrap();
    let expected = |seq, body: &str| Event { seq, body: body.to_owned() };
    assert_eq!(
        reader.events_after(0, 9).unwrap(),
        [expected(1, "one"), expected(2, "two"), expected(3, "three")]
    );
    assert_eq!(reader.events_after(1, 1).unwrap(), [expected(2, "two")]);
    assert_eq!(reader.events_after(3, 9).unwrap(), []);
    assert_eq!(reader.last_event().unwrap(), 3);
}

fn notices(catalog: &dyn Catalog) {
    write(catalog, |writer| {
        assert!(writer.add_notice("a", "one", at(0)).unwrap());
        assert!(!writer.add_notice("a", "one", at(1)).unwrap());
        assert!(writer.add_notice("a", "two", at(1)).unwrap());
        assert!(writer.add_notice("b", "one", at(1)).unwrap(), "each node has its own");
    });
    write(catalog, |writer| {
        let keep = ["one", "two", "never noted"].map(str::to_owned);
        assert!(!writer.keep_notices("a", &keep).unwrap(), "nothing was forgotten");
        assert!(writer.keep_notices("a", &keep[1..]).unwrap());
        assert!(writer.add_notice("a", "one", at(2)).unwrap(), "forgotten, so new again");
        assert!(!writer.add_notice("a", "two", at(2)).unwrap());
        assert!(!writer.add_notice("b", "one", at(2)).unwrap());
    });
}
