//! What it costs to know who sent a mail, by Authentication-Results alone: passes over the very same mails by sites that
//! believe our server's results and that believe none. Both file all of it; only the verdict differs.
//!
//! Passes are made in turn, and each is compared with those beside it: what else the machine does strikes all alike. Two
//! sites that believe none are compared too: that is what the measure itself is good for.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench that cannot go on may stop")]

use std::hint::black_box;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use mailshelf::config::{Config, TEMPLATE};
use mailshelf::message::{self, Limits};
use mailshelf::pass::{Scope, run};
use mailshelf::sender::{Known, Rules, Traces, evidence, identity};
use mailshelf_storage::UserId;
use mailshelf_storage::model::User;
use rustix::time::{ClockId, clock_gettime};
use shelf::MAILS;

mod mails;
mod shelf;

const ID: &str = "mx1.docs.example.org";

/// As Rspamd writes them, and OpenDKIM and OpenDMARC, in turn.
fn results(nth: usize) -> String {
    let field = format!("Authentication-Results: {ID};");
    match nth % 2 {
        0 => format!(
            "{field}\r\n\tdkim=pass header.d=example.org header.s=s1 header.b=abcdEF12;\r\n\tspf=pass ({ID}: domain of \
             alice@example.org designates 192.0.2.1 as permitted sender) smtp.mailfrom=alice@example.org;\r\n\t\
             dmarc=pass (policy=reject) header.from=example.org\r\n"
        ),
        _ => format!(
            "{field} dmarc=pass (p=reject dis=none) header.from=example.org\r\n{field}\r\n\tdkim=pass (2048-bit key; \
             unprotected) header.d=example.org header.i=@example.org header.a=rsa-sha256 header.s=s1 header.b=\"aB/+cd12\"\r\n"
        ),
    }
}

fn settings(believed: bool) -> String {
    let id = if believed { format!("authserv_id = [\"{ID}\"]") } else { "authserv_id = []".to_owned() };
    let configuration = TEMPLATE.replace("authserv_id = []", &id);
    assert!(configuration.contains(&id));
    configuration
}

/// What a pass over all mails took, on the clock and of the processors.
fn pass(mails: &[String], believed: bool) -> [f64; 2] {
    let (_dir, site) = shelf::site(mails, true, &settings(believed));
    let mut writer = site.catalog.write().unwrap();
    writer.add_user(&"alice".parse().unwrap(), &["alice@example.org".parse().unwrap()]).unwrap();
    writer.commit().unwrap();
    let (drop, stop) = (site.open_drop().unwrap(), AtomicBool::new(false));
    let (mut filed, mut identified) = (0, 0);
    let processors = || clock_gettime(ClockId::ProcessCPUTime);
    let (begun, before) = (Instant::now(), processors());
    run(&site, &drop, Scope::Everything, &stop, |done| {
        filed += done.event.filed;
        identified += done.event.mails.iter().filter(|mail| mail.sender.identity.is_some()).count();
    })
    .unwrap();
    let (elapsed, after) = (begun.elapsed(), processors());
    assert_eq!((filed, identified), (MAILS as u64, if believed { MAILS } else { 0 }));
    let spent = Duration::try_from(after).unwrap() - Duration::try_from(before).unwrap();
    [elapsed.as_secs_f64(), spent.as_secs_f64()]
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) }
}

fn passes(kind: &str, mails: &[String], rounds: usize) {
    // None, none again, believed.
    let sites = [false, false, true];
    let mut taken: [Vec<[f64; 2]>; 3] = Default::default();
    for round in 0..rounds {
        for turn in 0..sites.len() {
            // Each comes first, second and last equally often.
            let site = (round + turn) % sites.len();
            taken[site].push(pass(mails, sites[site]));
        }
    }
    for (what, measure) in [("clock", 0), ("processors", 1)] {
        let ratio = |site: usize| {
            median(
                taken[site].iter().zip(&taken[0]).map(|(one, base)| one[measure] / base[measure]).collect(),
            )
        };
        let base = median(taken[0].iter().map(|one| one[measure]).collect());
        println!(
            "pass/{kind}, {MAILS} mails, {rounds} rounds, {what}: {:.1} ms; believed ÷ none {:.4}; none ÷ none {:.4}",
            base * 1e3,
            ratio(2),
            ratio(1)
        );
    }
}

/// The median time of a step over all mails, in microseconds a mail.
fn each<T>(rounds: usize, count: usize, mut step: impl FnMut(usize) -> T) -> f64 {
    let times = (0..rounds).map(|_| {
        let begun = Instant::now();
        for nth in 0..count {
            black_box(step(nth));
        }
        begun.elapsed().as_secs_f64() * 1e6 / count as f64
    });
    median(times.collect())
}

fn verdicts(kind: &str, mails: &[String], rounds: usize) {
    let dir = shelf::folder();
    let file = dir.path().join("mailshelf.toml");
    std::fs::write(&file, settings(true)).unwrap();
    let sender = Config::load(&file).unwrap().sender;
    let bytes: Vec<&[u8]> = mails.iter().map(String::as_bytes).collect();
    let read: Vec<_> = bytes.iter().map(|mail| message::read(mail, &Limits::default()).unwrap()).collect();
    let address = read[0].mailbox.clone().unwrap();
    let alice = User { id: UserId(1), login: "alice".parse().unwrap(), addresses: vec![address.clone()] };
    let known = Known { senders: vec![alice], ..Known::default() };
    let parse = each(rounds, mails.len(), |nth| message::read(black_box(bytes[nth]), &Limits::default()));
    let traces = each(rounds, mails.len(), |nth| Traces::read(black_box(bytes[nth])));
    let judge = each(rounds, mails.len(), |nth| {
        let found = evidence::collect(black_box(&read[nth].traces), &address, &sender);
        let identity = identity::judge(&address, &known, &found, &Rules::of(&sender, false));
        assert!(identity.user.is_some());
        identity
    });
    println!(
        "verdict/{kind}, a mail: parse {parse:.2} µs, of which its traces {traces:.2} µs; evidence and identity {judge:.2} µs, \
         {:.1} % of the parse",
        100.0 * judge / parse
    );
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let mut random = mails::Random::new(1);
    let with_results = |nth: usize, mail: String| results(nth) + &mail;
    let small: Vec<_> =
        (0..MAILS).map(|nth| with_results(nth, mails::message(&mut random, nth, &[1500]))).collect();
    let ordinary: Vec<_> =
        (0..MAILS).map(|nth| with_results(nth, mails::ordinary(&mut random, nth))).collect();
    for (kind, mails, rounds) in [("small", &small, 30), ("ordinary", &ordinary, 12)] {
        verdicts(kind, mails, if quick { 5 } else { 101 });
        passes(kind, mails, if quick { 3 } else { rounds });
    }
}
