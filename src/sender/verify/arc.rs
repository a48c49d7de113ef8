//! ARC (RFC 8617): what a forwarder that the site believes saw of a mail before changing it.
//!
//! To list a sealer is to believe it: what it saw stands for the mail even where our own server's `dmarc=fail` speaks
//! against it, for that is what forwarding does to a mail. So nobody else's word counts. The newest hop is the sealer's
//! own: its seal and its signature hold, that covers From and the whole body, and who changes or seals the mail after it
//! takes its word away; it says `dmarc=pass` of this very From; and each hop before it is sealed and was found sound.

use mailshelf_storage::Address;

use super::dns::Dns;
use super::key::Form;
use super::message::{Signed, SignedField};
use super::signature::{Kind, Signature, Signer, text, unsigned};
use super::tags::Tags;
use super::{Clock, Unproven};
use crate::message::fields::Field;
use crate::sender::results::{Results, instance};

/// A chain has at most so many hops; RFC 8617 section 4.2.1 allows 50, honest ones have a handful.
const HOPS: usize = 20;

const RESULTS: &str = "arc-authentication-results";
const SIGNATURE: &str = "arc-message-signature";
const SEAL: &str = "arc-seal";

const BROKEN: Unproven = Unproven::Void("the chain is broken");

/// One hop's fields, as they stand.
#[derive(Clone, Copy)]
struct Hop<'m> {
    results: &'m Field<'m>,
    signature: &'m Field<'m>,
    seal: &'m Field<'m>,
}

/// The domain in `sealers` that sealed the mail last and saw `dmarc=pass` for `from`, if the whole chain holds. None
/// if there is no chain, or none that such a domain sealed: then nothing is asked of DNS.
pub fn seen_by(
    message: &Signed<'_>,
    sealers: &[String],
    from: &Address,
    dns: &Dns,
    clock: &Clock<'_>,
) -> Option<Result<String, Unproven>> {
    let hops = match hops(message) {
        Ok(hops) => hops,
        Err(why) => return Some(Err(why)),
    };
    let newest = hops.last()?;
    let sealer = Tags::read(text(newest.seal)?).and_then(|tags| Signer::read(&tags).ok())?.domain;
    if !sealers.contains(&sealer) {
        return None;
    }
    Some(vouched(message, &hops, &sealer, from, dns, clock).map(|()| sealer))
}

fn vouched(
    message: &Signed<'_>,
    hops: &[Hop<'_>],
    sealer: &str,
    from: &Address,
    dns: &Dns,
    clock: &Clock<'_>,
) -> Result<(), Unproven> {
    let newest = hops.last().ok_or(BROKEN)?;
    let saw = Results::parse_sealed(newest.results.value)
        .map_err(|_| Unproven::Void("what its last sealer saw is not written as results are"))?;
    if !passed(&saw, from) {
        return Err(Unproven::Void("its last sealer saw no dmarc=pass for From"));
    }
    let validity = |nth: usize| if nth == 0 { "none" } else { "pass" };
    for (nth, hop) in hops.iter().enumerate() {
        let tags = text(hop.seal).and_then(Tags::read).ok_or(BROKEN)?;
        if tags.get("cv") != Some(validity(nth)) {
            return Err(Unproven::Void("a sealer found the chain broken before (cv=)"));
        }
    }
    let tags = text(newest.signature).and_then(Tags::read).ok_or(BROKEN)?;
    let signer = Signer::read(&tags).map_err(Unproven::Void)?;
    if signer.domain != sealer {
        return Err(Unproven::Void("its last sealer did not sign the message"));
    }
    let signature = Signature::read(newest.signature, signer, &tags, Kind::Arc, clock.arrived);
    signature.map_err(Unproven::Void)?.check(message, dns, clock)?;
    (0..hops.len()).rev().try_for_each(|nth| sealed(hops.get(..=nth).unwrap_or_default(), dns, clock))
}

/// Whether the one DMARC result there is says `pass` of mail from this mailbox, and no result is of another.
fn passed(saw: &Results, from: &Address) -> bool {
    let mut each = saw.results.iter().filter(|result| result.method == "dmarc");
    let (Some(result), None) = (each.next(), each.next()) else { return false };
    let mut named = saw.results.iter().filter_map(|result| result.property("header", "from"));
    let passed =
        result.version == 1 && result.result == "pass" && result.property("header", "from").is_some();
    passed && named.all(|named| named.names(from))
}

/// Whether the seal of the last of these hops holds (RFC 8617 section 5.1.1).
fn sealed(hops: &[Hop<'_>], dns: &Dns, clock: &Clock<'_>) -> Result<(), Unproven> {
    let (last, before) = hops.split_last().ok_or(BROKEN)?;
    let list = text(last.seal).ok_or(BROKEN)?;
    let tags = Tags::read(list).ok_or(BROKEN)?;
    let signer = Signer::read(&tags).map_err(Unproven::Void)?;
    if tags.get("h").is_some() {
        return Err(BROKEN);
    }
    let line = |field: &Field<'_>| [field.value, b"\r\n"].concat();
    let mut covered: Vec<SignedField<'_>> = Vec::with_capacity(3 * hops.len());
    for hop in before {
        let fields = [hop.results, hop.signature, hop.seal];
        covered.extend(fields.iter().map(|field| (field.name, line(field))));
    }
    covered.extend([last.results, last.signature].iter().map(|field| (field.name, line(field))));
    covered.push((last.seal.name, unsigned(list, &tags).ok_or(BROKEN)?));
    let key = signer.key(dns, clock)?;
    if key.made(&signer.bytes, signer.method, Form::Relaxed, &covered) {
        Ok(())
    } else {
        Err(Unproven::Void("a seal is forged"))
    }
}

/// The hops from the first to the newest; none if the message has no field of ARC. Each instance from 1 on has each
/// field once (RFC 8617 section 5.2), or there is no chain.
fn hops<'m>(message: &'m Signed<'m>) -> Result<Vec<Hop<'m>>, Unproven> {
    let of = |name: &str| message.fields.iter().filter(|field| field.is(name)).collect::<Vec<_>>();
    let all = [of(RESULTS), of(SIGNATURE), of(SEAL)];
    let [results, signatures, seals] = &all;
    let count = seals.len();
    if all.iter().any(|fields| fields.len() != count) || count > HOPS {
        return Err(BROKEN);
    }
    let ordered = |fields: &[&'m Field<'m>], number: fn(&str) -> Option<u32>| {
        let mut slots: Vec<Option<&'m Field<'m>>> = vec![None; count];
        for field in fields {
            let nth = text(field).and_then(number).and_then(|number| number.checked_sub(1)).ok_or(BROKEN)?;
            let slot = slots.get_mut(nth as usize).ok_or(BROKEN)?;
            if slot.replace(field).is_some() {
                return Err(BROKEN);
            }
        }
        slots.into_iter().collect::<Option<Vec<_>>>().ok_or(BROKEN)
    };
    let tagged = |list: &str| Tags::read(list)?.get("i")?.parse().ok();
    let results = ordered(results, |value| instance(value.as_bytes()).map(|(number, _)| number))?;
    let signatures = ordered(signatures, tagged)?;
    let seals = ordered(seals, tagged)?;
    let hops = results.into_iter().zip(signatures).zip(seals);
    Ok(hops.map(|((results, signature), seal)| Hop { results, signature, seal }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_dmarc_result() {
        let seen = |results: &str| {
            let sealed = format!("i=1; {results}");
            Results::parse_sealed(sealed.as_bytes())
                .is_ok_and(|saw| passed(&saw, &"a@x.org".parse().unwrap()))
        };
        for pass in [
            "mx.y.org; dmarc=pass header.from=X.org",
            "mx.y.org 1; spf=fail; dmarc = pass (p=none; dis=none)\r\n header.from=x.org",
            "mx.y.org; DMARC/1=pass reason=\"a; b=c\" header.from=x.org; dkim=none",
            "mx.microsoft.com 1; dmarc=pass action=none header.from=x.org; arc=none",
            "mx.y.org; dmarc=pass header.from=a@x.org",
        ] {
            assert!(seen(pass), "{pass}");
        }
        for nothing in [
            "mx.y.org; dmarc=fail header.from=x.org",
            "mx.y.org; dmarc=pass",
            "mx.y.org; dmarc=pass header.from=y.org",
            "mx.y.org; dmarc=fail header.from=x.org; dmarc=pass header.from=x.org",
            "mx.y.org; dmarc=pass header.from=b@x.org",
            "mx.y.org; dmarc=pass header.from=x.org; dkim=pass header.from=y.org",
            "mx.y.org; dmarc/2=pass header.from=x.org",
            "mx.y.org; dmarc=pass header.from=y.org header.from=x.org",
            "mx.y.org; dmarc/2=pass header.from=x.org",
            "mx.y.org; spf=pass (dmarc=pass header.from=x.org)",
            "mx.y.org; spf=pass reason=\"; dmarc=pass header.from=x.org\"",
            "mx.y.org; spf=pass (; dmarc=pass header.from=x.org",
            "mx.y.org; dmarc=pass header.from=x.org)",
            "mx.y.org; dmarc=pass header.from=x.org \\",
            "mx.y.org; dmarc=pass header.from=x.org odd",
            "mx.y.org; odd; dmarc=pass header.from=x.org",
            "mx.y.org; dmarc=passed header.from=x.org",
            "dmarc=pass header.from=x.org",
            "; dmarc=pass header.from=x.org",
            "mx.y.org; none",
            "mx.y.\u{e4}; dmarc=pass header.from=x.org",
        ] {
            assert!(!seen(nothing), "{nothing}");
        }
    }
}
