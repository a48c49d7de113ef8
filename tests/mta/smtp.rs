//! As much of SMTP as a sender needs, from a loopback address that no server takes for its own; and accounts to sign in
//! with.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};

use rustix::net::{AddressFamily, SocketType, bind, connect, socket};

use super::servers::{PATIENCE, Servers};

/// The milters leave 127.0.0.1 alone.
const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

pub struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    pub fn connect(servers: &Servers) -> Client {
        Client::greeting(servers, "mail.sender.test")
    }

    /// One that gives itself this name.
    pub fn greeting(servers: &Servers, helo: &str) -> Client {
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        bind(&socket, &SocketAddrV4::new(STRANGER, 0)).unwrap();
        connect(&socket, &servers.smtp()).unwrap();
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = Client { stream: BufReader::new(stream) };
        client.is_answered("220");
        client.say(&format!("EHLO {helo}"), "250");
        client
    }

    pub fn sign_in(&mut self, account: &str) {
        let plain = base64(format!("\0{account}\0secret").as_bytes());
        self.say(&format!("AUTH PLAIN {plain}"), "235");
    }

    /// Sends a message with lines that end in CR LF to the library `board`.
    pub fn send(&mut self, from: &str, message: &[u8]) {
        self.say(&format!("MAIL FROM:<{from}>"), "250");
        self.say("RCPT TO:<board@docs.example.org>", "250");
        self.say("DATA", "354");
        let mut sent = Vec::new();
        for line in message.split_inclusive(|&byte| byte == b'\n') {
            // RFC 5321 section 4.5.2.
            sent.extend(line.starts_with(b".").then_some(b'.'));
            sent.extend(line);
        }
        self.stream.get_mut().write_all(&sent).unwrap();
        self.say(".", "250");
    }

    fn say(&mut self, line: &str, answer: &str) {
        self.stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
        self.is_answered(answer);
    }

    fn is_answered(&mut self, code: &str) {
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).unwrap();
            assert!(line.starts_with(code), "{line}");
            if line.as_bytes()[3] != b'-' {
                return;
            }
        }
    }
}

/// RFC 4648 section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let mut padded = [0; 4];
        padded[1..=three.len()].copy_from_slice(three);
        let bits = u32::from_be_bytes(padded);
        for digit in 0..4 {
            let at = (bits >> (18 - 6 * digit)) as usize & 63;
            text.push(if digit > three.len() { '=' } else { char::from(DIGITS[at]) });
        }
    }
    text
}

/// Accounts `alice` and `mallory` for Postfix, in the authentication protocol of Dovecot, which it asks. They
/// are there as long as the test.
pub fn accounts() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || answer(stream.unwrap()));
        }
    });
    address
}

fn answer(mut stream: TcpStream) {
    let greeting = "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t00000000000000000000000000000000\nDONE\n";
    let lines = BufReader::new(stream.try_clone().unwrap()).lines();
    // Postfix may have gone by then.
    let _ = stream.write_all(greeting.as_bytes());
    for line in lines.map_while(Result::ok) {
        let Some(request) = line.strip_prefix("AUTH\t") else { continue };
        let number = request.split('\t').next().unwrap();
        let is_of = |account: &&str| {
            let secret = base64(format!("\0{account}\0secret").as_bytes());
            request.ends_with(&format!("\tresp={secret}"))
        };
        let reply = match ["alice", "mallory"].iter().find(|account| is_of(account)) {
            Some(account) => format!("OK\t{number}\tuser={account}\n"),
            None => format!("FAIL\t{number}\n"),
        };
        let _ = stream.write_all(reply.as_bytes());
    }
}
