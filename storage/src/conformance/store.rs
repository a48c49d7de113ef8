//! Contents.

use std::io::Read;

use super::*;

pub(super) const TESTS: &[fn(&dyn Contents)] = &[
    what_is_put_can_be_read,
    what_is_not_there,
    put_twice,
    an_empty_batch_and_an_empty_content,
    many_at_once,
    the_same_content_twice_in_a_batch,
    one_content_from_many_threads,
    a_reader_keeps_what_it_opened,
    each_names_every_content,
    each_stops_at_an_error,
    remove_twice_and_put_again,
    aliens_are_not_removed,
];

fn put(contents: &dyn Contents, all: &[&[u8]]) {
    let batch: Vec<_> = all.iter().map(|bytes| Content { digest: Digest::of(bytes), bytes }).collect();
    contents.put(&batch).unwrap();
}

fn read(contents: &dyn Contents, digest: Digest) -> Vec<u8> {
    let mut bytes = Vec::new();
    contents.open(digest).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

fn all(contents: &dyn Contents) -> Vec<(Digest, u64)> {
    let mut found = Vec::new();
    contents
        .each(&mut |stored| match stored {
            Stored::Content(digest, size) => {
                found.push((digest, size));
                Ok(())
            }
            other => panic!("nobody put {other:?} there"),
        })
        .unwrap();
    found.sort();
    found
}

fn what_is_put_can_be_read(contents: &dyn Contents) {
    put(contents, &[b"one", b"three"]);
    assert_eq!(read(contents, Digest::of(b"one")), b"one");
    assert_eq!(read(contents, Digest::of(b"three")), b"three");
    assert_eq!(contents.size(Digest::of(b"three")).unwrap(), Some(5));
}

fn what_is_not_there(contents: &dyn Contents) {
    let digest = Digest::of(b"absent");
    assert_eq!(contents.size(digest).unwrap(), None);
    match contents.open(digest).map(drop) {
        Err(Error::Damaged { digest: named, .. }) => assert_eq!(named, digest),
        other => panic!("{other:?}"),
    }
    assert_eq!(all(contents), []);
}

fn put_twice(contents: &dyn Contents) {
    put(contents, &[b"twice"]);
    put(contents, &[b"twice"]);
    assert_eq!(read(contents, Digest::of(b"twice")), b"twice");
    assert_eq!(all(contents), [(Digest::of(b"twice"), 5)]);
}

fn an_empty_batch_and_an_empty_content(contents: &dyn Contents) {
    put(contents, &[]);
    assert_eq!(all(contents), []);
    put(contents, &[b""]);
    assert_eq!(read(contents, Digest::of(b"")), b"");
    assert_eq!(contents.size(Digest::of(b"")).unwrap(), Some(0));
}

/// More than a process may hold open.
fn many_at_once(contents: &dyn Contents) {
    let bytes: Vec<[u8; 4]> = (0..1500u32).map(u32::to_be_bytes).collect();
    put(contents, &bytes.iter().map(<[u8; 4]>::as_slice).collect::<Vec<_>>());
    let mut expected: Vec<_> = bytes.iter().map(|bytes| (Digest::of(bytes), 4)).collect();
    expected.sort();
    assert_eq!(all(contents), expected);
    assert_eq!(read(contents, Digest::of(&bytes[1499])), bytes[1499]);
}

fn the_same_content_twice_in_a_batch(contents: &dyn Contents) {
    put(contents, &[b"same", b"same"]);
    assert_eq!(all(contents), [(Digest::of(b"same"), 4)]);
}

/// Whoever reads meanwhile sees all of it, always.
fn one_content_from_many_threads(contents: &dyn Contents) {
    let bytes = vec![b'x'; 100_000];
    let digest = Digest::of(&bytes);
    put(contents, &[&bytes]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..10).for_each(|_| put(contents, &[&bytes, b"other"])));
        }
        for _ in 0..50 {
            assert_eq!(contents.size(digest).unwrap(), Some(100_000));
            assert_eq!(read(contents, digest), bytes);
        }
    });
    assert_eq!(all(contents).len(), 2);
}

fn a_reader_keeps_what_it_opened(contents: &dyn Contents) {
    put(contents, &[b"kept"]);
    let mut reader = contents.open(Digest::of(b"kept")).unwrap();
    put(contents, &[b"kept"]);
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, b"kept");
}

fn each_names_every_content(contents: &dyn Contents) {
    put(contents, &[b"a", b"bb", b"ccc"]);
    let mut expected = [(Digest::of(b"a"), 1), (Digest::of(b"bb"), 2), (Digest::of(b"ccc"), 3)];
    expected.sort();
    assert_eq!(all(contents), expected);
}

fn each_stops_at_an_error(contents: &dyn Contents) {
    put(contents, &[b"a", b"bb", b"ccc"]);
    let mut visits = 0;
    let stopped = contents.each(&mut |_| {
        visits += 1;
        Err(Error::Setup("stop".to_owned()))
    });
    assert!(matches!(stopped, Err(Error::Setup(why)) if why == "stop"));
    assert_eq!(visits, 1);
}

fn remove_twice_and_put_again(contents: &dyn Contents) {
    put(contents, &[b"gone", b"stays"]);
    let stored = Stored::Content(Digest::of(b"gone"), 4);
    contents.remove(&stored).unwrap();
    contents.remove(&stored).unwrap();
    assert_eq!(contents.size(Digest::of(b"gone")).unwrap(), None);
    assert_eq!(all(contents), [(Digest::of(b"stays"), 5)]);
    put(contents, &[b"gone"]);
    assert_eq!(read(contents, Digest::of(b"gone")), b"gone");
}

fn aliens_are_not_removed(contents: &dyn Contents) {
    assert!(contents.remove(&Stored::Alien("tmp/x".to_owned())).is_err());
}
