//! `mailshelf rejected purge`: kept mail is deleted before its term.

use jiff::Timestamp;
use mailshelf::dispose::kept::{self, Taking, is_ours};
use mailshelf_storage::DeliveryId;
use serde::Serialize;

use super::{SHOWN, choose, for_reason, replay};
use crate::cli::{Context, DONE, FAILED, complain, wrong};

/// A mail that was deleted.
#[derive(Serialize)]
struct Gone {
    mail: DeliveryId,
    file: String,
}

pub fn purge(
    context: &Context,
    ids: &[String],
    older_than: Option<Timestamp>,
    all: bool,
    reason: Option<&str>,
) -> anyhow::Result<u8> {
    if ids.is_empty() && older_than.is_none() && !all && reason.is_none() {
        let hint = format!("name it by its id, or say --older-than 7d, --reason REASON, or --all; {SHOWN}");
        return Err(wrong("rejected purge: no mail is named", Some(hint)));
    }
    let look = context.look()?;
    let _taking = Taking::begin(&look.config.drop.kept)?;
    let mut chosen = for_reason(&look, super::kept(&look)?, reason)?;
    if !ids.is_empty() {
        chosen = choose(&look, chosen, ids)?;
    }
    if let Some(than) = older_than {
        chosen.retain(|kept| kept.kept_at < than);
    }
    let site = replay::writable(context, look)?;
    let (mut ours, mut code) = (Vec::new(), DONE);
    let reader = site.catalog.read()?;
    for kept in chosen {
        match kept.id {
            Some(id) if is_ours(&*reader, id)? => ours.push(kept),
            _ => {
                complain(
                    &format!("kept file {}: it is not on record as rejected, and stays", kept.shown_name()),
                    None,
                );
                code = FAILED;
            }
        }
    }
    drop(reader);
    let mut gone = Vec::new();
    let purged = kept::purge(&*site.catalog, &ours, "asked for by `mailshelf rejected purge`", &mut |kept| {
        gone.extend(kept.id.map(|mail| Gone { mail, file: kept.shown_name() }));
    });
    if ours.is_empty() && !context.out.is_json() {
        context.out.line("Nothing was deleted.")?;
    }
    gone.iter().try_for_each(|one| {
        context.out.value(one, || format!("Mail {} is deleted; what became of it stays on record.", one.mail))
    })?;
    purged?;
    Ok(code)
}
