//! Passes, records, events, notices.

use super::*;
use crate::model::{Event, EventQuery, KeptEnd, KeptFate, NewEvent};

pub(super) const TESTS: &[CatalogTest] = &[
    passes_that_have_not_ended,
    the_last_pass_that_has_ended,
    records_of_a_pass,
    events_are_numbered_without_gaps,
    events_by_number_by_id_and_by_time,
    notices,
    how_kept_mail_left,
    what_is_given_back_is_known_when_it_comes,
];

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

/// The last is the one begun last, whatever the clock said meanwhile.
fn the_last_pass_that_has_ended(catalog: &dyn Catalog) {
    let pass = |node: &str| Pass { id: PassId::generate(), node: node.to_owned(), started_at: at(0) };
    let (first, second, open, other) = (pass("a"), pass("a"), pass("a"), pass("b"));
    let last = |node: &str| catalog.read().unwrap().last_pass(node).unwrap();
    write(catalog, |writer| {
        for pass in [&first, &second, &open, &other] {
            writer.begin_pass(pass).unwrap();
        }
    });
    assert_eq!(last("a"), None);
    write(catalog, |writer| writer.end_pass(first.id, at(9)).unwrap());
    assert_eq!(last("a"), Some((first.id, at(9))));
    write(catalog, |writer| {
        writer.end_pass(second.id, at(5)).unwrap();
        writer.end_pass(other.id, at(7)).unwrap();
        assert_eq!(writer.last_pass("a").unwrap(), Some((second.id, at(5))));
    });
    assert_eq!(last("b"), Some((other.id, at(7))));
    assert_eq!(last("c"), None);
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
    let expected = |seq, body: &str| Event { seq, event_id: 6871, time: at(0), body: body.to_owned() };
    assert_eq!(
        reader.events_after(0, 9).unwrap(),
        [expected(1, "one"), expected(2, "two"), expected(3, "three")]
    );
    assert_eq!(reader.events_after(1, 1).unwrap(), [expected(2, "two")]);
    assert_eq!(reader.events_after(3, 9).unwrap(), []);
    assert_eq!(reader.last_event().unwrap(), 3);
}

/// Numbers and times need not go together: the third event is the oldest, and the fifth as old as the fourth.
fn events_by_number_by_id_and_by_time(catalog: &dyn Catalog) {
    let times = [10, 20, 0, 30, 30, 40];
    let ids = [6871, 6873, 6871, 6872, 6871, 6873];
    write(catalog, |writer| {
        for (time, event_id) in times.into_iter().zip(ids) {
            let event =
                NewEvent { event_id, pass: PassId::generate(), time: at(time), body: "{}".to_owned() };
            writer.add_event(&event).unwrap();
        }
    });
    let reader = catalog.read().unwrap();
    let all = EventQuery { limit: 9, ..EventQuery::default() };
    let seqs = |query: EventQuery| {
        let events = reader.events(&query).unwrap();
        for event in &events {
            let nth = event.seq as usize - 1;
            assert_eq!((event.time, event.event_id), (at(times[nth]), ids[nth]));
        }
        events.iter().map(|event| event.seq).collect::<Vec<_>>()
    };
    assert_eq!(seqs(all.clone()), [1, 2, 3, 4, 5, 6]);
    assert_eq!(seqs(EventQuery { limit: 2, ..all.clone() }), [1, 2]);
    assert_eq!(seqs(EventQuery { newest_first: true, limit: 2, ..all.clone() }), [6, 5]);
    assert_eq!(seqs(EventQuery { after: 2, before: Some(5), ..all.clone() }), [3, 4]);
    assert_eq!(seqs(EventQuery { before: Some(3), newest_first: true, ..all.clone() }), [2, 1]);
    assert_eq!(seqs(EventQuery { after: u64::MAX, ..all.clone() }), Vec::<u64>::new());
    assert_eq!(seqs(EventQuery { event_ids: &[6872, 6873], ..all.clone() }), [2, 4, 6]);
    assert_eq!(seqs(EventQuery { event_ids: &[6872], newest_first: true, ..all.clone() }), [4]);
    let of_time = EventQuery { since: Some(at(10)), until: Some(at(30)), ..all.clone() };
    assert_eq!(seqs(of_time), [1, 2], "from then on, and before then");
    assert_eq!(seqs(EventQuery { since: Some(at(30)), ..all.clone() }), [4, 5, 6]);
    assert_eq!(seqs(EventQuery { until: Some(at(20)), ..all }), [1, 3]);
    let between = |since, until| reader.events_between(since, until).unwrap();
    assert_eq!(between(at(10), at(30)), Some((1, 2)));
    assert_eq!(between(at(0), at(11)), Some((1, 3)), "the second is of another time");
    assert_eq!(between(at(30), Timestamp::MAX), Some((4, 6)));
    assert_eq!(between(Timestamp::MIN, at(1)), Some((3, 3)));
    assert_eq!(between(at(31), at(40)), None);
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

/// A move that was interrupted is begun again: what is recorded last stands.
fn how_kept_mail_left(catalog: &dyn Catalog) {
    let mail = mail(None);
    let end = |fate, why: &str, ms| KeptEnd { fate, why: why.to_owned(), at: at(ms) };
    let (first, last) = (end(KeptFate::Replayed, "asked for", 1), end(KeptFate::Purged, "its term", 2));
    write(catalog, |writer| {
        let unknown = writer.put_kept_end(mail.delivery, &first);
        assert!(matches!(unknown, Err(Error::Refused { .. })), "{unknown:?}");
        writer.put_mail(&mail).unwrap();
        assert_eq!(writer.kept_end(mail.delivery).unwrap(), None);
        writer.put_kept_end(mail.delivery, &first).unwrap();
        assert_eq!(writer.kept_end(mail.delivery).unwrap(), Some(first));
        writer.put_kept_end(mail.delivery, &last).unwrap();
    });
    assert_eq!(catalog.read().unwrap().kept_end(mail.delivery).unwrap(), Some(last));
}

/// By its bytes and by whom it is for, once for each time that it is given back.
fn what_is_given_back_is_known_when_it_comes(catalog: &dyn Catalog) {
    let digest = Digest::of(b"given back");
    let (one, other) = (mail(Some(digest)), mail(Some(digest)));
    let pass = PassId::generate();
    let end = |fate| KeptEnd { fate, why: String::new(), at: at(0) };
    write(catalog, |writer| {
        let mut put = |mail: &Mail, recipient: &str, kind| {
            writer.put_mail(mail).unwrap();
            writer.put_outcome(mail.delivery, pass, &outcome(recipient, kind, None), at(0)).unwrap();
        };
        put(&one, "a@x.org", OutcomeKind::Rejected);
        put(&one, "b@x.org", OutcomeKind::Filed);
        put(&other, "c@x.org", OutcomeKind::Rejected);
        let found = |writer: &dyn Writer, to: &str| writer.given_back(digest, to).unwrap();
        assert_eq!(found(writer, "a@x.org"), None, "it stands where it is kept");
        writer.put_kept_end(one.delivery, &end(KeptFate::Replayed)).unwrap();
        assert_eq!(found(writer, "a@x.org"), Some(one.delivery));
        assert_eq!((found(writer, "b@x.org"), found(writer, "c@x.org")), (None, None));
        assert_eq!(writer.given_back(Digest::of(b"another"), "a@x.org").unwrap(), None);
        writer.put_kept_end(other.delivery, &end(KeptFate::Replayed)).unwrap();
        assert_eq!(found(writer, "c@x.org"), Some(other.delivery));
        writer.put_taken(one.delivery).unwrap();
        assert_eq!(found(writer, "a@x.org"), None);
        writer.put_kept_end(one.delivery, &end(KeptFate::Replayed)).unwrap();
        assert_eq!(found(writer, "a@x.org"), Some(one.delivery), "once more");
        writer.put_kept_end(one.delivery, &end(KeptFate::Purged)).unwrap();
        assert_eq!((found(writer, "a@x.org"), found(writer, "c@x.org")), (None, Some(other.delivery)));
    });
}
