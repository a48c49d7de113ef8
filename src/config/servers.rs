//! `drop.safe_servers`: networks by their CIDR.

use std::fmt;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

/// The servers that mail may come from; none: any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Servers(Vec<IpNet>);

/// What is no network, why, and the way out.
pub struct BadNetwork {
    pub why: String,
    pub hint: String,
}

impl Servers {
    /// Reads a list of networks, and of single addresses.
    pub(super) fn parse(list: &[String]) -> Result<Servers, BadNetwork> {
        list.iter().map(|text| network(text.trim())).collect::<Result<_, _>>().map(Servers)
    }

    /// Whether mail may come from anywhere.
    pub fn are_any(&self) -> bool {
        self.0.is_empty()
    }

    /// The network, as it is written in short, that this address lies in.
    pub fn network_of(&self, address: IpAddr) -> Option<String> {
        let address = address.to_canonical();
        self.0.iter().find(|network| network.contains(&address)).map(ToString::to_string)
    }
}

impl fmt::Display for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Of more than so many people read how many there are.
        const NAMED: usize = 5;
        let named: Vec<_> = self.0.iter().take(NAMED).map(ToString::to_string).collect();
        f.write_str(&named.join(", "))?;
        match self.0.len().saturating_sub(NAMED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// An address is a network of its own. One of IPv4 mapped into IPv6 (RFC 4291 section 2.5.5.2) is one of IPv4.
fn network(text: &str) -> Result<IpNet, BadNetwork> {
    let bad = |why: &str, hint: String| Err(BadNetwork { why: format!("{text:?} {why}"), hint });
    let parsed = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let Ok(network) = parsed else {
        let hint = "name networks by address and length, or single addresses: \
                    safe_servers = [\"192.0.2.0/24\", \"2001:db8::/32\", \"198.51.100.7\"]";
        return bad("is no network", hint.to_owned());
    };
    if network.trunc() != network {
        let (whole, one) = (network.trunc(), network.addr());
        return bad(
            "has bits behind its length",
            format!("the network is \"{whole}\", the one address \"{one}\""),
        );
    }
    Ok(unmapped(network))
}

fn unmapped(network: IpNet) -> IpNet {
    /// What stands before the 32 bits of IPv4.
    const MAPPED: u8 = 96;
    let IpNet::V6(six) = network else { return network };
    let length = six.prefix_len().checked_sub(MAPPED);
    let four = six.addr().to_ipv4_mapped().zip(length).map(|(four, length)| Ipv4Net::new(four, length));
    four.and_then(Result::ok).map_or(network, IpNet::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(list: &[&str]) -> Result<Servers, String> {
        let list: Vec<_> = list.iter().map(|text| (*text).to_owned()).collect();
        Servers::parse(&list).map_err(|bad| format!("{}; {}", bad.why, bad.hint))
    }

    #[test]
    fn an_address_lies_in_its_network() {
        let servers =
            servers(&["192.0.2.0/24", "198.51.100.7", "2001:db8::/32", "::ffff:203.0.113.0/120"]).unwrap();
        for (address, network) in [
            ("192.0.2.0", Some("192.0.2.0/24")),
            ("192.0.2.255", Some("192.0.2.0/24")),
            ("192.0.3.0", None),
            ("::ffff:192.0.2.1", Some("192.0.2.0/24")),
            ("198.51.100.7", Some("198.51.100.7/32")),
            ("198.51.100.8", None),
            ("2001:db8:ffff::1", Some("2001:db8::/32")),
            ("2001:db9::1", None),
            ("203.0.113.9", Some("203.0.113.0/24")),
            ("::1", None),
        ] {
            assert_eq!(servers.network_of(address.parse().unwrap()).as_deref(), network, "{address}");
        }
        assert!(!servers.are_any() && Servers::default().are_any());
        assert_eq!(servers.to_string(), "192.0.2.0/24, 198.51.100.7/32, 2001:db8::/32, 203.0.113.0/24");
    }

    #[test]
    fn every_address_of_a_family() {
        let four = servers(&["0.0.0.0/0"]).unwrap();
        assert!(four.network_of("8.8.8.8".parse().unwrap()).is_some());
        assert!(four.network_of("2001:db8::1".parse().unwrap()).is_none());
        assert!(servers(&["::/0"]).unwrap().network_of("2001:db8::1".parse().unwrap()).is_some());
    }

    #[test]
    fn what_is_no_network_is_refused_with_the_way_out() {
        for text in
            ["", "192.0.2", "192.0.2.0/33", "192.0.2.0/255.255.255.0", "mx1.example.org", "192.0.2.0-9"]
        {
            let why = servers(&["192.0.2.1", text]).unwrap_err();
            assert!(why.starts_with(&format!("{text:?} is no network; name networks by")), "{why}");
        }
        assert_eq!(
            servers(&["192.0.2.1/24"]).unwrap_err(),
            "\"192.0.2.1/24\" has bits behind its length; the network is \"192.0.2.0/24\", the one address \"192.0.2.1\""
        );
    }
}
