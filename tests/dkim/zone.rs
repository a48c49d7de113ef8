//! The zone of the tests, for whoever knows it without asking a resolver.

/// The TXT records of `zone.conf`: name and text.
pub fn records() -> Vec<(String, String)> {
    let record = |line: &str| {
        let line = line.strip_prefix("local-data: '")?.strip_suffix('\'')?;
        let (name, text) = line.split_once(". 60 IN TXT ")?;
        Some((name.to_owned(), text.split('"').skip(1).step_by(2).collect()))
    };
    include_str!("zone.conf").lines().map(|line| record(line).unwrap()).collect()
}
