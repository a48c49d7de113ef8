//! Which of a header's words are evidence: those that our own servers wrote, by what the site says of them.
//!
//! An `Authentication-Results` counts under one of our authserv-ids and in the place where our server writes. `above`:
//! above the first `Received`. `below`: from the first `Received` to the next one, or to the first field that whoever
//! wrote the mail writes; that is for a border server known to strip fields that bear its id, so one that bears it
//! anywhere else shows that it does not, and voids all; so does a property of a type that RFC 8601 does not know, for
//! opendkim cannot read such a field and lets it stand. Only SPF alone may be told of above, by a policy service. What is
//! void, or said of another From, takes the weight from more than itself, and so does any method that is reported twice:
//! in doubt there is no evidence. Several signatures reported in one field void `dkim` alone, which then proves nothing
//! whatever they say.

use std::collections::HashSet;

use mailshelf_storage::Address;

use super::align::is_among;
use super::received::{Protocol, SignIn};
use super::results::{MethodResult, Results, Value};
use super::traces::{Exchange, Place, Traces};
use crate::config::{ResultsAt, Sender, Verify};

mod findings;

pub use findings::{Dmarc, Evidence, Findings, Kind};

/// The evidence in a header, for the mailbox that its From was read as.
pub fn collect(traces: &Traces, from: &Address, settings: &Sender) -> Findings {
    let mut found = Findings::default();
    if let Some(why) = &traces.ambiguous {
        found.ambiguous = true;
        found.remark(format!("ambiguous: {why}"));
        return found;
    }
    match settings.authserv_id.first().map(|first| ours(traces, settings, first)) {
        Some(Ok(ours)) => {
            found.somebody = somebody(&ours, traces, settings);
            weigh(&ours, traces, from, &mut found);
        }
        Some(Err(why)) => found.remark(why),
        // Of one who asks elsewhere it would tell nothing.
        None if asks_elsewhere(settings) => {}
        None => found.remark("no authserv_id is configured"),
    }
    if settings.received_auth {
        received(traces, &mut found);
    }
    if settings.exchange_internal {
        match traces.exchange {
            Exchange::Internal if is_internal(from, settings) => {
                found.add(Kind::Internal, "AuthAs Internal by Exchange".to_owned());
            }
            // It names no user: whoever of the organisation wrote this is of its own domains, or writes as another.
            Exchange::Internal => {
                found.remark(
                    "AuthAs Internal by Exchange, which counts for senders of our own organisation alone",
                );
            }
            Exchange::Unsaid => found.remark("no AuthAs by Exchange"),
            Exchange::Other => found.remark("AuthAs by Exchange is not Internal"),
            Exchange::Odd => found.remark("AuthAs by Exchange stands there twice, or oddly"),
            Exchange::Relayed => {
                found.remark("AuthAs Internal by Exchange, through a connector that asks nobody to sign in")
            }
        }
    }
    found
}

/// Whether Exchange can speak for this From, of which it names no user: it is of our own domains or, unless alignment is
/// strict, of their organisation.
pub fn is_internal(from: &Address, settings: &Sender) -> bool {
    let akin = |own: &String| settings.alignment.holds(own, from.domain());
    is_among(from.domain(), &settings.own_domains) || settings.own_domains.iter().any(akin)
}

/// What our own `Received` says of who signed in.
fn received(traces: &Traces, found: &mut Findings) {
    match &traces.session.sign_in {
        SignIn::Account(account) => {
            let by = format!("signed in as {account}, by our first Received");
            found.add(Kind::Submission { account: account.clone() }, by);
        }
        SignIn::Unsaid => found.remark("our first Received names no authenticated sender"),
        SignIn::Odd => {
            let odd = "our first Received does not name an authenticated sender as Postfix does";
            found.somebody.get_or_insert(odd.to_owned());
        }
    }
}

/// Why it is said that somebody signed in, and nobody knows who.
fn somebody(ours: &[&Results], traces: &Traces, settings: &Sender) -> Option<String> {
    let (result, id) = match said(ours, "auth") {
        Said::Nothing => return None,
        Said::Once(result, _) if result.result != "pass" => return None,
        Said::Once(result, id) => (result, id),
        Said::Unclear if !ours.iter().flat_map(|field| &field.results).any(is_sign_in) => return None,
        Said::Unclear => return Some("auth is reported twice, or in an unknown version".to_owned()),
    };
    // Below it the field need not be our server's, but its own Received is. Above it is: there a client's certificate
    // may have been all it asked for, which no protocol tells (RFC 3848).
    let signed_in =
        settings.results_at == ResultsAt::Above || traces.session.protocol == Protocol::Authenticated;
    let by = by(result, id);
    match result.property("smtp", "auth") {
        // smtp.mailfrom alone is what the client says of itself.
        None => Some(format!("{by} names no account")),
        Some(_) if signed_in => None,
        Some(account) => Some(format!("{by} for {account}, but by our first Received nobody signed in")),
    }
}

fn is_sign_in(result: &MethodResult) -> bool {
    result.method == "auth" && result.result == "pass"
}

/// Whether a site that believes no results has another way to proof.
fn asks_elsewhere(settings: &Sender) -> bool {
    settings.received_auth || settings.exchange_internal || settings.verify != Verify::Off
}

/// The fields that our servers wrote, or why there are none that count. `first` is one of our ids.
fn ours<'t>(traces: &'t Traces, settings: &Sender, first: &str) -> Result<Vec<&'t Results>, String> {
    let ids = &settings.authserv_id;
    if !traces.received {
        return Err("no Received above From: nothing tells our server's fields from the sender's".to_owned());
    }
    if traces.flooded {
        return Err("too many Authentication-Results".to_owned());
    }
    let (place, at) = match settings.results_at {
        ResultsAt::Above => (Place::Above, "above the first Received"),
        ResultsAt::Below => (Place::Below, "directly under the first Received"),
    };
    let mut ours = Vec::new();
    let mut stray = false;
    let mut misplaced = false;
    for written in &traces.results {
        match &written.reading {
            Ok(results) if !ids.contains(&results.id) => {}
            Ok(results) if written.place == place => match results.odd_kind() {
                Some(kind) if place == Place::Below => {
                    let id = &results.id;
                    return Err(format!(
                        "the Authentication-Results of {id} {at} are void: {kind} is no type of property"
                    ));
                }
                _ => ours.push(results),
            },
            // Above our Received no sender writes: a policy service does, which tells of SPF alone, or the milters, and
            // then what stands below is none of theirs.
            Ok(results) if written.place == Place::Above => {
                misplaced |= results.results.iter().any(|result| result.method != "spf")
            }
            Ok(_) => stray = true,
            Err(void) if written.place == place => {
                if let Some(id) = ids.iter().find(|id| void.may_be_of(id)) {
                    return Err(format!("the Authentication-Results of {id} {at} are void: {}", void.why));
                }
            }
            Err(void) if ids.iter().any(|id| void.may_be_of(id)) => match written.place {
                Place::Above => misplaced = true,
                Place::Elsewhere => stray = true,
                Place::Below => {}
            },
            Err(_) => {}
        }
    }
    if misplaced {
        return Err("our server writes above the first Received: results_at is to be \"above\"".to_owned());
    }
    let stray = stray.then_some("a field that bears our id stands where our server does not write");
    match (ours.is_empty(), stray) {
        (_, Some(stray)) if place == Place::Below => Err(stray.to_owned()),
        (false, _) => Ok(ours),
        (true, stray) => {
            let id = if ids.len() == 1 { first } else { "ours" };
            let stray = stray.map(|stray| format!("; {stray}")).unwrap_or_default();
            Err(format!("no Authentication-Results of {id} {at}{stray}"))
        }
    }
}

/// What our servers say of one method.
enum Said<'r> {
    Nothing,
    Once(&'r MethodResult, &'r str),
    /// It is said of several signatures, or in words of a later version, whose meaning is not known.
    Unclear,
}

fn said<'r>(ours: &[&'r Results], method: &str) -> Said<'r> {
    let each = ours.iter().flat_map(|field| field.results.iter().map(|result| (result, &field.id)));
    let mut each = each.filter(|(result, _)| result.method == method);
    match (each.next(), each.next()) {
        (None, _) => Said::Nothing,
        (Some((result, id)), None) if result.version == 1 => Said::Once(result, id),
        _ => Said::Unclear,
    }
}

/// A method that is reported twice, where one report is all that an honest server has to give: then nobody knows which
/// is ours. Of several signatures one server tells in one field, one after the other (RFC 8601 section 2.2).
fn repeated<'r>(ours: &[&'r Results]) -> Option<&'r str> {
    let mut seen = HashSet::new();
    ours.iter().find_map(|field| {
        let mut here = HashSet::new();
        let methods = field.results.iter().map(|result| result.method.as_str());
        let mut news = methods.filter(|method| *method != "dkim" || here.insert(*method));
        news.find(|method| !seen.insert(*method))
    })
}

/// What is said, in words.
fn by(result: &MethodResult, id: &str) -> String {
    format!("{}={} by {id}", result.method, result.result)
}

fn weigh(ours: &[&Results], traces: &Traces, from: &Address, found: &mut Findings) {
    let results = || ours.iter().flat_map(|field| &field.results);
    if let Some(other) =
        results().filter_map(|result| result.property("header", "from")).find(|value| !value.names(from))
    {
        return found.remark(format!("the Authentication-Results are for another From: {other}"));
    }
    if let Some(method) = repeated(ours) {
        // Void as it is, it may say that the policy is not met.
        found.dmarc = policy(ours, found);
        let why = format!("{method} is reported twice, which voids all the Authentication-Results");
        return found.remark(why);
    }
    if let Said::Once(result, id) = said(ours, "auth")
        && found.somebody.is_none()
    {
        let by = by(result, id);
        match result.property("smtp", "auth").filter(|_| result.result == "pass") {
            Some(account) => {
                let by = format!("{by} for {account}");
                found.add(Kind::Submission { account: account.plain() }, by);
            }
            None => found.remark(by),
        }
    }
    found.dmarc = policy(ours, found);
    if found.dmarc == Dmarc::Open {
        domain(ours, traces, from, found);
    }
    for method in ["auth", "dmarc", "dkim", "spf"] {
        if matches!(said(ours, method), Said::Unclear) {
            let several = if method == "dkim" { "of several signatures, or " } else { "" };
            found.remark(format!("{method} is reported {several}in an unknown version"));
        }
    }
    if found.evidence.is_empty() && found.remarks.is_empty() && found.somebody.is_none() {
        // arc=pass among others: a chain proves what was passed on, not that its first link is to be believed.
        let id = ours.first().map(|field| field.id.as_str()).unwrap_or_default();
        found.remark(format!("the Authentication-Results of {id} prove nothing"));
    }
}

/// Whether DMARC leaves room for other evidence of a domain. Where its owner's policy is not met, or nobody knows
/// whether it is, a signature or SPF that we would take for aligned is not what the owner asks for.
fn policy(ours: &[&Results], found: &mut Findings) -> Dmarc {
    match said(ours, "dmarc") {
        Said::Nothing => Dmarc::Open,
        Said::Once(result, _) if matches!(result.result.as_str(), "pass" | "none") => Dmarc::Open,
        Said::Once(result, id) => {
            found.remark(by(result, id));
            let unknown = matches!(result.result.as_str(), "temperror" | "permerror");
            if unknown { Dmarc::Unknown } else { Dmarc::Unmet }
        }
        Said::Unclear => Dmarc::Unmet,
    }
}

fn domain(ours: &[&Results], traces: &Traces, from: &Address, found: &mut Findings) {
    let spf = pass(ours, "spf", "smtp", "mailfrom", found);
    // By SPF of a domain beside From's, who has that one could send on what was signed with more than that.
    let spf_aligned = spf.as_ref().is_some_and(|(domain, _)| domain == from.domain());
    if let Some((domain, by)) = spf {
        found.add(Kind::Spf { domain }, by);
    }
    // Anybody may change what such a signature does not cover, and send the mail on.
    let signed = !traces.partly_signed && !traces.reshapable;
    let weak = |by: String| match traces.partly_signed {
        true => format!("{by}, but a signature does not cover From and the whole body"),
        false => format!(
            "{by}, but a signature does not cover Content-Type, and with another one the body would be read otherwise"
        ),
    };
    match said(ours, "dmarc") {
        Said::Once(result, id) => match (result.result.as_str(), result.property("header", "from")) {
            ("pass", None) => found.remark(format!("{} names no From", by(result, id))),
            ("pass", Some(_)) if !signed && !spf_aligned => found.remark(weak(by(result, id))),
            ("pass", Some(_)) => {
                found.add(Kind::Domain { domain: from.domain().to_owned() }, by(result, id));
            }
            _ => found.remark(by(result, id)),
        },
        Said::Nothing | Said::Unclear => {}
    }
    match pass(ours, "dkim", "header", "d", found) {
        Some((domain, by)) if signed => found.add(Kind::Domain { domain }, by),
        Some((_, by)) => found.remark(weak(by)),
        None => {}
    }
}

/// The domain that a method has passed for, and that it has, in words.
fn pass(
    ours: &[&Results],
    method: &str,
    kind: &str,
    name: &str,
    found: &mut Findings,
) -> Option<(String, String)> {
    let Said::Once(result, id) = said(ours, method) else { return None };
    if result.result != "pass" {
        found.remark(by(result, id));
        return None;
    }
    if let Some(algorithm) = result.property("header", "a").filter(|algorithm| !is_sound(algorithm)) {
        found.remark(format!("{}: {algorithm} is no algorithm that counts", by(result, id)));
        return None;
    }
    let value = result.property(kind, name);
    // A signature's domain is a domain alone; a return path may be one, or end in one.
    match value.filter(|value| kind == "smtp" || !value.plain().contains('@')).and_then(Value::domain) {
        Some(domain) => {
            let words = format!("{method}=pass {kind}.{name}={domain} by {id}");
            Some((domain, words))
        }
        None => {
            found.remark(format!("{} names no domain", by(result, id)));
            None
        }
    }
}

/// Whether signatures by this algorithm count (RFC 8301 section 3.1, RFC 8463). How long the key is no property tells: that
/// is for the server to judge.
fn is_sound(algorithm: &Value) -> bool {
    let plain = algorithm.plain().to_ascii_lowercase();
    matches!(plain.as_str(), "rsa-sha256" | "ed25519-sha256")
}

impl Value {
    /// Without quotes.
    fn plain(&self) -> String {
        match self {
            Value::Text(text) => text.clone(),
            Value::Address { .. } => self.to_string(),
        }
    }

    /// Whether it, a `header.from`, names this From: its domain, or all of it.
    pub(super) fn names(&self, from: &Address) -> bool {
        match self.plain().parse::<Address>() {
            Ok(address) => address == *from,
            Err(_) => self.domain().is_some_and(|domain| domain == from.domain()),
        }
    }

    /// The domain that it is, or ends in, in canonical form.
    pub(super) fn domain(&self) -> Option<String> {
        let plain = self.plain();
        let address = match plain.strip_prefix('@').unwrap_or(&plain) {
            domain if !domain.contains('@') => format!("x@{domain}").parse::<Address>(),
            address => address.parse(),
        };
        address.ok().map(|address| address.domain().to_owned())
    }
}

#[cfg(test)]
mod tests;
