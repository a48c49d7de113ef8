//! Reads `Authentication-Results` values, one JSON string a line, and prints what each says, one JSON object a line:
//! for comparing the reader with others (`tests/compare/results.py`).

use std::io::{self, BufRead, Write};

use mailshelf::sender::results::{MethodResult, Results, Value};
use serde_json::json;

fn main() -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let value: String = serde_json::from_str(&line?)?;
        let read = match Results::parse(value.as_bytes()) {
            Ok(Results { id, results }) => {
                json!({"id": id, "results": results.iter().map(shown).collect::<Vec<_>>()})
            }
            Err(why) => json!({"void": why.to_string()}),
        };
        writeln!(out, "{read}")?;
    }
    out.flush()
}

fn shown(result: &MethodResult) -> serde_json::Value {
    let value = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        Value::Address { .. } => value.to_string(),
    };
    let properties: Vec<_> =
        result.properties.iter().map(|one| json!([one.kind, one.name, value(&one.value)])).collect();
    json!({"method": result.method, "version": result.version, "result": result.result,
           "reason": result.reason, "properties": properties})
}
