//! Configuration: any text is one, or an error that says where; and what is one holds to its bounds, and is the same
//! when it is written down and read again.
#![no_main]

use std::path::Path;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use mailshelf::config::{Config, Rejected, Resolver, TEMPLATE, apart};

const FILE: &str = "/site/mailshelf.toml";

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Config::read(Path::new(FILE), text) {
        Ok(config) => {
            bounds(&config);
            let again = written(&config);
            let read = Config::read(Path::new(FILE), &again).unwrap_or_else(|why| panic!("{why}: {again}"));
            assert_eq!(format!("{config:?}"), format!("{read:?}"), "{again}");
        }
        Err(error) => {
            assert_ne!(error.hint.as_deref(), Some(""));
            placed(&error.to_string(), text);
        }
    }
});

/// It names a line of the file, or the key that the file lacks.
fn placed(error: &str, text: &str) {
    let why = error.strip_prefix(&format!("configuration {FILE}: ")).unwrap();
    let line = why.strip_prefix("line ").and_then(|rest| rest.split_once(": "));
    match line {
        Some((line, why)) => {
            let line: usize = line.parse().unwrap();
            assert!((1..=text.matches('\n').count() + 1).contains(&line) && !why.is_empty(), "{error}");
        }
        None => assert!(keys().any(|key| why.contains(&key)), "{error}"),
    }
}

/// Every key, such as `drop.path`: the shipped file has all of them.
fn keys() -> impl Iterator<Item = String> {
    let mut section = "";
    TEMPLATE.lines().filter_map(move |line| {
        if let Some(name) = line.strip_prefix('[') {
            section = name.split(']').next()?;
        }
        let (key, _) = line.split_once(" = ").filter(|_| !line.starts_with('#'))?;
        Some(format!("{section}.{key}"))
    })
}

fn bounds(config: &Config) {
    let Config { site, drop, limits, storage, sender, .. } = config;
    assert!(!site.domains.is_empty() && (1..=64).contains(&site.node.len()));
    assert!(
        !site.node.contains('/') && !site.node.starts_with('.') && !site.system_account.trim().is_empty()
    );
    assert!(!drop.keep_rejected.is_zero() && !storage.recycle.is_zero());
    assert!((1..=10_000).contains(&limits.parts) && (1..=100).contains(&limits.depth));
    assert!((1..=4 << 30).contains(&limits.message) && (1..=4 << 30).contains(&limits.attachment));
    assert!(!sender.own_domains.is_empty());
    for path in [&drop.path, &drop.kept, &drop.badmail, &storage.catalog, &storage.contents, &config.events] {
        assert!(path.is_absolute());
    }
    assert_eq!(apart::as_written(config), None);
    assert!(drop.rejected != Rejected::Copied, "no setting");
}

/// A value as it stands in such a file. A text in JSON is one in TOML, but for DEL.
fn value(value: impl serde::Serialize) -> String {
    serde_json::to_string(&value).unwrap().replace('\x7f', "\\u007f")
}

fn word(choice: impl std::fmt::Debug) -> String {
    value(format!("{choice:?}").to_lowercase())
}

fn span(time: Duration) -> String {
    value(format!("{}s", time.as_secs()))
}

/// With each key that there is.
fn written(config: &Config) -> String {
    let Config { site, drop, limits, sender, storage, events, schedule, .. } = config;
    // Of many its words for people tell a few.
    let servers = format!("{:?}", drop.safe_servers);
    let servers = servers.trim_start_matches("Servers([").trim_end_matches("])").split(", ");
    let servers: Vec<_> = servers.filter(|server| !server.is_empty()).collect();
    let resolver = match sender.resolver {
        Resolver::System => "system".to_owned(),
        Resolver::At(address) => address.to_string(),
    };
    let catalog = format!("sqlite:{}", storage.catalog.display());
    let contents = format!("file:{}", storage.contents.display());
    let sections = [
        (
            "site",
            vec![
                ("domains", value(&site.domains)),
                ("node", value(&site.node)),
                ("alias_prefix", value(&site.alias_prefix)),
                ("authenticated_only", value(site.authenticated_only)),
                ("system_account", value(&site.system_account)),
                ("former_alias", span(site.former_alias)),
            ],
        ),
        (
            "drop",
            vec![
                ("path", value(&drop.path)),
                ("format", word(drop.format)),
                ("settle", span(drop.settle)),
                ("safe_servers", value(servers)),
                ("rejected", word(drop.rejected)),
                ("keep_rejected", span(drop.keep_rejected)),
                ("kept", value(&drop.kept)),
                ("badmail", value(&drop.badmail)),
            ],
        ),
        (
            "limits",
            vec![
                ("message", value(limits.message.to_string())),
                ("attachment", value(limits.attachment.to_string())),
                ("parts", value(limits.parts)),
                ("depth", value(limits.depth)),
                ("blocked_types", value(&limits.blocked_types)),
            ],
        ),
        (
            "sender",
            vec![
                ("authserv_id", value(&sender.authserv_id)),
                ("results_at", word(sender.results_at)),
                ("received_auth", value(sender.received_auth)),
                ("own_domains", value(&sender.own_domains)),
                ("require", word(sender.require)),
                ("internal_require", word(sender.internal_require)),
                ("alignment", word(sender.alignment)),
                ("trust_from", value(sender.trust_from)),
                ("exchange_internal", value(sender.exchange_internal)),
                ("verify", word(sender.verify)),
                ("resolver", value(resolver)),
                ("arc_sealers", value(&sender.arc_sealers)),
            ],
        ),
        (
            "storage",
            vec![
                ("catalog", value(catalog)),
                ("contents", value(contents)),
                ("recycle", span(storage.recycle)),
            ],
        ),
        ("events", vec![("file", value(events))]),
        ("schedule", vec![("cron", value(&schedule.cron)), ("watch", word(schedule.watch))]),
    ];
    let section = |(name, keys): &(&str, Vec<(&str, String)>)| {
        let keys: String = keys.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        format!("[{name}]\n{keys}")
    };
    sections.iter().map(section).collect()
}
