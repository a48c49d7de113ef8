//! Why a mail is not filed again.

/// So many documents are named one by one.
const NAMED: usize = 3;

/// What stands of an earlier filing: the paths of the first few documents, and how many more there are.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    first: Vec<String>,
    more: usize,
}

impl FromIterator<String> for Standing {
    fn from_iter<I: IntoIterator<Item = String>>(paths: I) -> Standing {
        let mut paths = paths.into_iter();
        Standing { first: paths.by_ref().take(NAMED).collect(), more: paths.count() }
    }
}

/// That a mail was filed before, as these documents, for this recipient; `exact` if the very same bytes were.
pub fn filed_before(standing: &Standing, recipient: &str, exact: bool) -> String {
    let Standing { first, more } = standing;
    let first: Vec<_> = first.iter().map(|path| format!("“{path}”")).collect();
    let more = if *more > 0 { format!(" and {more} more") } else { String::new() };
    let way = if exact {
        ""
    } else {
        "; it came another way then: Message-ID, From, Date, Subject and parts are the same"
    };
    format!("filed before, as {}{more}, for {recipient}{way}", first.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_what_was_filed() {
        let told = |count: usize, exact| {
            let paths = ["a", "b", "c", "d", "e"].map(str::to_owned).into_iter().take(count);
            filed_before(&paths.collect(), "l@x.org", exact)
        };
        assert_eq!(told(1, true), "filed before, as “a”, for l@x.org");
        assert_eq!(told(5, true), "filed before, as “a”, “b”, “c” and 2 more, for l@x.org");
        assert!(
            told(2, false).starts_with("filed before, as “a”, “b”, for l@x.org; it came another way then: ")
        );
    }
}
