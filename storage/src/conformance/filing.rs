//! Mails, outcomes, documents, contents.

use super::*;
use crate::Reader;
use crate::model::{Counts, Document, Filing, KnownContent, NAME_LENGTH, Wanted};

pub(super) const TESTS: &[CatalogTest] = &[
    a_mail_comes_back_and_can_change,
    only_a_deferred_outcome_is_replaced,
    outcomes_need_their_mail_and_their_library,
    what_was_filed_before,
    what_was_filed_by_another_way,
    a_document_comes_back_as_it_went_in,
    a_taken_name_gets_the_next_number,
    names_are_one_without_regard_to_case,
    names_are_no_patterns,
    numbers_step_over_names_that_look_numbered,
    long_names_stay_apart_and_short_enough,
    names_are_foretold,
    documents_are_listed_by_path,
    visits_stop_at_an_error,
    a_content_must_be_on_record,
    a_content_is_doomed_only_without_documents,
    a_doomed_content_comes_back,
    contents_and_where_they_are_filed,
    counts_and_integrity,
];

fn a_mail_comes_back_and_can_change(catalog: &dyn Catalog) {
    let mut mail = mail(Some(Digest::of(b"mail")));
    write(catalog, |writer| writer.put_mail(&mail).unwrap());
    assert_eq!(catalog.read().unwrap().mail(mail.delivery).unwrap().as_ref(), Some(&mail));
    let kept = outcome("a@x.org", OutcomeKind::Rejected, None);
    write(catalog, |writer| {
        writer.put_outcome(mail.delivery, PassId::generate(), &kept, at(0)).unwrap();
        mail.state = MailState::Badmail;
        (mail.attempts, mail.fault, mail.digest) = (8, Some("too odd".to_owned()), None);
        writer.put_mail(&mail).unwrap();
    });
    let reader = catalog.read().unwrap();
    assert_eq!(reader.mail(mail.delivery).unwrap(), Some(mail.clone()));
    assert_eq!(reader.outcomes(mail.delivery).unwrap(), [kept], "a mail that changes keeps its outcomes");
    assert_eq!(reader.mail(DeliveryId::generate()).unwrap(), None);
    assert_eq!(reader.counts().unwrap().mails, 1);
}

fn only_a_deferred_outcome_is_replaced(catalog: &dyn Catalog) {
    let (mail, pass) = (mail(None), PassId::generate());
    let deferred = |recipient: &str| Outcome {
        reason: Some("disk".to_owned()),
        level: Level::None,
        identity: None,
        proof: None,
        ..outcome(recipient, OutcomeKind::Deferred, None)
    };
    write(catalog, |writer| {
        let library = add_library(writer, "l");
        writer.put_mail(&mail).unwrap();
        for recipient in ["z@x.org", "a@x.org"] {
            writer.put_outcome(mail.delivery, pass, &deferred(recipient), at(0)).unwrap();
        }
        writer.put_outcome(mail.delivery, pass, &deferred("z@x.org"), at(1)).unwrap();
        for kind in [OutcomeKind::Filed, OutcomeKind::Duplicate, OutcomeKind::Rejected] {
            let recipient = format!("{kind}@x.org");
            let duplicate_of = (kind == OutcomeKind::Duplicate).then_some(mail.delivery);
            let first = Outcome { duplicate_of, ..outcome(&recipient, kind, Some(library)) };
            writer.put_outcome(mail.delivery, pass, &deferred(&recipient), at(2)).unwrap();
            writer.put_outcome(mail.delivery, pass, &first, at(3)).unwrap();
            for second in [deferred(&recipient), outcome(&recipient, OutcomeKind::Filed, None), first.clone()]
            {
                let refused = writer.put_outcome(mail.delivery, pass, &second, at(4));
                assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
            }
        }
    });
    let outcomes = catalog.read().unwrap().outcomes(mail.delivery).unwrap();
    let recipients: Vec<_> = outcomes.iter().map(|outcome| outcome.recipient.as_str()).collect();
    assert_eq!(recipients, ["z@x.org", "a@x.org", "filed@x.org", "duplicate@x.org", "rejected@x.org"]);
    assert_eq!(outcomes[0], deferred("z@x.org"));
    assert_eq!(outcomes[3].duplicate_of, Some(mail.delivery));
    assert_eq!(outcomes[4].kind, OutcomeKind::Rejected);
    assert_eq!(outcomes[4].proof.as_deref(), Some("dmarc=pass by mx1.x.org"), "and so is the proof");
}

fn outcomes_need_their_mail_and_their_library(catalog: &dyn Catalog) {
    let mail = mail(None);
    write(catalog, |writer| {
        let outcome = outcome("a@x.org", OutcomeKind::Filed, None);
        let pass = PassId::generate();
        let refused = writer.put_outcome(mail.delivery, pass, &outcome, at(0));
        assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
        writer.put_mail(&mail).unwrap();
        let gone = Outcome { library: Some(LibraryId(99)), ..outcome };
        let refused = writer.put_outcome(mail.delivery, pass, &gone, at(0));
        assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
    });
    assert_eq!(catalog.read().unwrap().outcomes(mail.delivery).unwrap(), []);
}

fn what_was_filed_before(catalog: &dyn Catalog) {
    let digest = Digest::of(b"mail");
    let (here, there) = write(catalog, |writer| (add_library(writer, "here"), add_library(writer, "there")));
    let filed = |level, identity: Option<&str>| Outcome {
        level,
        identity: identity.map(the),
        ..outcome("here@x.org", OutcomeKind::Filed, Some(here))
    };
    let put = |writer: &mut dyn Writer, digest, outcome: &Outcome, standing: Option<LibraryId>| {
        let mail = mail(Some(digest));
        writer.put_mail(&mail).unwrap();
        writer.put_outcome(mail.delivery, PassId::generate(), outcome, at(0)).unwrap();
        writer.add_content(Digest::of(b"x"), 1).unwrap();
        if let Some(library) = standing {
            writer.add_document(&document(library, "", "a.pdf", &mail, b"x")).unwrap();
        }
    };
    let weak = filed(Level::FromHeader, None);
    let strong = filed(Level::Signature, Some("bob"));
    write(catalog, |writer| {
        put(writer, digest, &weak, Some(here));
        put(writer, digest, &strong, Some(here));
        put(writer, Digest::of(b"another mail"), &weak, Some(here));
        put(writer, digest, &filed(Level::Spf, None), None);
        put(writer, digest, &filed(Level::Spf, None), Some(there));
        put(writer, digest, &outcome("here@x.org", OutcomeKind::Rejected, Some(here)), Some(here));
        put(writer, digest, &outcome("there@x.org", OutcomeKind::Filed, Some(there)), Some(there));
        assert_eq!(outcomes(writer.filed_before(here, digest, None)), [weak.clone(), strong.clone()]);
    });
    let reader = catalog.read().unwrap();
    assert_eq!(
        outcomes(reader.filed_before(here, digest, None)),
        [weak, strong],
        "in order, with level and identity"
    );
    assert_eq!(reader.filed_before(there, digest, None).unwrap().len(), 1);
    assert_eq!(reader.filed_before(here, Digest::of(b"never"), None).unwrap(), []);
}

fn outcomes(filings: crate::Result<Vec<Filing>>) -> Vec<Outcome> {
    filings.unwrap().into_iter().map(|filing| filing.outcome).collect()
}

/// By the bytes or by the likeness, each filing once; only what was filed, here, and still stands.
fn what_was_filed_by_another_way(catalog: &dyn Catalog) {
    let (digest, likeness) = (Digest::of(b"mail"), Digest::of(b"like it"));
    let (here, there) = write(catalog, |writer| (add_library(writer, "here"), add_library(writer, "there")));
    let put = |digest, likeness, kind, library, stands: bool| {
        write(catalog, |writer| {
            let mail = mail(Some(digest));
            writer.put_mail(&mail).unwrap();
            let outcome = Outcome { likeness, ..outcome("a@x.org", kind, Some(library)) };
            let waits = Outcome { kind: OutcomeKind::Deferred, likeness: None, ..outcome.clone() };
            writer.put_outcome(mail.delivery, PassId::generate(), &waits, at(0)).unwrap();
            writer.put_outcome(mail.delivery, PassId::generate(), &outcome, at(0)).unwrap();
            writer.add_content(Digest::of(b"x"), 1).unwrap();
            if stands {
                writer.add_document(&document(library, "", "a.pdf", &mail, b"x")).unwrap();
            }
            mail.delivery
        })
    };
    use OutcomeKind::{Duplicate, Filed};
    let (other, like) = (Digest::of(b"another way"), Some(likeness));
    let earlier = put(digest, None, Filed, here, true);
    let both = put(digest, like, Filed, here, true);
    let alike = put(other, like, Filed, here, true);
    put(other, like, Duplicate, here, true);
    put(other, like, Filed, there, true);
    put(other, like, Filed, here, false);
    put(other, Some(Digest::of(b"unlike")), Filed, here, true);
    let reader = catalog.read().unwrap();
    let found = |digest, likeness| -> Vec<_> {
        let filings = reader.filed_before(here, digest, likeness).unwrap();
        filings.into_iter().map(|filing| (filing.delivery, filing.exact)).collect()
    };
    assert_eq!(found(digest, like), [(earlier, true), (both, true), (alike, false)]);
    assert_eq!(found(digest, None), [(earlier, true), (both, true)]);
    assert_eq!(found(Digest::of(b"a third way"), like), [(both, false), (alike, false)]);
    assert_eq!(reader.outcomes(both).unwrap()[0].likeness, like);
}

fn a_document_comes_back_as_it_went_in(catalog: &dyn Catalog) {
    let mail = mail(None);
    let (library, new) = write(catalog, |writer| {
        let library = add_library(writer, "l");
        writer.put_mail(&mail).unwrap();
        writer.add_content(Digest::of(b"bytes"), 5).unwrap();
        let new = NewDocument { original: true, ..document(library, "März", "Scan.PDF", &mail, b"bytes") };
        assert_eq!(writer.add_document(&new).unwrap().path(), "März/Scan.PDF");
        (library, new)
    });
    let expected = Document {
        library: the("l"),
        folder: new.folder,
        name: new.name,
        version: 1,
        size: 5,
        digest: new.digest,
        media_type: new.media_type,
        sniffed_type: new.sniffed_type,
        created_by: new.created_by,
        identity: new.identity,
        level: new.level,
        created_at: new.created_at,
        delivery: mail.delivery,
        original: true,
        filed_in: library,
        removal: None,
    };
    let reader = catalog.read().unwrap();
    let find = |folder, name, version| reader.document(library, folder, name, version).unwrap();
    assert_eq!(find("März", "Scan.PDF", None).as_ref(), Some(&expected));
    assert_eq!(find("mÄRZ", "sCAN.pdf", Some(1)).as_ref(), Some(&expected));
    assert_eq!(find("März", "Scan.PDF", Some(2)), None);
    assert_eq!(find("", "Scan.PDF", None), None);
    assert_eq!(reader.document(LibraryId(99), "März", "Scan.PDF", None).unwrap(), None);
    assert_eq!(paths(&*reader, library), ["März/Scan.PDF"]);
}

fn paths(reader: &dyn Reader, library: LibraryId) -> Vec<String> {
    let mut paths = Vec::new();
    reader
        .each_document(library, &mut |document| {
            paths.push(document.path());
            Ok(())
        })
        .unwrap();
    paths
}

fn a_taken_name_gets_the_next_number(catalog: &dyn Catalog) {
    write(catalog, |writer| {
        let (library, other) = (add_library(writer, "a"), add_library(writer, "b"));
        assert_eq!(file(writer, library, "", "a.pdf"), "a.pdf");
        for number in 2..=150 {
            assert_eq!(file(writer, library, "", "a.pdf"), format!("a ({number}).pdf"));
        }
        assert_eq!(file(writer, library, "f", "a.pdf"), "a.pdf", "another folder");
        assert_eq!(file(writer, other, "", "a.pdf"), "a.pdf", "another library");
        assert_eq!(file(writer, library, "", "a.txt"), "a.txt", "another name");
        writer.savepoint().unwrap();
        assert_eq!(file(writer, library, "", "a.pdf"), "a (151).pdf");
        writer.roll_back().unwrap();
        assert_eq!(file(writer, library, "", "a.pdf"), "a (151).pdf", "a number taken back is free");
    });
}

fn names_are_one_without_regard_to_case(catalog: &dyn Catalog) {
    write(catalog, |writer| {
        let library = add_library(writer, "a");
        assert_eq!(file(writer, library, "F", "Straße.pdf"), "Straße.pdf");
        assert_eq!(file(writer, library, "f", "STRASSE.PDF"), "STRASSE (2).PDF");
        assert_eq!(file(writer, library, "F", "strasse.pdf"), "strasse (3).pdf");
    });
}

/// Nothing in a name is part of a query: quotes, comments, wildcards of LIKE, GLOB and full-text search, NUL.
fn names_are_no_patterns(catalog: &dyn Catalog) {
    let names = [
        "%",
        "%%",
        "_",
        "a",
        "a%",
        "_a",
        "*",
        "?",
        "[a-z]",
        "[",
        "'",
        "''",
        "\"",
        "`",
        ";",
        "--",
        "/*",
        "\\",
        "\\%",
        "' OR '1'='1",
        "'; DROP TABLE documents; --",
        "') --",
        "x' UNION SELECT * FROM users --",
        "NULL",
        "?1",
        ":a",
        "$1",
        "@a",
        "x'00'",
        "a\0",
        "a\0b",
        "\u{2bc}",
        "NEAR",
        "\"a\" *",
        "a^2",
        "a:b",
        "\u{1b}[31m",
        "\n",
        "\u{202e}",
    ];
    let library = write(catalog, |writer| {
        let library = add_library(writer, "a");
        for (folder, name) in names.iter().flat_map(|folder| names.iter().map(move |name| (folder, name))) {
            assert_eq!(file(writer, library, folder, name), *name, "{folder:?} {name:?}");
        }
        library
    });
    let reader = catalog.read().unwrap();
    for (folder, name) in names.iter().flat_map(|folder| names.iter().map(move |name| (folder, name))) {
        let found = reader.document(library, folder, name, None).unwrap().unwrap();
        assert_eq!((found.folder.as_str(), found.name.as_str()), (*folder, *name));
        assert_eq!(reader.versions(library, folder, name).unwrap().len(), 1);
    }
    for name in names {
        assert_eq!(reader.document(library, name, "b", None).unwrap(), None, "{name:?}");
        let deliveries = reader.deliveries(name, 9).unwrap();
        assert_eq!(deliveries, [], "{name:?}");
        assert_eq!(reader.open_mails(name).unwrap(), []);
    }
    assert_eq!(reader.counts().unwrap().documents, (names.len() * names.len()) as u64);
}

fn numbers_step_over_names_that_look_numbered(catalog: &dyn Catalog) {
    let library = write(catalog, |writer| {
        let library = add_library(writer, "a");
        for name in ["a (2).pdf", "a (3).pdf", "a (5).pdf"] {
            assert_eq!(file(writer, library, "", name), name);
        }
        assert_eq!(file(writer, library, "", "a.pdf"), "a.pdf");
        assert_eq!(file(writer, library, "", "A.pdf"), "A (4).pdf");
        assert_eq!(file(writer, library, "", "a.pdf"), "a (6).pdf");
        assert_eq!(file(writer, library, "", "a (2).pdf"), "a (2) (2).pdf");
        library
    });
    // Somebody who fills the numbers in advance makes us neither fail nor give a name twice.
    write(catalog, |writer| {
        for number in 2..400 {
            file(writer, library, "full", &format!("b ({number}).pdf"));
        }
        for _ in 0..5 {
            file(writer, library, "full", "b.pdf");
        }
    });
    assert_eq!(catalog.read().unwrap().counts().unwrap().documents, 7 + 398 + 5);
}

fn long_names_stay_apart_and_short_enough(catalog: &dyn Catalog) {
    let library = write(catalog, |writer| {
        let library = add_library(writer, "a");
        // They differ only where the number cuts them off.
        for end in ["1", "2", "3"] {
            let name = format!("{}{end}.pdf", "ä".repeat(NAME_LENGTH - 5));
            for _ in 0..12 {
                let given = file(writer, library, "", &name);
                assert!(given.chars().count() <= NAME_LENGTH, "{given}");
            }
        }
        library
    });
    assert_eq!(paths(&*catalog.read().unwrap(), library).len(), 36);
}

/// Several documents of one mail, added or not, get the same names.
fn names_are_foretold(catalog: &dyn Catalog) {
    let proposed = [
        ("", "a.pdf"),
        ("", "A.PDF"),
        ("", "a (2).pdf"),
        ("", "a.pdf"),
        ("F", "a.pdf"),
        ("f", "a.pdf"),
        ("", "b.pdf"),
        ("", "a (5).pdf"),
        ("", "a.pdf"),
        ("", "a.pdf"),
    ];
    let wanted = proposed.map(|(folder, name)| Wanted { folder, name, clash: Clash::Number });
    let library = write(catalog, |writer| add_library(writer, "a"));
    for _ in 0..3 {
        let reader = catalog.read().unwrap();
        let names = || reader.names_for(library, &wanted).unwrap().into_iter().map(|place| place.name);
        let foretold: Vec<_> = names().collect();
        assert!(names().eq(foretold.clone()), "nothing was taken by asking");
        drop(reader);
        let given: Vec<String> = write(catalog, |writer| {
            proposed.iter().map(|(folder, name)| file(writer, library, folder, name)).collect()
        });
        assert_eq!(given, foretold);
    }
    assert_eq!(catalog.read().unwrap().names_for(library, &[]).unwrap(), []);
}

/// The root first, then folder by folder; without regard to case.
fn documents_are_listed_by_path(catalog: &dyn Catalog) {
    let library = write(catalog, |writer| {
        let (library, other) = (add_library(writer, "a"), add_library(writer, "b"));
        for (folder, name) in [("b", "x"), ("A", "y"), ("", "z"), ("a", "X"), ("", "B"), ("", "a")] {
            file(writer, library, folder, name);
        }
        file(writer, other, "", "other");
        library
    });
    assert_eq!(paths(&*catalog.read().unwrap(), library), ["a", "B", "z", "A/X", "A/y", "b/x"]);
}

fn visits_stop_at_an_error(catalog: &dyn Catalog) {
    let library = write(catalog, |writer| {
        let library = add_library(writer, "a");
        file(writer, library, "", "a");
        file(writer, library, "", "b");
        writer.add_content(Digest::of(b"y"), 1).unwrap();
        library
    });
    let reader = catalog.read().unwrap();
    let stop = || Err(Error::Setup("stop".to_owned()));
    let mut visits = 0;
    let mut visited = |_| {
        visits += 1;
        stop()
    };
    assert!(matches!(reader.each_document(library, &mut visited), Err(Error::Setup(_))));
    assert_eq!(visits, 1);
    assert!(matches!(reader.each_content(&mut |_, _| stop()), Err(Error::Setup(_))));
    assert_eq!(paths(&*reader, library).len(), 2, "the reader is as good as before");
}

fn a_content_must_be_on_record(catalog: &dyn Catalog) {
    let mail = mail(None);
    write(catalog, |writer| {
        let library = add_library(writer, "a");
        let new = document(library, "", "a.pdf", &mail, b"bytes");
        let refuse = |writer: &mut dyn Writer, why| {
            let refused = writer.add_document(&new);
            assert!(matches!(refused, Err(Error::Refused { .. })), "{why}: {refused:?}");
        };
        writer.add_content(new.digest, 5).unwrap();
        refuse(writer, "no such mail");
        writer.put_mail(&mail).unwrap();
        assert!(writer.doom_content(new.digest).unwrap());
        refuse(writer, "doomed");
        writer.drop_content(new.digest).unwrap();
        refuse(writer, "not on record");
        writer.add_content(new.digest, 4).unwrap();
        refuse(writer, "of another size");
        writer.add_content(new.digest, 5).unwrap();
        assert_eq!(writer.add_document(&new).unwrap().name, "a.pdf", "no failed attempt has taken the name");
    });
}

fn a_content_is_doomed_only_without_documents(catalog: &dyn Catalog) {
    let (filed, free, unknown) = (Digest::of(b"x"), Digest::of(b"free"), Digest::of(b"unknown"));
    write(catalog, |writer| {
        let library = add_library(writer, "a");
        file(writer, library, "", "a.pdf");
        writer.add_content(free, 4).unwrap();
        assert!(!writer.doom_content(filed).unwrap());
        assert!(writer.doom_content(free).unwrap());
        assert!(writer.doom_content(unknown).unwrap());
        assert!(writer.doom_content(unknown).unwrap(), "again is no harm");
    });
    let content = |digest| catalog.read().unwrap().content(digest).unwrap();
    assert_eq!(content(filed), Some(KnownContent { size: 1, doomed: false }));
    assert_eq!(content(free), Some(KnownContent { size: 4, doomed: true }));
    assert!(content(unknown).unwrap().doomed);
    write(catalog, |writer| [filed, free, unknown].map(|digest| writer.drop_content(digest).unwrap()));
    assert_eq!(content(filed), Some(KnownContent { size: 1, doomed: false }));
    assert_eq!((content(free), content(unknown)), (None, None));
}

fn a_doomed_content_comes_back(catalog: &dyn Catalog) {
    let digest = Digest::of(b"back");
    write(catalog, |writer| assert!(writer.doom_content(digest).unwrap()));
    write(catalog, |writer| {
        writer.add_content(digest, 4).unwrap();
        writer.drop_content(digest).unwrap();
    });
    let known = catalog.read().unwrap().content(digest).unwrap();
    assert_eq!(known, Some(KnownContent { size: 4, doomed: false }), "no longer doomed, so it stays");
}

fn contents_and_where_they_are_filed(catalog: &dyn Catalog) {
    write(catalog, |writer| {
        let (a, b) = (add_library(writer, "a"), add_library(writer, "b"));
        file(writer, a, "f", "one.pdf");
        file(writer, b, "", "two.pdf");
        writer.add_content(Digest::of(b"y"), 1).unwrap();
    });
    let reader = catalog.read().unwrap();
    let mut contents = Vec::new();
    reader
        .each_content(&mut |digest, known| {
            contents.push((digest, known.size));
            Ok(())
        })
        .unwrap();
    let mut expected = [(Digest::of(b"x"), 1), (Digest::of(b"y"), 1)];
    expected.sort();
    assert_eq!(contents, expected, "in order of digest");
    let filed = reader.filed_as(Digest::of(b"x"), 9).unwrap();
    let mut places: Vec<_> = filed.iter().map(|filed| (filed.library.as_str(), filed.path.clone())).collect();
    places.sort();
    assert_eq!(places, [("a", "f/one.pdf".to_owned()), ("b", "two.pdf".to_owned())]);
    assert_eq!(reader.filed_as(Digest::of(b"x"), 1).unwrap().len(), 1);
    assert_eq!(reader.filed_as(Digest::of(b"y"), 9).unwrap(), []);
    assert_eq!(reader.content(Digest::of(b"z")).unwrap(), None);
}

fn counts_and_integrity(catalog: &dyn Catalog) {
    assert_eq!(catalog.read().unwrap().counts().unwrap(), Counts::default());
    assert!(!catalog.read().unwrap().has_contents().unwrap());
    write(catalog, |writer| {
        let library = add_library(writer, "a");
        writer.add_user(&the("u"), &[the("u@x.org"), the("v@x.org")]).unwrap();
        file(writer, library, "", "a.pdf");
        file(writer, library, "", "a.pdf");
        writer.put_mail(&mail(None)).unwrap();
        writer.add_content(Digest::of(b"another"), 7).unwrap();
    });
    let reader = catalog.read().unwrap();
    let expected =
        Counts { documents: 2, contents: 2, bytes: 8, mails: 3, libraries: 1, users: 1, removed: 0 };
    assert_eq!(reader.counts().unwrap(), expected);
    assert!(reader.has_contents().unwrap());
    assert_eq!(reader.integrity().unwrap(), [""; 0]);
    assert_eq!(reader.unused_addresses().unwrap(), []);
}
