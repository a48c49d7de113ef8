//! Runs killed by SIGKILL at random moments over a filling drop. `MAILSHELF_KILLS` says how many (default 20).

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use crate::util::{Site, entries, mail, sha256};

/// A small generator of our own, so that a failure can be repeated by its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

#[test]
fn all_is_filed_once_whenever_a_run_is_killed() {
    let kills = std::env::var("MAILSHELF_KILLS").map_or(20, |text| text.parse::<u64>().unwrap());
    let seed = std::env::var("MAILSHELF_SEED").map_or(1, |text| text.parse::<u64>().unwrap());
    let mut random = Random(seed);
    let site = Site::open_to_all();
    let mut delivered = BTreeMap::new();
    let mut killed = 0;
    for round in 0..kills {
        for nth in 0..1 + random.below(12) {
            let id = format!("{round}-{nth}");
            let text = format!("{id}{}", "x".repeat(usize::try_from(random.below(20_000)).unwrap()));
            site.deliver(&format!("{id}.eml"), mail(&id, &["all"], &text));
            delivered.insert(sha256(text.as_bytes()), id);
        }
        let mut command = site.command(&["run"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Up to half a second: from before the program has begun to after it has ended.
        let moment = 1 << random.below(20);
        // However slow the machine, some mail is filed meanwhile.
        if round % 8 < 7 {
            std::thread::sleep(Duration::from_micros(random.below(moment)));
            child.kill().unwrap();
        }
        killed += u64::from(child.wait().unwrap().code().is_none());
    }
    let already = site.documents("all").len() / 2;
    site.run();
    let mut filed = BTreeMap::new();
    for document in site.documents("all").iter().filter(|document| document["original"] == false) {
        let previous = filed.insert(document["sha256"].as_str().unwrap().to_owned(), document.clone());
        assert!(previous.is_none(), "filed twice (seed {seed}): {document}");
    }
    assert_eq!(filed.len(), delivered.len(), "seed {seed}");
    assert!(delivered.keys().all(|digest| filed.contains_key(digest)), "seed {seed}");
    assert!(entries(&site.path("state/badmail")).is_empty(), "seed {seed}");
    site.assert_sound();
    println!("{killed} of {kills} runs were killed; of {} mails they filed {already}", delivered.len());
    assert!(killed > 0 && already > 0, "{killed} runs were killed, {already} mails filed by them");
}
