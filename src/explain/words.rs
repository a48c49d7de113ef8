//! Lists, names and numbers as answers have them.

/// So many things are named one by one; of more, how many there are.
const NAMED: usize = 12;

/// A list in words, not longer than people read.
pub fn named(mut items: impl Iterator<Item = String>) -> String {
    let first: Vec<_> = items.by_ref().take(NAMED).collect();
    let more = items.count();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", first.join(", "))
}

/// So many things are listed one a line: more than people send.
const LISTED: usize = 100;

/// A list of lines; of one that is longer than any honest mail makes it, how many are missing.
pub fn few(mut items: impl Iterator<Item = String>) -> Vec<String> {
    let mut listed: Vec<_> = items.by_ref().take(LISTED).collect();
    let more = items.count();
    if more > 0 {
        listed.push(format!("{more} more, not shown here: with --json `parts` has all"));
    }
    listed
}

/// A name, apart from the words around it.
pub fn quoted(name: &str) -> String {
    format!("“{name}”")
}

/// A number of bytes, in groups of three digits.
pub fn bytes(count: u64) -> String {
    format!("{} byte{}", thousands(count), if count == 1 { "" } else { "s" })
}

/// How much something has, and which limit that is beyond.
pub fn beyond(size: u64, key: &str, limit: u64) -> String {
    format!("{}, and {key} is {}", bytes(size), thousands(limit))
}

/// A number as people read it: 49,900.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_long_lists_are_cut() {
        let of = [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (9120, "9,120 bytes")];
        for (count, text) in of.into_iter().chain([(1_000_000, "1,000,000 bytes")]) {
            assert_eq!(bytes(count), text);
        }
        let told = [7, 1000, 49_900, u64::from(u32::MAX)].map(thousands);
        assert_eq!(told, ["7", "1,000", "49,900", "4,294,967,295"]);
        assert_eq!(beyond(3000, "limits.attachment", 1024), "3,000 bytes, and limits.attachment is 1,024");
        assert_eq!(named(["a", "b"].map(str::to_owned).into_iter()), "a, b");
        let numbers = || (0..1000).map(|nth| nth.to_string());
        let listed = few(numbers());
        assert_eq!((listed.len(), listed[99].as_str()), (101, "99"));
        assert_eq!(listed[100], "900 more, not shown here: with --json `parts` has all");
        assert_eq!(few(numbers().take(100)).len(), 100);
        assert!(named((0..1000).map(|nth| nth.to_string())).ends_with(", 11 and 988 more"));
    }
}
