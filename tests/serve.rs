//! The service: mail is filed as soon as it arrives and at each tick, whatever becomes of the folders and the watch.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use rustix::process::{Pid, Signal, kill_process};

use crate::util::{Limit, Site, entries, mail, message, sha256};

/// So rare that nothing but the watch can have made a pass.
pub const NEVER: &str = "0 0 0 29 2 MON";
pub const EACH_SECOND: &str = "* * * * * *";

/// A running `mailshelf serve`; killed with this value.
pub struct Service {
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Service {
    /// Starts it, and waits until it looks at the drop.
    pub fn start(site: &Site, cron: &str, watch: &str) -> Service {
        schedule(site, cron, watch);
        Service::spawn(site.command(&["serve"]))
    }

    pub fn spawn(command: Command) -> Service {
        let service = Service::begin(command);
        service.wait_until_it_says("watch: ");
        service
    }

    /// Starts it, and waits for nothing.
    pub fn begin(mut command: Command) -> Service {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let readers = vec![collect(out, &said), collect(err, &said)];
        Service { child, said, readers }
    }

    pub fn says(&self, text: &str) -> bool {
        self.said.lock().unwrap().iter().any(|line| line.contains(text))
    }

    pub fn wait_until_it_says(&self, text: &str) {
        let begun = std::time::Instant::now();
        while !self.says(text) {
            let said = self.said.lock().unwrap().join("\n");
            assert!(begun.elapsed().as_secs() < 60, "waited in vain for {text:?}: {said}");
            thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Asks it to end; its exit code, and all it said.
    pub fn stop(self) -> (Option<i32>, String) {
        self.signal(Signal::TERM);
        self.end()
    }

    /// The process that was started.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// All it has said as yet.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().join("\n")
    }

    /// Waits for its end; the signal that it died of.
    pub fn end_signal(mut self) -> Option<i32> {
        let _limit = Limit::of(&self.child);
        self.child.wait().unwrap().signal()
    }

    /// Waits for its end; its exit code, and all it said.
    pub fn end(mut self) -> (Option<i32>, String) {
        let _limit = Limit::of(&self.child);
        let code = self.child.wait().unwrap().code();
        self.readers.drain(..).for_each(|reader| reader.join().unwrap());
        let said = self.said.lock().unwrap().join("\n");
        (code, said)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn schedule(site: &Site, cron: &str, watch: &str) {
    site.configure("cron = \"0 * * * * *\"", &format!("cron = \"{cron}\""));
    site.configure("watch = \"auto\"", &format!("watch = \"{watch}\""));
}

fn collect(output: impl std::io::Read + Send + 'static, said: &Arc<Mutex<Vec<String>>>) -> JoinHandle<()> {
    let said = Arc::clone(said);
    thread::spawn(move || {
        for line in BufReader::new(output).lines() {
            said.lock().unwrap().push(line.unwrap());
        }
    })
}

/// Whether it is filed. A look at the contents says soonest that it is not.
fn filed(site: &Site, id: &str) -> bool {
    let digest = sha256(message(id, id).as_bytes());
    site.path("state/contents").join(&digest[..2]).join(&digest).exists()
        && site.documents("all").iter().any(|document| document["sha256"] == digest.as_str())
}

/// Waits until the pass that took a mail has ended and told of it, and sees that it was filed.
fn wait_until_filed(site: &Site, id: &str) {
    site.wait_for(id, |site| site.told(&format!("\"message_id\":\"<{id}@example.net>\"")));
    assert!(filed(site, id), "{id}");
}

/// Delivers a mail, and waits until it is filed.
fn files(site: &Site, id: &str) {
    site.deliver(&format!("{id}.eml"), mail(id, &["all"], id));
    wait_until_filed(site, id);
}

/// Ends the service, and sees that every one of these mails was filed once and nothing is left.
fn assert_served(site: &Site, service: Service, ids: &[&str]) -> String {
    let (code, said) = service.stop();
    assert_eq!(code, Some(0), "{said}");
    let originals: Vec<_> =
        site.documents("all").into_iter().filter(|document| document["original"] == true).collect();
    assert_eq!(originals.len(), ids.len(), "{originals:#?}");
    assert!(ids.iter().all(|id| filed(site, id)));
    site.assert_sound();
    said
}

#[test]
fn mail_is_filed_as_it_arrives() {
    let site = Site::open_to_all();
    site.deliver("before.eml", mail("before", &["all"], "before"));
    let service = Service::start(&site, NEVER, "inotify");
    assert!(service.says("watch: inotify"));
    wait_until_filed(&site, "before");
    for id in ["one", "two", "three"] {
        files(&site, id);
    }
    let said = assert_served(&site, service, &["before", "one", "two", "three"]);
    assert_eq!(site.events().len(), 4, "a pass for each mail, and none for our own doings");
    assert_eq!(said.matches("The service processed 1 message(s)").count(), 4, "{said}");
}

/// A full pipe that nobody reads holds up no mail, nor the end.
#[test]
fn output_that_nobody_reads_holds_up_nobody() {
    let site = Site::open_to_all();
    site.configure("cron = \"0 * * * * *\"", &format!("cron = \"{NEVER}\""));
    let mut command = site.command(&["serve", "--json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    // The pipe, and all that may wait for it, is full long before the last of these.
    for round in 0..40 {
        let ids: Vec<String> = (0..10).map(|nth| format!("mail{round}-{nth}")).collect();
        ids.iter().for_each(|id| site.deliver(&format!("{id}.eml"), mail(id, &["all"], id)));
        site.wait_for("its mails", |site| site.waiting().is_empty() && site.claims().is_empty());
    }
    let _limit = Limit::of(&child);
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let originals = site.documents("all").iter().filter(|document| document["original"] == true).count();
    assert_eq!(originals, 400);
    site.assert_sound();
}

/// As an FTP server or a script does it: the file is in the drop before its bytes are.
#[test]
fn mail_written_slowly_is_filed_when_it_is_closed() {
    let site = Site::open_to_all();
    let service = Service::start(&site, NEVER, "inotify");
    let bytes = mail("slow", &["all"], "slow");
    let mut file = File::create(site.path("drop/slow.eml")).unwrap();
    file.write_all(&bytes.as_bytes()[..100]).unwrap();
    site.wait_for("its claim", |site| !site.claims().is_empty());
    files(&site, "fast");
    file.write_all(&bytes.as_bytes()[100..]).unwrap();
    assert!(!filed(&site, "slow"));
    drop(file);
    wait_until_filed(&site, "slow");
    assert_served(&site, service, &["fast", "slow"]);
}

/// The claim folder is watched by whatever name the configuration gives it.
#[test]
fn a_relative_configuration_is_watched_as_well() {
    let site = Site::open_to_all();
    site.configure("cron = \"0 * * * * *\"", &format!("cron = \"{NEVER}\""));
    let mut command = Command::new(crate::util::PROGRAM);
    command.args(["--config", "mailshelf.toml", "serve"]).current_dir(site.path(""));
    let service = Service::spawn(command);
    service.wait_until_it_says("watch: inotify");
    let bytes = mail("slow", &["all"], "slow");
    let mut file = File::create(site.path("drop/slow.eml")).unwrap();
    file.write_all(&bytes.as_bytes()[..100]).unwrap();
    site.wait_for("its claim", |site| !site.claims().is_empty());
    file.write_all(&bytes.as_bytes()[100..]).unwrap();
    drop(file);
    site.wait_for("the slow mail", |site| filed(site, "slow"));
    assert_served(&site, service, &["slow"]);
}

/// The warning is worth nothing to a service that never ends unless what is believed later is told later.
#[test]
fn whatever_comes_to_believe_the_bare_from_is_warned_of() {
    let site = Site::open_to_all();
    let service = Service::start(&site, EACH_SECOND, "off");
    site.wait_for("its first pass", |site| !site.events().is_empty());
    assert!(!service.says("trust_from is set"));
    site.ok(&["library", "add", "lax", "--alias", "lax", "--trust-from", "yes"]);
    service.wait_until_it_says(
        "trust_from is set: whoever writes a From header files as that user site=false libraries=\"lax\"",
    );
    site.configure("trust_from = false", "trust_from = true");
    service.signal(Signal::HUP);
    service.wait_until_it_says("site=true libraries=\"all, lax\"");
    let passes = |site: &Site| site.events().len();
    let before = passes(&site);
    site.wait_for("two more passes", |site| passes(site) > before + 1);
    let (code, said) = service.stop();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said.matches("trust_from is set").count(), 2, "{said}");
}

/// A catalog put back from a copy is another file: what went to the old one would be lost.
#[test]
fn a_catalog_that_was_replaced_is_opened_anew() {
    let site = Site::open_to_all();
    let catalog = site.path("state/catalog.db");
    let copy = fs::read(&catalog).unwrap();
    let service = Service::start(&site, NEVER, "inotify");
    site.wait_for("its first pass", |site| !site.events().is_empty());
    fs::remove_file(&catalog).unwrap();
    for log in ["state/catalog.db-wal", "state/catalog.db-shm"] {
        let _ = fs::remove_file(site.path(log));
    }
    fs::write(&catalog, copy).unwrap();
    // The event file has events that this catalog knows nothing of: the mail itself is what counts.
    site.deliver("one.eml", mail("one", &["all"], "one"));
    site.wait_for("the mail", |site| filed(site, "one"));
    let (code, said) = service.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(filed(&site, "one"));
    site.ok(&["verify", "--repair"]);
}

/// While a catalog is being put back none is made in its place: an empty one would have all mail rejected.
#[test]
fn a_catalog_that_is_gone_is_waited_for() {
    let site = Site::open_to_all();
    let catalog = site.path("state/catalog.db");
    let copy = fs::read(&catalog).unwrap();
    let service = Service::start(&site, NEVER, "inotify");
    site.wait_for("its first pass", |site| !site.events().is_empty());
    for file in ["state/catalog.db", "state/catalog.db-wal", "state/catalog.db-shm"] {
        let _ = fs::remove_file(site.path(file));
    }
    site.deliver("one.eml", mail("one", &["all"], "one"));
    service.wait_until_it_says("there is none, or it is empty");
    assert!(!catalog.exists());
    assert_eq!(site.waiting(), ["one.eml"]);
    // A copy that has just begun.
    fs::write(&catalog, "").unwrap();
    fs::write(site.path("state/copy.db"), copy).unwrap();
    fs::rename(site.path("state/copy.db"), &catalog).unwrap();
    site.wait_for("the mail", |site| filed(site, "one"));
    let (code, said) = service.stop();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said.matches("there is none, or it is empty").count(), 1, "{said}");
}

/// A suspect that takes its time is read alone meanwhile: the end does not wait for it.
#[test]
fn a_suspect_does_not_hold_up_the_end() {
    let site = Site::open_to_all();
    site.deliver("bad.eml", mail("bad", &["all"], "bad"));
    site.die("parsed:bad@example.net=abort");
    site.configure("cron = \"0 * * * * *\"", &format!("cron = \"{NEVER}\""));
    let mut command = site.command(&["serve"]);
    command
        .env("MAILSHELF_FAILPOINT", "parsed:bad@example.net=wait@*")
        .env("MAILSHELF_GATE", site.path("gate"));
    let service = Service::spawn(command);
    let (code, said) = service.stop();
    assert_eq!(code, Some(0), "{said}");
    site.run();
    assert!(filed(&site, "bad"));
    site.assert_sound();
}

/// Honest deliveries take time: nothing is wrong with a mail that is still being written.
#[test]
fn a_delivery_under_way_is_no_event() {
    let site = Site::open_to_all();
    let service = Service::start(&site, EACH_SECOND, "inotify");
    let bytes = mail("slow", &["all"], "slow");
    let mut file = File::create(site.path("drop/slow.eml")).unwrap();
    file.write_all(&bytes.as_bytes()[..100]).unwrap();
    for id in ["one", "two", "three"] {
        files(&site, id);
    }
    file.write_all(&bytes.as_bytes()[100..]).unwrap();
    drop(file);
    site.wait_for("the slow mail", |site| filed(site, "slow"));
    assert_served(&site, service, &["one", "two", "three", "slow"]);
    assert!(site.events().iter().all(|event| event["event_id"] == 6871), "{:#?}", site.events());
}

#[test]
fn the_tick_alone_is_enough() {
    let site = Site::open_to_all();
    let service = Service::start(&site, EACH_SECOND, "off");
    files(&site, "one");
    files(&site, "two");
    let said = assert_served(&site, service, &["one", "two"]);
    assert!(said.contains("watch: off"), "{said}");
}

#[test]
fn a_folder_that_is_listed_every_few_seconds_is_enough() {
    let site = Site::open_to_all();
    let service = Service::start(&site, NEVER, "poll");
    files(&site, "one");
    let said = assert_served(&site, service, &["one"]);
    assert!(said.contains("watch: poll"), "{said}");
}

/// The drop folder goes away and comes back, as when a share is mounted again: the service says so, in the event log
/// too, and goes on in the new one.
#[test]
fn a_drop_folder_made_anew_is_served_again() {
    let site = Site::open_to_all();
    let service = Service::start(&site, EACH_SECOND, "inotify");
    files(&site, "one");
    fs::rename(site.path("drop"), site.path("gone")).unwrap();
    service.wait_until_it_says(": there is none");
    site.wait_for("its event", |site| site.told("\"event_id\":6872"));
    fs::create_dir(site.path("drop")).unwrap();
    files(&site, "two");
    // The watch looks at the new one: two ticks are not waited for.
    site.wait_for("a second watch", |_| {
        service.said.lock().unwrap().iter().filter(|line| line.contains("watch: inotify")).count() >= 2
    });
    // Away at once: of a folder that is emptied first a tick might make part anew.
    fs::rename(site.path("drop"), site.path("gone too")).unwrap();
    fs::create_dir(site.path("drop")).unwrap();
    files(&site, "three");
    let said = assert_served(&site, service, &["one", "two", "three"]);
    let told = said
        .lines()
        .filter(|line| line.starts_with("mailshelf: ") && line.ends_with("there is none"))
        .count();
    assert!(told <= 2, "once each time, not with each tick: {said}");
    site.fails(2, &["--config", "nowhere.toml", "serve"]);
}

#[test]
fn the_folders_of_a_maildir_may_be_made_anew() {
    let site = Site::open_to_all();
    for folder in ["new", "cur", "tmp"] {
        fs::create_dir(site.path("drop").join(folder)).unwrap();
    }
    let service = Service::start(&site, EACH_SECOND, "inotify");
    let deliver = |id: &str| {
        let bytes = format!(
            "Return-Path: <a@example.net>\r\nDelivered-To: all@docs.example.org\r\n{}",
            message(id, id)
        );
        fs::write(site.path("drop/tmp").join(id), &bytes).unwrap();
        fs::rename(site.path("drop/tmp").join(id), site.path("drop/new").join(id)).unwrap();
        let digest = sha256(bytes.as_bytes());
        site.wait_for(id, |site| {
            site.documents("all").iter().any(|found| found["sha256"] == digest.as_str())
        });
    };
    deliver("one");
    fs::rename(site.path("drop/new"), site.path("drop/old")).unwrap();
    fs::create_dir(site.path("drop/new")).unwrap();
    deliver("two");
    service.wait_until_it_says("watch: inotify");
    assert_eq!(service.stop().0, Some(0));
    assert_eq!(site.documents("all").len(), 4);
}

/// Where the system has no watch left, the drop is looked at every few seconds. In a user namespace that limit is ours to
/// set.
#[test]
fn without_a_watch_to_be_had_it_looks_by_itself() {
    let site = Site::open_to_all();
    site.configure("cron = \"0 * * * * *\"", &format!("cron = \"{NEVER}\""));
    let mut command = Command::new("unshare");
    let limited = "echo 0 > /proc/sys/user/max_inotify_instances && exec \"$@\"";
    command.args(["--user", "--map-root-user", "sh", "-c", limited, "sh", crate::util::PROGRAM]);
    let probe = Command::new("unshare")
        .args(["--user", "--map-root-user", "sh", "-c", limited, "sh", "true"])
        .output();
    if !probe.is_ok_and(|output| output.status.success()) {
        crate::util::skip("no user namespace, or no limit of watches in it");
        return;
    }
    command.arg("--config").arg(site.path("mailshelf.toml")).arg("serve");
    let service = Service::spawn(command);
    service.wait_until_it_says("watch: poll");
    files(&site, "one");
    let said = assert_served(&site, service, &["one"]);
    assert!(said.contains("raise fs.inotify.max_user_instances"), "{said}");
}

#[test]
fn only_one_service_has_a_drop() {
    let site = Site::open_to_all();
    let service = Service::start(&site, NEVER, "auto");
    for command in ["serve", "run"] {
        let error = site.fails(75, &[command]);
        assert!(error.contains("held by another pass, or the service"), "{error}");
    }
    drop(service);
    site.run();
}

#[test]
fn sighup_reads_the_configuration_again() {
    let site = Site::open_to_all();
    let service = Service::start(&site, NEVER, "inotify");
    let to_new_domain = mail("new", &["all"], "new").replace("@docs.example.org", "@new.example.org");
    site.configure("domains = [\"docs.example.org\"]", "domains = [\"new.example.org\"]");
    service.signal(Signal::HUP);
    service.wait_until_it_says("The configuration was read again.");
    site.deliver("new.eml", &to_new_domain);
    site.wait_for("the mail to the new domain", |site| {
        filed(site, "new") || site.documents("all").len() == 2
    });

    // One that is wrong, and one whose drop is missing, change nothing.
    for (from, to, why) in [
        ("[drop]", "[drop]\npathh = \"x\"", "unknown key `drop.pathh`"),
        ("path = \"drop\"", "path = \"elsewhere\"", "elsewhere: there is none"),
    ] {
        site.configure(from, to);
        service.signal(Signal::HUP);
        service.wait_until_it_says(why);
        assert!(service.says("the old configuration stays in force"));
        site.configure(to, from);
    }
    site.deliver("again.eml", to_new_domain.replace("new@example.net", "again@example.net"));
    site.wait_for("the last mail", |site| site.documents("all").len() == 4);
    assert_eq!(service.stop().0, Some(0));
}

/// What goes wrong in each pass is told once, and again only after it went well in between.
#[test]
fn a_fault_of_passes_is_told_once_and_not_at_each_tick() {
    const FAULT: &str = "mailshelf: cannot open ";
    let site = Site::open_to_all();
    let service = Service::start(&site, EACH_SECOND, "off");
    let events = site.path("state/events.jsonl");
    for times in 1..=2 {
        site.wait_for("a pass that goes well", |_| events.is_file());
        fs::rename(&events, site.path("state/aside")).unwrap();
        std::os::unix::fs::symlink("nowhere/events.jsonl", &events).unwrap();
        // Each by a tick of its own.
        for id in ["one", "two"].map(|id| format!("{id}{times}")) {
            site.deliver(&format!("{id}.eml"), mail(&id, &["all"], &id));
            site.wait_for(&id, |site| filed(site, &id));
        }
        site.wait_for("its words", |_| service.said().matches(FAULT).count() >= times);
        fs::rename(site.path("state/aside"), &events).unwrap();
        site.wait_for("its events", |site| site.told(&format!("<two{times}@example.net>")));
    }
    let (code, said) = service.stop();
    assert_eq!((code, said.matches(FAULT).count()), (Some(0), 2), "{said}");
    site.assert_sound();
}

/// SIGTERM ends it after the batch in hand: the rest stays in the drop, and nothing is lost or filed twice.
#[test]
fn sigterm_in_the_midst_of_a_pass_loses_nothing() {
    let site = Site::open_to_all();
    let ids: Vec<String> = (0..1000).map(|number| format!("mail{number}")).collect();
    for id in &ids {
        site.deliver(&format!("{id}.eml"), mail(id, &["all"], id));
    }
    schedule(&site, NEVER, "inotify");
    let mut command = site.command(&["serve"]);
    command.env("MAILSHELF_FAILPOINT", "stored=wait").env("MAILSHELF_GATE", site.path("gate"));
    let service = Service::spawn(command);
    site.wait_for("a first batch", |site| !site.contents().is_empty());
    service.signal(Signal::TERM);
    fs::write(site.path("gate"), "").unwrap();
    let (code, said) = service.end();
    assert_eq!(code, Some(0), "{said}");
    // How many batches go on record before the signal is heard is a matter of the machine.
    let passes: Vec<_> = site.events().into_iter().filter(|event| event["event_id"] == 6871).collect();
    let left = site.waiting().len() + site.claims().len();
    let filed: u64 = passes.iter().map(|pass| pass["filed"].as_u64().unwrap()).sum();
    assert!(filed > 0);
    assert_eq!(usize::try_from(filed).unwrap() + left, ids.len());
    assert!(left > 0 || passes.last().unwrap()["interrupted"] != true, "interrupted, and nothing left");
    site.run();
    assert_eq!(
        site.documents("all").iter().filter(|document| document["original"] == true).count(),
        ids.len()
    );
    assert!(entries(&site.path("state/badmail")).is_empty());
    site.assert_sound();
}
