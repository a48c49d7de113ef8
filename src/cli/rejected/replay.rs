//! `mailshelf rejected replay`: kept mail goes back into the drop.

use mailshelf::dispose::Disposer;
use mailshelf::dispose::kept::{NotGiven, Taking, give_back, is_ours};
use mailshelf::drop;
use mailshelf::escape::Escaped;
use mailshelf::site::{Look, Site};
use mailshelf_storage::DeliveryId;
use serde::Serialize;

use super::{SHOWN, choose, for_reason, kept};
use crate::cli::queue::retry::claimed;
use crate::cli::{Context, DONE, FAILED, complain, open, wrong};

/// A mail that was given back.
#[derive(Serialize)]
struct Back {
    mail: DeliveryId,
    file: String,
    path: String,
}

/// One that cannot be given back holds up no other. What was is told once that is durable, or cannot be made so.
pub fn replay(context: &Context, ids: &[String], all: bool, reason: Option<&str>) -> anyhow::Result<u8> {
    if ids.is_empty() && !all && reason.is_none() {
        let hint = format!("name it by its id, or say --reason REASON, or --all; {SHOWN}");
        return Err(wrong("rejected replay: no mail is named", Some(hint)));
    }
    let look = context.look()?;
    let settings = look.config.drop_settings();
    let (entrance, format) = (drop::entrance(&settings)?, settings.format());
    let _taking = Taking::begin(&look.config.drop.kept)?;
    let kept = for_reason(&look, kept(&look)?, reason)?;
    let chosen = if ids.is_empty() { kept } else { choose(&look, kept, ids)? };
    if chosen.is_empty() && !context.out.is_json() {
        context.out.line("No rejected mail is kept.")?;
    }
    let being_moved = claimed(&settings.path)?;
    let site = writable(context, look)?;
    let (disposer, mut code, mut moved) = (Disposer::default(), DONE, Vec::new());
    for one in &chosen {
        let Some(id) = one.id.filter(|id| !being_moved.contains(id)) else {
            let why =
                if one.id.is_some() { "it is still being moved here" } else { "it has no id, and stays" };
            complain(&format!("kept file {}: {why}", one.shown_name()), None);
            code = FAILED;
            continue;
        };
        if !is_ours(&*site.catalog.read()?, id)? {
            complain(&format!("mail {id}: it is not on record as rejected, and stays"), Some(BY_HAND));
            code = FAILED;
            continue;
        }
        match give_back((&site.config, &*site.catalog), &disposer, one, &entrance, format) {
            Ok(path) => moved.push(Back {
                mail: id,
                file: path.file_name().map(drop::shown).unwrap_or_default(),
                path: drop::shown(path.as_os_str()),
            }),
            Err(error) => {
                let hint = matches!(error, NotGiven::Another { .. }).then_some(BY_HAND);
                complain(&format!("mail {id}: {error}"), hint);
                code = FAILED;
            }
        }
    }
    let synced = disposer.sync();
    for back in &moved {
        context.out.value(back, || {
            let (id, file) = (back.mail, Escaped(&back.file));
            format!("Mail {id} is back in the drop as {file}; the next pass takes it as new.")
        })?;
    }
    synced?;
    Ok(code)
}

const BY_HAND: &str = "put a copy of it into the drop yourself to have it tried as it is";

/// The same site, to write to. Its records are its owner's.
pub(super) fn writable(context: &Context, look: Look) -> anyhow::Result<Site> {
    std::mem::drop(look);
    open(context.config_of_ours()?)
}
