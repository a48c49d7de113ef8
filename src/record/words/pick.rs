//! An event with some of its mails only.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::MailRecord;

#[derive(Deserialize)]
struct Mails<'a> {
    #[serde(borrow)]
    mails: Option<&'a RawValue>,
}

/// The body of an event with those of its mails that `keep` keeps, and everything else to the byte as it was: whoever
/// wrote it may have known more of it than we do. `None` where none is kept. A mail that cannot be read is not kept.
pub fn pick(body: &str, mut keep: impl FnMut(&MailRecord) -> bool) -> serde_json::Result<Option<String>> {
    let Some(mails) = serde_json::from_str::<Mails<'_>>(body)?.mails.map(RawValue::get) else {
        return Ok(None);
    };
    let each: Vec<&RawValue> = serde_json::from_str(mails)?;
    let each = each.into_iter().map(RawValue::get);
    let kept: Vec<&str> =
        each.filter(|mail| serde_json::from_str(mail).is_ok_and(|mail| keep(&mail))).collect();
    // The list is a piece of the body: where it begins tells what stands before and after it.
    let begin = mails.as_ptr().addr().saturating_sub(body.as_ptr().addr());
    let around = body.get(..begin).zip(body.get(begin + mails.len()..));
    Ok(around
        .filter(|_| !kept.is_empty())
        .map(|(before, after)| format!("{before}[{}]{after}", kept.join(","))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(file: &str) -> String {
        format!(
            r#"{{"mail":"","file":"{file}","sha256":null,"message_id":null,"from":null,"envelope_sender":null,"subject":null,"size":0,"elapsed_us":0,"sender":{{"address":null,"identity":null,"level":"none","proof":""}},"recipients":[],"of a later version":1.50}}"#
        )
    }

    #[test]
    fn what_is_kept_and_what_stands_around_it_stay_as_they_were() {
        let (a, b, c) = (mail("a"), mail("ü]"), mail("c"));
        let body =
            |mails: &str| format!(r#"{{"z":1.0,"mails_of":[],"mails":[{mails}],"later":{{"a":[1, 2]}}}}"#);
        let all = body(&[a.as_str(), &b, &c].join(","));
        assert_eq!(pick(&all, |mail| mail.file != "ü]").unwrap(), Some(body(&format!("{a},{c}"))));
        assert_eq!(pick(&all, |mail| mail.file == "ü]").unwrap(), Some(body(&b)));
        assert_eq!(pick(&all, |_| true).unwrap(), Some(all.clone()));
        assert_eq!(pick(&all, |_| false).unwrap(), None);
        assert_eq!(pick(r#"{"file":"a"}"#, |_| true).unwrap(), None);
        assert!(pick("no event", |_| true).is_err());
    }

    #[test]
    fn a_mail_that_cannot_be_read_hides_no_other() {
        let body = format!(r#"{{"mails":[{{"odd":true}},{}]}}"#, mail("a"));
        let kept = pick(&body, |_| true).unwrap();
        assert_eq!(kept, Some(format!(r#"{{"mails":[{}]}}"#, mail("a"))));
    }
}
