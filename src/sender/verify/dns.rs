//! Questions to DNS, with a memory. Alone knows the resolver.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use mail_auth::hickory_resolver::TokioResolver;
use mail_auth::hickory_resolver::config::{NameServerConfig, ResolverConfig};
use mail_auth::hickory_resolver::net::runtime::TokioRuntimeProvider;
use mail_auth::hickory_resolver::net::{DnsError, NetError};
use mail_auth::hickory_resolver::proto::op::ResponseCode;
use mail_auth::hickory_resolver::proto::rr::{Name, RData};
use tokio::runtime::{Builder, Runtime};

use crate::config::Resolver;

/// How long a server may take to answer; it is asked twice.
const PATIENCE: Duration = Duration::from_secs(2);
/// So often whoever waits for an answer looks whether to go on.
const SLICE: Duration = Duration::from_millis(50);
/// The longest that an answer is remembered, whatever it says itself.
const REMEMBERED: Duration = Duration::from_secs(300);
/// How long it is remembered that there is no record.
const ABSENT: Duration = Duration::from_secs(60);
/// How long a question that was not answered is not asked again, and a resolver that says nothing at all is left alone.
const LEFT_ALONE: Duration = Duration::from_secs(15);
/// After so many questions in a row without any answer the resolver itself is doubted.
const SILENT: u32 = 3;
/// What a resolver that is doubted is asked: it knows by itself that there is no such domain (RFC 6761 section 6.2). Whose
/// questions it does not answer may have been chosen by a stranger, so that somebody else's server keeps it waiting; this
/// one is not.
const PROBE: &str = "test";
/// So many answers, and so many failures, are remembered.
const MOST: usize = 2000;
/// Records beyond these, in number and bytes, are no key and no policy.
const RECORDS: usize = 16;
const RECORD_BYTES: usize = 8 << 10;

/// The texts found under a name; none if there are none.
pub type Texts = Arc<[Vec<u8>]>;

/// A resolver that may be asked by several threads at once.
pub struct Dns {
    source: Source,
    memory: Mutex<Memory>,
}

enum Source {
    /// Asked over the network, and opened only when it is first asked.
    Network(Resolver, OnceLock<Box<Open>>),
    /// Knows these names and no other.
    Records(HashMap<String, Vec<Vec<u8>>>),
}

struct Open {
    runtime: Runtime,
    resolver: TokioResolver,
}

#[derive(Default)]
struct Memory {
    answers: HashMap<String, (Instant, Texts)>,
    /// By question. A stranger who writes a signature chooses the selector, and so a name below the domain of somebody
    /// else that no server answers for: what is said of that name is said of no other.
    failures: HashMap<String, (Instant, String)>,
    /// Questions in a row that the resolver said nothing at all to.
    silent: u32,
    /// Until then it is taken for dead.
    dead_until: Option<Instant>,
}

/// How long DNS may be asked for one mail.
#[derive(Debug, Clone, Copy)]
pub struct Until<'a> {
    deadline: Instant,
    stop: Option<&'a AtomicBool>,
}

impl From<Instant> for Until<'_> {
    fn from(deadline: Instant) -> Self {
        Until { deadline, stop: None }
    }
}

impl<'a> Until<'a> {
    /// Until then, or until `stop` is set: whoever is told to end waits for nobody.
    pub fn or_stop(deadline: Instant, stop: &'a AtomicBool) -> Until<'a> {
        Until { deadline, stop: Some(stop) }
    }

    fn is_stopped(self) -> bool {
        self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    /// What is left of it, or why nothing is.
    fn left(self) -> Result<Duration, &'static str> {
        match self.deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            _ if self.is_stopped() => Err("told to stop"),
            None => Err("no time is left to ask for this mail"),
            Some(left) => Ok(left),
        }
    }
}

/// Why there is no answer.
struct Failure {
    why: String,
    /// The resolver said nothing at all.
    silent: bool,
}

impl Dns {
    /// One that asks this resolver.
    pub fn new(resolver: Resolver) -> Dns {
        Dns { source: Source::Network(resolver, OnceLock::new()), memory: Mutex::default() }
    }

    /// One that asks nobody: these are all the TXT records there are.
    pub fn records(records: &[(&str, &str)]) -> Dns {
        let mut by_name: HashMap<String, Vec<Vec<u8>>> = HashMap::new();
        for (name, text) in records {
            by_name.entry((*name).to_owned()).or_default().push(text.as_bytes().to_vec());
        }
        Dns { source: Source::Records(by_name), memory: Mutex::default() }
    }

    /// The TXT records of a name; none of one that DNS cannot be asked for. `Err` names resolver, question and fault:
    /// whether there are any is not known.
    pub fn txt(&self, name: &str, until: Until<'_>) -> Result<Texts, String> {
        let (whom, open) = match &self.source {
            Source::Network(whom, open) => (whom, open),
            Source::Records(records) => return Ok(records.get(name).cloned().unwrap_or_default().into()),
        };
        let tell = |why: &str| format!("DNS: {whom} does not tell the TXT records of {name}: {why}");
        if let Some(known) = self.memory().known(name, Instant::now()) {
            return known.map_err(|why| tell(&why));
        }
        until.left().map_err(tell)?;
        let asked = match opened(open, || Open::new(whom)) {
            Ok(open) => open.ask(name, until),
            Err(why) => Err(Failure { why, silent: false }),
        };
        let now = Instant::now();
        match asked {
            Ok((texts, until)) => {
                self.memory().learn(name, Arc::clone(&texts), until.min(now + REMEMBERED));
                Ok(texts)
            }
            Err(failure) => {
                let told = tell(&failure.why);
                // That nobody waited for the answer says nothing of the question.
                let doubted = !until.is_stopped() && self.memory().fail(name, failure, now);
                if let (true, Some(open)) = (doubted, open.get()) {
                    self.doubt(open, until);
                }
                Err(told)
            }
        }
    }

    /// Whether the resolver is there at all. The answer is about all mail, so it is waited for whatever one mail is given.
    fn doubt(&self, open: &Open, until: Until<'_>) {
        let deadline = Instant::now() + PATIENCE;
        let answer = open.ask(PROBE, Until { deadline, ..until });
        if answer.is_err_and(|failure| failure.silent) && !until.is_stopped() {
            self.memory().dead_until = Some(Instant::now() + LEFT_ALONE);
        }
    }

    /// Nothing half-done stands behind it when a thread panics.
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn known(&self, name: &str, now: Instant) -> Option<Result<Texts, String>> {
        if let Some((until, texts)) = self.answers.get(name)
            && now < *until
        {
            return Some(Ok(Arc::clone(texts)));
        }
        if let Some((until, why)) = self.failures.get(name)
            && now < *until
        {
            return Some(Err(why.clone()));
        }
        let dead = self.dead_until.is_some_and(|until| now < until);
        dead.then(|| Err("it has answered nothing for a while".to_owned()))
    }

    fn learn(&mut self, name: &str, texts: Texts, until: Instant) {
        (self.silent, self.dead_until) = (0, None);
        if self.answers.len() >= MOST {
            self.answers.clear();
        }
        self.answers.insert(name.to_owned(), (until, texts));
    }

    /// Whether the resolver is to be doubted.
    fn fail(&mut self, name: &str, failure: Failure, now: Instant) -> bool {
        if self.failures.len() >= MOST {
            self.failures.clear();
        }
        self.failures.insert(name.to_owned(), (now + LEFT_ALONE, failure.why));
        if !failure.silent {
            (self.silent, self.dead_until) = (0, None);
            return false;
        }
        self.silent = (self.silent + 1) % SILENT;
        self.silent == 0
    }
}

impl Open {
    fn new(whom: &Resolver) -> Result<Box<Open>, String> {
        // Whoever asks drives it, each on its own thread; it has no thread of its own.
        let runtime =
            Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
        let entered = runtime.enter();
        let mut builder = match whom {
            Resolver::System => TokioResolver::builder_tokio().map_err(|error| error.to_string())?,
            Resolver::At(address) => {
                TokioResolver::builder_with_config(only(*address), TokioRuntimeProvider::default())
            }
        };
        let options = builder.options_mut();
        options.timeout = PATIENCE;
        options.attempts = 2;
        // What is remembered, and how long, is settled in one place.
        options.cache_size = 0;
        options.edns0 = true;
        let resolver = builder.build().map_err(|error| error.to_string())?;
        drop(entered);
        Ok(Box::new(Open { runtime, resolver }))
    }

    /// The texts, and until when they hold.
    fn ask(&self, name: &str, until: Until<'_>) -> Result<(Texts, Instant), Failure> {
        // What cannot be asked for is not there, and never will be.
        let Ok(mut name) = Name::from_ascii(name) else {
            return Ok((Arc::default(), Instant::now() + ABSENT));
        };
        // No search list: the name is meant as it stands.
        name.set_fqdn(true);
        let asked = async { awaited(self.resolver.txt_lookup(name), until).await };
        match self.runtime.block_on(asked) {
            Err(why) => Err(Failure { why: why.to_owned(), silent: true }),
            Ok(Err(error)) if is_absent(&error) => Ok((Arc::default(), Instant::now() + ABSENT)),
            Ok(Err(error)) => {
                let silent = !matches!(error, NetError::Dns(_));
                Err(Failure { why: words(&error), silent })
            }
            Ok(Ok(lookup)) => {
                let texts = lookup.answers().iter().filter_map(|record| match &record.data {
                    RData::TXT(txt) => Some(txt.txt_data.concat()),
                    _ => None,
                });
                let texts: Vec<Vec<u8>> =
                    texts.filter(|text| text.len() <= RECORD_BYTES).take(RECORDS).collect();
                Ok((texts.into(), lookup.valid_until()))
            }
        }
    }
}

/// What is open, or is opened now. That it cannot be is not kept: a service may start before the machine knows of any
/// resolver.
fn opened<T>(cell: &OnceLock<T>, open: impl FnOnce() -> Result<T, String>) -> Result<&T, String> {
    match cell.get() {
        Some(open) => Ok(open),
        None => open().map(|open| cell.get_or_init(|| open)),
    }
}

/// What comes of it in time.
async fn awaited<T>(answer: impl Future<Output = T>, until: Until<'_>) -> Result<T, &'static str> {
    let mut answer = pin!(answer);
    loop {
        let slice = until.left()?.min(SLICE);
        if let Ok(answer) = tokio::time::timeout(slice, answer.as_mut()).await {
            return Ok(answer);
        }
    }
}

/// One server, asked by UDP, and by TCP where an answer is too long for that.
fn only(address: SocketAddr) -> ResolverConfig {
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    for connection in &mut server.connections {
        connection.port = address.port();
    }
    ResolverConfig::from_parts(None, Vec::new(), vec![server])
}

/// The resolver says that there is no such record; every other error leaves that open.
fn is_absent(error: &NetError) -> bool {
    matches!(error, NetError::Dns(DnsError::NoRecordsFound(none))
        if matches!(none.response_code, ResponseCode::NXDomain | ResponseCode::NoError))
}

fn words(error: &NetError) -> String {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => none.response_code.to_string(),
        NetError::Dns(DnsError::ResponseCode(code)) => code.to_string(),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
