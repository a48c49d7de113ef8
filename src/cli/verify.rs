//! `mailshelf verify`: where catalog and contents disagree.

use mailshelf::escape::Escaped;
use mailshelf::record::publish;
use mailshelf_storage::verify::{Broken, Report, verify};
use serde::Serialize;

use super::{Context, DONE, FAILED};

/// Read the catalog and the contents whole, and report where they disagree
///
/// May run while mail is being filed. Exits 1 when something is wrong and was not repaired.
#[derive(clap::Args)]
#[command(after_help = "Example: mailshelf verify --repair")]
pub struct Verify {
    /// Mend what can be: remove leftovers, publish events that are missing from the event file
    #[arg(long)]
    repair: bool,
}

#[derive(Serialize)]
struct View {
    #[serde(flatten)]
    report: Report,
    /// Events of the catalog that are not in the event file.
    unpublished_events: u64,
    /// Events that were put there now.
    published_events: u64,
}

impl Verify {
    pub fn run(&self, context: &Context) -> anyhow::Result<u8> {
        let site = context.site()?;
        let report = verify(&*site.catalog, &*site.contents, self.repair, &mut |_| ())?;
        let events = &site.config.events;
        let published_events = if self.repair { publish::publish(&*site.catalog, events)? } else { 0 };
        let unpublished_events = publish::unpublished(&*site.catalog, events)?;
        let view = View { report, unpublished_events, published_events };
        context.out.value(&view, || text(&view))?;
        Ok(if view.report.is_clean() && unpublished_events == 0 { DONE } else { FAILED })
    }
}

fn text(view: &View) -> String {
    let report = &view.report;
    let Report { documents, removed, contents, mails, .. } = report;
    let bin = if *removed == 0 { String::new() } else { format!(" and {removed} removed ones") };
    let mut lines = vec![format!("{documents} documents{bin}, {contents} contents, {mails} mails")];
    lines.extend(findings(report).iter().map(|line| Escaped(line).to_string()));
    if view.published_events > 0 {
        lines.push(format!("repaired: {} events were put into the event file", view.published_events));
    }
    if view.unpublished_events > 0 {
        lines.push(format!("{} events are missing from the event file", view.unpublished_events));
    }
    let clean = report.is_clean() && view.unpublished_events == 0;
    lines.push(if clean { "Everything agrees." } else { "Not everything agrees." }.to_owned());
    lines.join("\n")
}

fn findings(report: &Report) -> Vec<String> {
    let broken = |what: &str, broken: &Broken| {
        let paths = broken.filed_as.iter();
        let paths: Vec<_> = paths
            .map(|filed| {
                let removed = if filed.removed { ", removed" } else { "" };
                format!("{}: {}, version {}{removed}", filed.library, filed.path, filed.version)
            })
            .collect();
        format!("{what}: {} ({}), filed as {}", broken.digest, broken.why, paths.join("; "))
    };
    let missing = report.missing.iter().map(|one| broken("missing", one));
    let damaged = report.damaged.iter().map(|one| broken("damaged", one));
    let orphans = report.orphans.iter().map(|one| match one.why.as_str() {
        "" => format!("orphan: {} (nothing refers to it; --repair removes it)", one.name),
        why => format!("orphan: {} ({why})", one.name),
    });
    let aliens = report.aliens.iter().map(|name| format!("not ours, left alone: {name}"));
    let catalog = report.catalog.iter().map(|what| format!("catalog: {what}"));
    let repaired = report.repaired.iter().map(|what| format!("repaired: {what}"));
    missing.chain(damaged).chain(orphans).chain(aliens).chain(catalog).chain(repaired).collect()
}
