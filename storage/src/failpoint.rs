//! Places where a test may stop the program. Without the feature `testing` every one of them is nothing.

/// Reached `place`; `detail` tells one visit from another (a Message-ID, say).
///
/// With the feature `testing`, `MAILSHELF_FAILPOINT` holds what shall happen where: `place[:detail]=action[@N]`, several
/// of them separated by `;`, at the Nth visit, the first if left out, every one for `*`. Actions: `abort` (the process
/// dies of itself), `overflow` (of its stack), `hog` (of all memory), `kill` (as if killed from outside), `panic`, `wait`
/// (until the file that `MAILSHELF_GATE` names is there), `note` (a line in the file that `MAILSHELF_NOTES` names, with the
/// process and the detail), `trespass` (tries what no mail may make it do, in the folder that `MAILSHELF_OUTSIDE` names and
/// over TCP to the port of this machine that `MAILSHELF_PORT` has, to the abstract Unix socket of that folder's name, and to
/// the process that started this one, and says on standard error how each went).
#[inline]
pub fn reached(place: &str, detail: &str) {
    #[cfg(feature = "testing")]
    armed::reached(place, detail);
    #[cfg(not(feature = "testing"))]
    let _ = (place, detail);
}

#[cfg(feature = "testing")]
mod armed {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixStream};
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    struct Point {
        place: String,
        detail: Option<String>,
        action: String,
        /// Visits until it acts; `None`: at every one.
        left: Option<AtomicU64>,
    }

    fn parse(text: &str) -> Option<Point> {
        let (place, action) = text.split_once('=')?;
        let (place, detail) = match place.split_once(':') {
            Some((place, detail)) => (place, Some(detail.to_owned())),
            None => (place, None),
        };
        let (action, visit) = action.split_once('@').unwrap_or((action, "1"));
        let left = if visit == "*" { None } else { Some(AtomicU64::new(visit.parse().ok()?)) };
        Some(Point { place: place.to_owned(), detail, action: action.to_owned(), left })
    }

    fn kill() {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }

    fn wait() {
        let gate = std::env::var_os("MAILSHELF_GATE").unwrap_or_default();
        while !std::path::Path::new(&gate).exists() {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }

    fn trespass() {
        let folder = std::path::PathBuf::from(std::env::var_os("MAILSHELF_OUTSIDE").unwrap_or_default());
        let port = std::env::var("MAILSHELF_PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(0);
        let tell = |what: &str, how: std::io::Result<()>| match how {
            Ok(()) => eprintln!("trespass: {what}: done"),
            Err(error) => eprintln!("trespass: {what}: {error}"),
        };
        tell("read", std::fs::read(folder.join("secret")).map(|_| ()));
        tell("list", std::fs::read_dir(&folder).map(|_| ()));
        tell("write", std::fs::write(folder.join("written"), ""));
        tell(
            "cut",
            std::fs::OpenOptions::new().write(true).truncate(true).open(folder.join("cut")).map(|_| ()),
        );
        tell("remove", std::fs::remove_file(folder.join("removed")));
        tell("make", std::fs::create_dir(folder.join("made")));
        tell("run", std::process::Command::new("/bin/sh").args(["-c", ":"]).status().map(|_| ()));
        tell("connect", std::net::TcpStream::connect(("127.0.0.1", port)).map(|_| ()));
        let name = SocketAddr::from_abstract_name(folder.as_os_str().as_encoded_bytes());
        tell("call", name.and_then(|name| UnixStream::connect_addr(&name)).map(|_| ()));
        let parent = rustix::process::getppid().ok_or(std::io::ErrorKind::NotFound.into());
        tell("signal", parent.and_then(|parent| Ok(rustix::process::test_kill_process(parent)?)));
    }

    /// No stack is so deep.
    fn overflow(depth: u64) -> u64 {
        let frame = std::hint::black_box([depth; 64]);
        let deeper = if depth == u64::MAX { 0 } else { overflow(depth + 1) };
        frame.iter().fold(deeper, |sum, part| sum.wrapping_add(*part))
    }

    fn hog() {
        loop {
            std::hint::black_box(Vec::<u8>::with_capacity(1 << 40)).clear();
        }
    }

    fn note(detail: &str) {
        use std::io::Write;
        let path = std::env::var_os("MAILSHELF_NOTES").unwrap_or_default();
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        let line = format!("{} {detail}\n", std::process::id());
        let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }

    #[expect(clippy::panic, reason = "to panic here is what the test asked for")]
    pub fn reached(place: &str, detail: &str) {
        static POINTS: OnceLock<Vec<Point>> = OnceLock::new();
        let points = POINTS.get_or_init(|| {
            let set = std::env::var("MAILSHELF_FAILPOINT").unwrap_or_default();
            set.split(';').filter_map(parse).collect()
        });
        let here = |point: &&Point| {
            point.place == place && point.detail.as_deref().is_none_or(|want| want == detail)
        };
        for point in points.iter().filter(here) {
            if point.left.as_ref().is_some_and(|left| left.fetch_sub(1, Ordering::Relaxed) != 1) {
                continue;
            }
            match point.action.as_str() {
                // As a reader that chokes on a text quotes it.
                "panic" => panic!("failpoint {place}: {detail}"),
                "wait" => wait(),
                "trespass" => trespass(),
                "kill" => kill(),
                "overflow" => drop(std::hint::black_box(overflow(1))),
                "hog" => hog(),
                "note" => note(detail),
                _ => std::process::abort(),
            }
        }
    }
}
