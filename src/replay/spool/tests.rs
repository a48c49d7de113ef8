use super::*;

fn made(from: &str, number: Option<u64>, nth: u64) -> String {
    name(OsStr::new(from), number, nth).into_string().unwrap()
}

#[test]
fn names_say_where_a_mail_came_from() {
    assert_eq!(made("cur|1:2,S", None, 1), "cur|1:2,S");
    assert_eq!(made("old.mbox", Some(17), 1), "old.mbox#17");
    assert_eq!(made("old.mbox", Some(17), 2), "old.mbox#17~2");
    assert_eq!(made(".Archive|cur|1", None, 1), "|.Archive|cur|1");
    assert_eq!(name(OsStr::from_bytes(b"\xff.eml"), None, 1).as_bytes(), b"\xff.eml");
}

#[test]
fn a_long_name_keeps_its_end_and_its_number() {
    let long = format!("{}|end.eml", "é".repeat(200));
    for number in [None, Some(u64::MAX)] {
        for nth in [1, 2, u64::MAX] {
            let name = made(&long, number, nth);
            assert!(name.len() <= LONGEST && name.len() > LONGEST - 3, "{name}");
            assert!(name.starts_with("…é") && name.contains("é|end.eml"), "{name}");
        }
    }
    let raw = OsString::from_vec([vec![0xff; 300], b"|end".to_vec()].concat());
    let name = name(&raw, None, 1);
    assert_eq!(name.len(), LONGEST);
    assert!(name.as_bytes().ends_with(b"\xff|end"));
}
