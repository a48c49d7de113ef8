use mailshelf_storage::UserId;

use super::*;

const OURS: &str = "alice@docs.example.org";
const THEIRS: &str = "alice@example.org";

fn user(id: i64, login: &str, addresses: &[&str]) -> User {
    let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
    User { id: UserId(id), login: login.parse().unwrap(), addresses }
}

fn rules(require: Level, internal_require: Level, trust_from: bool) -> Rules {
    let own_domains = vec!["docs.example.org".to_owned()];
    Rules { require, internal_require, own_domains, alignment: Alignment::Relaxed, trust_from }
}

fn usual() -> Rules {
    Rules::of(
        &config::Sender { own_domains: vec!["docs.example.org".to_owned()], ..config::Sender::default() },
        false,
    )
}

fn findings(kinds: &[Kind]) -> Findings {
    let evidence = |kind: &Kind| Evidence { kind: kind.clone(), by: format!("{kind:?}") };
    Findings { evidence: kinds.iter().map(evidence).collect(), ..Findings::default() }
}

/// Alice alone, by each of her accounts.
fn alice() -> Known {
    let senders = vec![user(1, "alice", &[OURS, THEIRS])];
    let accounts = ["alice", "ALICE", OURS, "Alice@Example.ORG"];
    let accounts = accounts.map(|account| (account.to_owned(), senders.clone())).into();
    Known { senders, accounts }
}

fn level(from: &str, kinds: &[Kind], rules: &Rules) -> Level {
    let identity = judge(&from.parse().unwrap(), &alice(), &findings(kinds), rules);
    assert_eq!(identity.user.is_some(), identity.level > Level::None, "{identity:?}");
    assert!(identity.known);
    identity.level
}

fn spf(domain: &str) -> Kind {
    Kind::Spf { domain: domain.to_owned() }
}

fn domain(domain: &str) -> Kind {
    Kind::Domain { domain: domain.to_owned() }
}

fn account(account: &str) -> Kind {
    Kind::Submission { account: account.to_owned() }
}

#[test]
fn every_proof_against_every_requirement() {
    use Level::{Domain, FromHeader, None, Spf, Submission};
    let (require_spf, require_domain, require_submission) =
        (rules(Spf, Spf, false), rules(Domain, Domain, false), rules(Submission, Submission, false));
    let trusting = rules(Submission, Submission, true);
    for from in [OURS, THEIRS] {
        let own = from.rsplit_once('@').unwrap().1;
        for (kinds, proven) in [
            (vec![], None),
            (vec![spf(own)], Spf),
            (vec![spf("other.net")], None),
            (vec![domain(own)], Domain),
            (vec![domain("other.net")], None),
            (vec![spf(own), domain(own)], Domain),
            (vec![domain(own), spf(own)], Domain),
            (vec![domain("other.net"), spf(own)], Spf),
            (vec![account("alice")], Submission),
            (vec![account("ALICE")], Submission),
            (vec![account(OURS)], Submission),
            (vec![account("Alice@Example.ORG")], Submission),
            (vec![domain(own), account("alice")], Submission),
            (vec![Kind::Internal], Submission),
            (vec![Kind::Internal, spf("other.net")], Submission),
        ] {
            for (rules, required) in
                [(&require_spf, Spf), (&require_domain, Domain), (&require_submission, Submission)]
            {
                let expected = if proven >= required { proven } else { None };
                assert_eq!(level(from, &kinds, rules), expected, "{from} {kinds:?} {required}");
            }
            assert_eq!(level(from, &kinds, &trusting), proven.max(FromHeader), "{from} {kinds:?} trusting");
        }
    }
}

#[test]
fn our_own_domains_ask_for_more() {
    assert_eq!(level(THEIRS, &[domain("example.org")], &usual()), Level::Domain);
    assert_eq!(level(OURS, &[domain("docs.example.org")], &usual()), Level::None);
    assert_eq!(level(OURS, &[account("alice")], &usual()), Level::Submission);
    assert_eq!(level(THEIRS, &[spf("example.org")], &usual()), Level::None);
    // And so do those below them.
    let below = Rules { own_domains: vec!["org".to_owned()], ..usual() };
    assert_eq!(level(THEIRS, &[domain("example.org")], &below), Level::None);
    assert_eq!(level(THEIRS, &[account("alice")], &below), Level::Submission);
}

#[test]
fn a_domain_is_proven_by_its_organisation_or_strictly_by_itself() {
    let strict = Rules { alignment: Alignment::Strict, ..rules(Level::Spf, Level::Spf, false) };
    let relaxed = Rules { alignment: Alignment::Relaxed, ..strict.clone() };
    for other in ["mail.example.org", "bounce.mail.example.org"] {
        assert_eq!(level(THEIRS, &[domain(other)], &relaxed), Level::Domain, "{other}");
        assert_eq!(level(THEIRS, &[spf(other)], &relaxed), Level::Spf, "{other}");
        assert_eq!(level(THEIRS, &[domain(other), spf(other)], &strict), Level::None, "{other}");
    }
    assert_eq!(level(THEIRS, &[domain("example.org")], &strict), Level::Domain);
    for other in ["org", "example.org.evil.net", "notexample.org", "example.net", ""] {
        assert_eq!(level(THEIRS, &[domain(other), spf(other)], &relaxed), Level::None, "{other}");
    }
}

#[test]
fn whoever_signed_in_as_somebody_else_is_nobody() {
    for other in ["bob", "bob@example.org", "alice@example.net", "alice@", "", "alice@example.org.evil.net"] {
        let kinds = [account(other), domain("example.org"), Kind::Internal];
        assert_eq!(level(THEIRS, &kinds, &usual()), Level::None, "{other}");
        let both = [account("alice"), account(other)];
        assert_eq!(level(THEIRS, &both, &usual()), Level::None, "{other}");
        assert_eq!(
            level(THEIRS, &[account(other)], &rules(Level::Domain, Level::Domain, true)),
            Level::FromHeader
        );
    }
}

/// Each of those who share an account could else file as the other.
#[test]
fn an_account_of_two_users_is_neithers() {
    let mut known = alice();
    let bob = user(2, "bob", &["team@docs.example.org"]);
    known.accounts.insert("team".to_owned(), vec![known.senders[0].clone(), bob.clone()]);
    known.accounts.insert("bob".to_owned(), vec![bob]);
    let judged = |accounts: &[&str]| {
        let mut kinds: Vec<_> = accounts.iter().map(|name| account(name)).collect();
        kinds.push(domain("example.org"));
        judge(&THEIRS.parse().unwrap(), &known, &findings(&kinds), &usual())
    };
    assert_eq!(judged(&["alice"]).level, Level::Submission);
    for (accounts, why) in [
        (vec!["team"], "Submission { account: \"team\" }, an account of more than one user"),
        (vec!["alice", "team"], "Submission { account: \"team\" }, an account of more than one user"),
        (vec!["bob"], "Submission { account: \"bob\" }, who is not the user of this From"),
        (vec!["nobody"], "Submission { account: \"nobody\" }, who is not the user of this From"),
    ] {
        let nobody = judged(&accounts);
        assert_eq!((nobody.user, nobody.proof.as_str()), (None, why));
    }
}

#[test]
fn where_somebody_signed_in_whom_nobody_knows_it_is_nobody() {
    let kinds = [domain("example.org"), Kind::Internal];
    let somebody = Some("auth=pass by mx1 names no account".to_owned());
    let findings = Findings { somebody, ..findings(&kinds) };
    let nobody = judge(&THEIRS.parse().unwrap(), &alice(), &findings, &usual());
    assert_eq!(nobody.user, None);
    let words = "somebody signed in, and nobody knows who: auth=pass by mx1 names no account";
    assert_eq!(nobody.proof, words);
    let trusting = rules(Level::Domain, Level::Domain, true);
    assert!(judge(&THEIRS.parse().unwrap(), &alice(), &findings, &trusting).user.is_some());
}

#[test]
fn none_or_several_users_are_nobody() {
    let from = THEIRS.parse().unwrap();
    let all = findings(&[account("alice"), domain("example.org"), Kind::Internal]);
    for trust_from in [false, true] {
        let rules = rules(Level::Spf, Level::Spf, trust_from);
        let nobody = judge(&from, &Known { senders: Vec::new(), ..alice() }, &all, &rules);
        assert_eq!((nobody.user, nobody.known, nobody.proof.as_str()), (None, false, "nobody we know"));
        let two = Known { senders: vec![user(1, "alice", &[THEIRS]), user(2, "bob", &[THEIRS])], ..alice() };
        let nobody = judge(&from, &two, &all, &rules);
        assert_eq!(
            (nobody.user, nobody.known, nobody.proof.as_str()),
            (None, true, "more than one user has this address")
        );
    }
}

#[test]
fn the_proof_is_told_and_so_is_its_lack() {
    let by = |kind: Kind, by: &str| Evidence { kind, by: by.to_owned() };
    let told = |evidence: &[Evidence], remarks: &[&str], rules: &Rules| {
        let remarks = remarks.iter().map(ToString::to_string).collect();
        let findings = Findings { evidence: evidence.to_vec(), remarks, ..Findings::default() };
        judge(&THEIRS.parse().unwrap(), &alice(), &findings, rules).proof
    };
    let spf_by = by(spf("example.org"), "spf=pass by mx1");
    let dmarc = by(domain("example.org"), "dmarc=pass by mx1");
    let bob = by(account("bob"), "auth=pass by mx1 for bob");
    let trusting = rules(Level::Domain, Level::Domain, true);
    for (evidence, remarks, rules, words) in [
        (vec![spf_by.clone(), dmarc.clone()], vec!["dkim=fail by mx1"], usual(), "dmarc=pass by mx1"),
        (vec![spf_by.clone()], vec![], usual(), "spf=pass by mx1 proves spf, and domain is required"),
        (
            vec![dmarc.clone(), bob.clone()],
            vec![],
            usual(),
            "auth=pass by mx1 for bob, who is not the user of this From",
        ),
        (vec![], vec!["a", "b"], usual(), "no proof: a; b"),
        (vec![], vec![], usual(), "no proof: From is only a claim"),
        (
            vec![by(spf("x.net"), "spf=pass smtp.mailfrom=x.net by mx1")],
            vec!["dmarc=none by mx1"],
            usual(),
            "no proof: spf=pass smtp.mailfrom=x.net by mx1 does not speak for example.org; dmarc=none by mx1",
        ),
        (vec![], vec!["a"], trusting.clone(), "From header, believed because trust_from is set"),
        (vec![dmarc], vec![], trusting, "dmarc=pass by mx1"),
    ] {
        assert_eq!(told(&evidence, &remarks, &rules), words);
    }
}

#[test]
fn a_strangers_words_are_no_longer_than_a_line() {
    let remarks = vec!["x".repeat(8000)];
    let findings = Findings { remarks, ..Findings::default() };
    let proof = judge(&THEIRS.parse().unwrap(), &alice(), &findings, &usual()).proof;
    assert_eq!(proof.len(), 998);
}
