//! The model by which `tests/torture` judges: each invariant, broken, is seen, and as what it is.

#[path = "torture/model.rs"]
mod model;

use model::{
    Claim, Delivery, Fate, Kind, Mail, Outcome, Seen, Version, at_any_moment, in_itself, split, when_settled,
};

const TO: &str = "all@docs.example.org";

fn mail(deliveries: usize) -> Mail {
    let (library, by, documents) = ("all".to_owned(), "alice".to_owned(), vec!["d1".to_owned()]);
    let nobody = Fate::Rejected { reason: "unknown-alias".to_owned() };
    Mail {
        message_id: "m".to_owned(),
        file: "f".to_owned(),
        deliveries,
        kept: false,
        fates: vec![(TO.to_owned(), Fate::Filed { library, by, documents }), ("nobody".to_owned(), nobody)],
    }
}

fn outcome(recipient: &str, kind: &str, reason: Option<&str>) -> Outcome {
    Outcome { recipient: recipient.to_owned(), kind: kind.to_owned(), reason: reason.map(str::to_owned) }
}

fn claim(delivery: &str) -> Claim {
    Claim { delivery: delivery.to_owned(), file: "f".to_owned() }
}

/// The mail as it was filed, and nothing wrong.
fn filed() -> Seen {
    let outcomes = vec![outcome(TO, "filed", None), outcome("nobody", "rejected", Some("unknown-alias"))];
    let told = [(TO, "filed"), ("nobody", "rejected")];
    Seen {
        deliveries: vec![Delivery {
            id: "1".to_owned(),
            message_id: Some("m".to_owned()),
            state: "done".to_owned(),
            outcomes,
        }],
        versions: vec![Version {
            delivery: "1".to_owned(),
            library: "all".to_owned(),
            by: "alice".to_owned(),
            content: "d1".to_owned(),
            size: 5,
            original: false,
        }],
        contents: [("d1".to_owned(), ("d1".to_owned(), 5))].into(),
        seqs: vec![1],
        told: told.map(|(to, kind)| ("1".to_owned(), to.to_owned(), kind.to_owned())).into(),
        ..Seen::default()
    }
}

fn kinds(found: &[model::Wrong]) -> Vec<Kind> {
    let mut kinds: Vec<_> = found.iter().map(|wrong| wrong.kind).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

/// What is found once this was done to a site where nothing is wrong.
fn after(spoil: impl FnOnce(&mut Seen)) -> (Vec<Kind>, Vec<Kind>) {
    let mut seen = filed();
    spoil(&mut seen);
    (kinds(&at_any_moment(&[mail(1)], &seen)), kinds(&when_settled(&[mail(1)], &seen)))
}

#[test]
fn what_is_right_is_right_at_each_step() {
    assert_eq!(after(|_| {}), (vec![], vec![]));
    let mut waiting = Seen { waiting: vec!["f".to_owned()], ..Seen::default() };
    assert_eq!(kinds(&at_any_moment(&[mail(1)], &waiting)), []);
    waiting.claimed.push(claim("1"));
    waiting.waiting.clear();
    assert_eq!(kinds(&at_any_moment(&[mail(1)], &waiting)), []);
    // Contents that nothing refers to may be.
    let more = |seen: &mut Seen| drop(seen.contents.insert("d2".to_owned(), ("d2".to_owned(), 1)));
    assert_eq!(after(more), (vec![], vec![]));
    // On record, and its claim not yet deleted.
    assert_eq!(after(|seen| seen.claimed.push(claim("1"))), (vec![], vec![Kind::Left]));
}

#[test]
fn mail_that_is_nowhere_is_lost() {
    assert_eq!(kinds(&at_any_moment(&[mail(1)], &Seen::default())), [Kind::Lost]);
    let open = |seen: &mut Seen| seen.deliveries[0].state = "open".to_owned();
    assert_eq!(after(open).0, [Kind::Lost]);
    let undecided = |seen: &mut Seen| seen.deliveries[0].outcomes[1].kind = "deferred".to_owned();
    assert_eq!(after(undecided).0, [Kind::Lost]);
    let other_bytes = |seen: &mut Seen| seen.waiting.push("g".to_owned());
    assert_eq!(after(other_bytes).0, [Kind::Lost]);
    let no_document = |seen: &mut Seen| seen.versions.clear();
    assert_eq!(after(no_document), (vec![], vec![Kind::Lost]));
}

#[test]
fn mail_that_is_there_twice_is_doubled() {
    assert_eq!(after(|seen| seen.waiting.push("f".to_owned())).0, [Kind::Doubled]);
    assert_eq!(after(|seen| seen.claimed.push(claim("2"))).0, [Kind::Doubled]);
    let twice_told = |seen: &mut Seen| seen.told.push(seen.told[0].clone());
    assert_eq!(after(twice_told).0, [Kind::Doubled]);
    let two_outcomes = |seen: &mut Seen| seen.deliveries[0].outcomes.push(outcome(TO, "duplicate", None));
    assert_eq!(after(two_outcomes).0, [Kind::Doubled]);
    let two_documents = |seen: &mut Seen| {
        let Version { delivery, library, by, content, size, original } = &seen.versions[0];
        let (delivery, library, by, content) =
            (delivery.clone(), library.clone(), by.clone(), content.clone());
        seen.versions.push(Version { delivery, library, by, content, size: *size, original: *original });
    };
    assert_eq!(after(two_documents), (vec![], vec![Kind::Doubled]));
}

#[test]
fn of_two_deliveries_one_is_filed() {
    let mut seen = filed();
    let again = |kind: &str| Delivery {
        id: "2".to_owned(),
        message_id: Some("m".to_owned()),
        state: "done".to_owned(),
        outcomes: vec![outcome(TO, kind, None), outcome("nobody", "rejected", Some("unknown-alias"))],
    };
    seen.deliveries.push(again("duplicate"));
    seen.told.push(("2".to_owned(), TO.to_owned(), "duplicate".to_owned()));
    seen.told.push(("2".to_owned(), "nobody".to_owned(), "rejected".to_owned()));
    assert_eq!(kinds(&when_settled(&[mail(2)], &seen)), []);
    seen.deliveries[1] = again("filed");
    assert_eq!(kinds(&when_settled(&[mail(2)], &seen)), [Kind::Doubled]);
}

#[test]
fn references_must_lead_to_what_they_name() {
    assert_eq!(after(|seen| seen.contents.clear()).0, [Kind::Dangling]);
    let rotten = |seen: &mut Seen| drop(seen.contents.insert("d1".to_owned(), ("d3".to_owned(), 5)));
    assert_eq!(after(rotten).0, [Kind::Dangling]);
    let shorter = |seen: &mut Seen| seen.versions[0].size = 6;
    assert_eq!(after(shorter).0, [Kind::Dangling]);
    let unreferenced = |seen: &mut Seen| drop(seen.contents.insert("d2".to_owned(), ("d3".to_owned(), 0)));
    assert_eq!(after(unreferenced).0, [Kind::Dangling]);
    let of_no_mail = |seen: &mut Seen| seen.versions[0].delivery = "3".to_owned();
    assert_eq!(after(of_no_mail).0, [Kind::Dangling]);
    let catalog = |seen: &mut Seen| seen.catalog = Some("malformed".to_owned());
    assert_eq!(after(catalog).0, [Kind::Dangling]);
}

#[test]
fn an_outcome_or_a_name_that_is_not_the_mails_is_seen() {
    let rejected = |seen: &mut Seen| seen.deliveries[0].outcomes[0].kind = "rejected".to_owned();
    assert!(after(rejected).0.contains(&Kind::Misfiled));
    let reason = |seen: &mut Seen| seen.deliveries[0].outcomes[1].reason = None;
    assert_eq!(after(reason).0, [Kind::Misfiled]);
    let by = |seen: &mut Seen| seen.versions[0].by = "mallory".to_owned();
    assert_eq!(after(by).1, [Kind::Lost, Kind::Misfiled]);
    let stranger = |seen: &mut Seen| seen.deliveries[0].message_id = Some("x".to_owned());
    assert!(after(stranger).0.contains(&Kind::Misfiled));
}

#[test]
fn every_fate_is_told_in_order() {
    assert_eq!(after(|seen| seen.told.clear()), (vec![], vec![Kind::Untold]));
    assert_eq!(after(|seen| seen.seqs = vec![1, 3]).0, [Kind::Untold]);
    assert_eq!(after(|seen| seen.garbled = 1).0, [Kind::Untold]);
    // A line may be torn until the next run.
    assert_eq!(after(|seen| seen.torn = true), (vec![], vec![Kind::Left]));
    let too_early = |seen: &mut Seen| seen.told[0].0 = "9".to_owned();
    assert_eq!(after(too_early).0, [Kind::Untold]);
}

#[test]
fn what_is_to_be_kept_aside_is_there_and_nothing_else() {
    let wanted = [Mail { kept: true, ..mail(1) }];
    let mut seen = filed();
    assert_eq!(kinds(&when_settled(&wanted, &seen)), [Kind::Lost]);
    seen.kept.push(claim("1"));
    assert_eq!(kinds(&when_settled(&wanted, &seen)), []);
    assert_eq!(kinds(&when_settled(&[mail(1)], &seen)), [Kind::Left]);
    seen.kept[0].file = "g".to_owned();
    assert_eq!(kinds(&when_settled(&wanted, &seen)), [Kind::Lost, Kind::Left]);
    assert_eq!(kinds(&at_any_moment(&wanted, &seen)), [Kind::Lost]);
}

#[test]
fn leftovers_are_seen_once_all_is_over() {
    assert_eq!(after(|seen| seen.unfinished = 1), (vec![], vec![Kind::Left]));
    assert!(after(|seen| seen.badmail.push(claim("1"))).1.contains(&Kind::Left));
}

#[test]
fn one_mail_is_told_from_the_rest() {
    let (of_mail, rest) = split(filed(), &mail(1));
    assert_eq!((of_mail.deliveries.len(), of_mail.versions.len()), (1, 1));
    assert_eq!(
        (rest.deliveries.len(), rest.versions.len(), rest.told.len(), rest.contents.len()),
        (0, 0, 0, 1)
    );
    assert_eq!(kinds(&in_itself(&rest)), []);
    let wrong = at_any_moment(&[mail(1)], &rest);
    assert_eq!(wrong[0].to_string(), "Lost: m: 0 of 1");
    assert_ne!(wrong[0].kind, Kind::Stuck);
}
