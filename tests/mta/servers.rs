//! Postfix, OpenDKIM, OpenDMARC and unbound: started on a loopback address of their own, each with its own folders, in a
//! process and mount namespace of their own. There the system's resolver is unbound, and none of them outlives the first
//! process.

use std::fs::{self, Permissions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::util::{Site, entries, is_root};

/// So long a server may take to start or to answer.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The user that Postfix delivers as: any but root will do.
const MAILSHELF: u32 = 64_123;

/// What Postfix needs of its services.
const MASTER: &str = "\
{smtp} inet n - n - - smtpd {filter}
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
virtual unix - n n - - virtual
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
";

/// All of them; stopped with this value.
pub struct Servers {
    child: Child,
    address: Ipv4Addr,
    port: u16,
    dir: TempDir,
}

impl Servers {
    /// Delivers to the site by these milters, with these settings of Postfix beside those that are documented. None where
    /// the machine cannot: the test says so and ends.
    pub fn start(site: &Site, milters: &[&str], settings: &str) -> Option<Servers> {
        Servers::with(site, milters, settings, false)
    }

    /// The border server hands the mail to another one, which delivers it.
    pub fn start_two(site: &Site) -> Option<Servers> {
        Servers::with(site, &["opendkim", "opendmarc"], "", true)
    }

    fn with(site: &Site, milters: &[&str], settings: &str, two: bool) -> Option<Servers> {
        if let Some(missing) = missing() {
            crate::util::skip(format_args!("{missing}"));
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let address = unused_address();
        let port = free_port(address);
        let setup = Setup { root: dir.path(), site, address };
        setup.resolver();
        setup.milters();
        setup.postfix(port, settings, milters, two);
        let child = setup.run(milters);
        let mut servers = Servers { child, address, port, dir };
        let mut ports = vec![53, port];
        ports.extend(milters.iter().map(|milter| if *milter == "opendkim" { 8891 } else { 8893 }));
        ports.into_iter().for_each(|port| servers.wait_for(port));
        Some(servers)
    }

    pub fn smtp(&self) -> SocketAddrV4 {
        SocketAddrV4::new(self.address, self.port)
    }

    fn wait_for(&mut self, port: u16) {
        let begun = Instant::now();
        while TcpStream::connect((self.address, port)).is_err() {
            let ended = self.child.try_wait().unwrap().is_some();
            assert!(!ended && begun.elapsed() < PATIENCE, "nobody listens at port {port}: {}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn said(&self) -> String {
        let logs = ["output", "maillog", "unbound.log"].iter();
        logs.map(|log| fs::read_to_string(self.dir.path().join(log)).unwrap_or_default()).collect()
    }
}

impl Drop for Servers {
    /// Kills the first process of the namespace, and with it all others; `unshare` ends when they are gone.
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}", self.said());
        }
        let id = self.child.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        let first = children.trim().parse().ok().and_then(Pid::from_raw);
        if first.is_none_or(|first| kill_process(first, Signal::KILL).is_err()) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// Why this machine cannot run them.
fn missing() -> Option<String> {
    if !is_root() {
        return Some("only root can start Postfix".to_owned());
    }
    let programs = ["postfix", "opendkim", "opendmarc", "unbound"];
    if let Some(program) = programs.iter().find(|program| !Path::new("/usr/sbin").join(program).exists()) {
        return Some(format!("there is no {program}"));
    }
    let mount = ["--mount", "--pid", "--fork", "mount", "--bind", "/tmp", "/mnt"];
    let may = Command::new("unshare").args(mount).output().is_ok_and(|output| output.status.success());
    (!may).then(|| "this machine lets nobody mount".to_owned())
}

/// One of 127.0.0.0/8 where nobody answers questions of DNS, which is asked for at port 53 alone.
fn unused_address() -> Ipv4Addr {
    let attempts = std::iter::repeat_with(|| {
        let [a, b, c, _] = (RandomState::new().build_hasher().finish() as u32).to_be_bytes();
        Ipv4Addr::new(127, 1 + a % 254, b, 2 + c % 253)
    });
    let unused = |address: &Ipv4Addr| {
        TcpListener::bind((*address, 53)).is_ok() && UdpSocket::bind((*address, 53)).is_ok()
    };
    attempts.take(100).find(unused).unwrap()
}

fn free_port(address: Ipv4Addr) -> u16 {
    TcpListener::bind((address, 0)).unwrap().local_addr().unwrap().port()
}

/// A fenced block of a document: the first whose text, or what stands behind its fence, is so.
fn block(document: &str, is: impl Fn(&str, &str) -> bool) -> String {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(document)).unwrap();
    let mut blocks = text.split("```").skip(1).step_by(2).map(|block| block.split_once('\n').unwrap());
    blocks.find(|(info, text)| is(info, text)).unwrap().1.to_owned()
}

struct Setup<'s> {
    root: &'s Path,
    site: &'s Site,
    address: Ipv4Addr,
}

impl Setup<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn resolver(&self) {
        let zone = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dkim/zone.conf");
        let (root, address) = (self.root.display(), self.address);
        let text = format!(
            "server:\n interface: {address}\n access-control: 127.0.0.0/8 allow\n do-ip6: no\n username: \"\"\n \
             chroot: \"\"\n directory: \"{root}\"\n pidfile: \"{root}/unbound.pid\"\n use-syslog: no\n \
             logfile: \"{root}/unbound.log\"\n num-threads: 1\n module-config: \"iterator\"\n \
             local-zone: \".\" static\n include: \"{}\"\nremote-control:\n control-enable: no\n",
            zone.display()
        );
        self.write("unbound.conf", &text);
        self.write("resolv.conf", &format!("nameserver {address}\n"));
        // OpenDKIM brings its own resolver, which knows by itself that there is no domain `test`.
        self.write("libunbound.conf", "server:\n local-zone: \"test.\" nodefault\n");
    }

    fn milters(&self) {
        for name in ["opendkim.conf", "opendmarc.conf"] {
            let documented = block("docs/postfix.md", |info, _| info.ends_with(name));
            let mut text = documented.replace("127.0.0.1", &self.address.to_string());
            if name == "opendkim.conf" {
                let resolver = self.path("libunbound.conf");
                text +=
                    &format!("Nameservers {}\nResolverConfiguration {}\n", self.address, resolver.display());
            }
            self.write(name, &text);
        }
    }

    /// The configuration of Postfix: what it must have of its own here, then the commands of the documents.
    fn postfix(&self, port: u16, settings: &str, milters: &[&str], two: bool) {
        for folder in ["postfix", "queue", "data"] {
            fs::create_dir(self.path(folder)).unwrap();
        }
        let root = self.root.display();
        let mut main = format!(
            "compatibility_level = 3.6\nmyhostname = mx1.docs.example.org\nmydestination =\nmynetworks = 127.0.0.1/32\n\
             inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nqueue_directory = {root}/queue\n\
             data_directory = {root}/data\nmaillog_file = {root}/maillog\nmaillog_file_prefixes = {root}\n\
             smtpd_relay_restrictions = reject_unauth_destination\nsmtpd_peername_lookup = no\n"
        );
        // Connections from the test come all at once.
        main += "smtpd_client_connection_count_limit = 0\n";
        self.write("postfix/main.cf", &main);
        let smtp = format!("{}:{port}", self.address);
        let mut master = MASTER.replace("{smtp}", &smtp);
        let mut filter = String::new();
        if two {
            let inner = format!("{}:{}", self.address, free_port(self.address));
            master += &format!(
                "{inner} inet n - n - - smtpd -o smtpd_milters= -o content_filter= \
                 -o receive_override_options=no_header_body_checks\n"
            );
            let (host, port) = inner.split_once(':').unwrap();
            filter = format!("-o content_filter=smtp:[{host}]:{port}");
        }
        self.write("postfix/master.cf", &master.replace("{filter}", &filter));
        self.documented(settings, milters);
        self.permissions();
    }

    fn documented(&self, settings: &str, milters: &[&str]) {
        let is = |text: &str, setting: &str| text.starts_with("postconf -e ") && text.contains(setting);
        let readme = block("README.md", |_, text| is(text, "virtual_mailbox_base"));
        let site = self.site.path("");
        let readme = readme
            .replace("/srv/mailshelf", site.to_str().unwrap().trim_end_matches('/'))
            .replace("$(id -u mailshelf)", &MAILSHELF.to_string())
            .replace("$(id -g mailshelf)", &MAILSHELF.to_string());
        let checks = block("docs/postfix.md", |_, text| is(text, "smtpd_milters"));
        let checks = checks.replace("127.0.0.1", &self.address.to_string());
        let mut script = format!("{readme}{checks}");
        for setting in settings.lines().chain(milters.is_empty().then_some("smtpd_milters =")) {
            script += &format!("postconf -e '{setting}'\n");
        }
        let own = format!("postconf -c '{}' -e ", self.path("postfix").display());
        let script = script.replace("postconf -e ", &own).replace("postfix reload\n", "");
        let output = Command::new("sh").args(["-euc", &script]).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{script}: {output:?}");
    }

    /// Whoever delivers must come to the drop, which is its own.
    fn permissions(&self) {
        for folder in [self.root, &self.site.path("")] {
            fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
        }
        chown(self.site.path("drop"), Some(MAILSHELF), Some(MAILSHELF)).unwrap();
        assert!(entries(&self.site.path("drop")).len() < 3, "the drop is not new");
        let output = Command::new("id").args(["-u", "postfix"]).output().unwrap();
        let postfix = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
        chown(self.path("data"), Some(postfix), None).unwrap();
    }

    fn run(&self, milters: &[&str]) -> Child {
        let mut script = "mount --bind resolv.conf \"$(realpath /etc/resolv.conf)\"\n\
                          unbound -d -c unbound.conf &\n"
            .to_owned();
        if milters.contains(&"opendkim") {
            script += "opendkim -f -x opendkim.conf &\n";
        }
        if milters.contains(&"opendmarc") {
            script += "opendmarc -f -c opendmarc.conf &\n";
        }
        script += "postfix -c \"$PWD/postfix\" start-fg\n";
        let output = fs::File::create(self.path("output")).unwrap();
        let mut command = Command::new("unshare");
        command.args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", &script]);
        command.current_dir(self.root).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command.stdin(Stdio::null()).stderr(output.try_clone().unwrap()).stdout(output);
        command.spawn().unwrap()
    }
}
