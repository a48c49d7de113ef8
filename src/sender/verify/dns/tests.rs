use super::*;

fn texts(text: &str) -> Texts {
    vec![text.as_bytes().to_vec()].into()
}

fn failure(silent: bool) -> Failure {
    Failure { why: "no".to_owned(), silent }
}

#[test]
fn answers_are_remembered_for_their_time() {
    let (mut memory, now) = (Memory::default(), Instant::now());
    memory.learn("a.x.org", texts("1"), now + ABSENT);
    assert_eq!(memory.known("a.x.org", now), Some(Ok(texts("1"))));
    assert_eq!(memory.known("b.x.org", now), None);
    assert_eq!(memory.known("a.x.org", now + ABSENT), None);
}

#[test]
fn a_question_that_fails_is_left_alone_and_no_other() {
    let (mut memory, now) = (Memory::default(), Instant::now());
    memory.fail("made-up._domainkey.x.org", failure(true), now);
    assert_eq!(memory.known("made-up._domainkey.x.org", now), Some(Err("no".to_owned())));
    assert_eq!(memory.known("s1._domainkey.x.org", now), None);
    assert_eq!(memory.known("made-up._domainkey.x.org", now + LEFT_ALONE), None);
}

#[test]
fn a_resolver_that_says_nothing_is_doubted_and_then_left_alone() {
    let (mut memory, now) = (Memory::default(), Instant::now());
    let doubted = |memory: &mut Memory, name: &str, silent| memory.fail(name, failure(silent), now);
    assert!(!doubted(&mut memory, "a.org", true) && !doubted(&mut memory, "b.org", true));
    // Whatever it says, it speaks.
    assert!(!doubted(&mut memory, "c.org", false));
    assert!(!doubted(&mut memory, "d.org", true) && !doubted(&mut memory, "e.org", true));
    assert!(doubted(&mut memory, "f.org", true));
    assert_eq!(memory.known("x.org", now), None);
    memory.dead_until = Some(now + LEFT_ALONE);
    assert!(memory.known("x.org", now).is_some_and(|known| known.is_err()));
    assert_eq!(memory.known("x.org", now + LEFT_ALONE), None);
    memory.learn("y.org", texts("1"), now + ABSENT);
    assert_eq!(memory.known("x.org", now), None);
}

/// Answers what it is asked for `test`, and nothing else, until it is told of `end`.
fn answer_the_probe(server: &std::net::UdpSocket) {
    let mut question = [0; 512];
    loop {
        let (length, from) = server.recv_from(&mut question).unwrap();
        let asks = |name: &[u8]| question[..length].windows(name.len()).any(|window| window == name);
        if asks(b"\x03end\x00") {
            return;
        }
        if asks(b"\x04test\x00") {
            // A response, recursion available, no such name.
            let mut answer = question[..length].to_vec();
            (answer[2], answer[3]) = (0x81, 0x83);
            server.send_to(&answer, from).unwrap();
        }
    }
}

/// A stranger can make up names that nobody answers for; that the resolver is dead he cannot make us believe.
#[test]
fn questions_without_an_answer_do_not_make_a_resolver_dead() {
    for alive in [true, false] {
        let server = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap();
        let dns = Dns::new(Resolver::At(address));
        let dead = std::thread::scope(|scope| {
            let answering = alive.then(|| scope.spawn(|| answer_the_probe(&server)));
            for name in ["a.x.org", "b.x.org", "c.x.org"] {
                let told = dns.txt(name, (Instant::now() + SLICE).into());
                assert!(told.is_err_and(|why| why.contains(name)));
            }
            let dead = dns.memory().dead_until.is_some();
            if answering.is_some() {
                let end = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
                end.send_to(b"\x03end\x00", address).unwrap();
            }
            dead
        });
        assert_eq!(dead, !alive);
    }
}

#[test]
fn what_cannot_be_asked_for_is_not_there() {
    let server = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let dns = Dns::new(Resolver::At(server.local_addr().unwrap()));
    let until = Until::from(Instant::now() + Duration::from_secs(60));
    let long = vec!["a".repeat(63); 4].join(".");
    for name in ["-a._domainkey.x.org", "a..x.org", long.as_str(), "b\u{e4}r.x.org", " .x.org"] {
        assert_eq!(dns.txt(name, until), Ok(Texts::default()), "{name}");
    }
    assert!(dns.memory().failures.is_empty());
}

#[test]
fn memory_is_bounded() {
    let (mut memory, now) = (Memory::default(), Instant::now());
    for nth in 0..3 * MOST {
        memory.learn(&format!("{nth}.x.org"), texts("1"), now + ABSENT);
        memory.fail(&format!("{nth}.y.org"), failure(false), now);
    }
    assert!(memory.answers.len() <= MOST && memory.failures.len() <= MOST);
}

#[test]
fn nobody_who_is_told_to_stop_waits_for_an_answer() {
    let server = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let dns = Dns::new(Resolver::At(server.local_addr().unwrap()));
    let stop = AtomicBool::new(false);
    let until = Until::or_stop(Instant::now() + Duration::from_secs(3600), &stop);
    let told = std::thread::scope(|scope| {
        let asking = scope.spawn(|| dns.txt("a.x.org", until));
        // It has asked, and is never answered.
        server.recv(&mut [0; 512]).unwrap();
        stop.store(true, Ordering::Relaxed);
        asking.join().unwrap()
    });
    assert!(told.unwrap_err().ends_with("does not tell the TXT records of a.x.org: told to stop"));
    assert!(dns.memory().failures.is_empty() && dns.memory().silent == 0);
}

#[test]
fn a_resolver_that_could_not_be_opened_is_opened_later_and_once() {
    let cell = OnceLock::new();
    assert_eq!(opened(&cell, || Err("no nameservers".to_owned())), Err("no nameservers".to_owned()));
    assert_eq!(opened(&cell, || Ok(1)), Ok(&1));
    assert_eq!(opened(&cell, || Ok(2)), Ok(&1));
}
