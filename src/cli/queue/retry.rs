//! `mailshelf queue retry`: badmail goes back into the drop.

use std::collections::BTreeSet;
use std::path::Path;

use mailshelf::dispose::Disposer;
use mailshelf::dispose::aside::{self, Kept};
use mailshelf::drop::look::{self, Place};
use mailshelf::drop::{self, DropError};
use mailshelf::escape::Escaped;
use mailshelf::replay::spool::Spool;
use mailshelf::site::Look;
use mailshelf_storage::DeliveryId;
use mailshelf_storage::model::MailState;
use serde::Serialize;

use crate::cli::{Context, DONE, FAILED, complain, prefix, wrong};

/// Put mail from badmail back into the drop, where the next pass takes it as new
///
/// It gets a new id; what is on record of the old one stays. A recipient for whom it was filed before ends as duplicate:
/// nothing is filed twice. No file in the drop is replaced: where one has its name, something is put behind it.
///
/// A copy that a replay has given up is refused: in the drop it would be another mail. Once the cause is mended, remove
/// its file, and replay the source again.
#[derive(clap::Args)]
#[command(after_help = "Example: mailshelf queue retry 01JD5N3C --json")]
pub struct Retry {
    /// Which, by the id that `mailshelf queue` shows, or by its first characters, at least 8
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// All mail in badmail
    #[arg(long, conflicts_with = "ids")]
    all: bool,
}

/// A mail that was put back.
#[derive(Serialize)]
struct Back {
    mail: Option<DeliveryId>,
    file: String,
    path: String,
}

const SHOWN: &str = "`mailshelf queue` shows those there are";

impl Retry {
    pub fn run(&self, context: &Context) -> anyhow::Result<u8> {
        if self.ids.is_empty() && !self.all {
            let hint = format!("name it by its id, or say --all; {SHOWN}");
            return Err(wrong("queue retry: no mail is named", Some(hint)));
        }
        let site = context.look()?;
        let settings = site.config.drop_settings();
        let entrance = drop::entrance(&settings)?;
        let claimed = claimed(&settings.path)?;
        let kept = aside::kept_in(&site.config.drop.badmail)?.collect::<Result<Vec<_>, _>>()?;
        let replay = Spool::site(&site.config);
        let copies = aside::kept_in(&replay.drop.badmail)?.collect::<Result<Vec<_>, _>>()?;
        let (kept, strange): (Vec<_>, Vec<_>) = kept.into_iter().partition(|kept| kept.id.is_some());
        let chosen = if self.all { kept } else { self.choose(kept, &copies, &claimed, &site)? };
        if let Some(id) = chosen.iter().filter_map(|kept| kept.id).find(|id| claimed.contains(id)) {
            // Else the pass that ends the move would set it aside once more.
            let hint = "the next pass ends that; then say so again".to_owned();
            return Err(wrong(format!("mail {id}: it is still being moved to badmail"), Some(hint)));
        }
        if self.all {
            for kept in &strange {
                let what = format!("badmail file {}: it has no id, and stays", kept.shown_name());
                complain(&what, Some("move it into the drop yourself to have it tried"));
            }
            for copy in &copies {
                let what = format!("badmail file {}: {A_COPY}, and stays", copy.shown_name());
                complain(&what, Some(&mend(copy)));
            }
            if chosen.is_empty() && !context.out.is_json() {
                context.out.line("No mail stands in badmail.")?;
            }
        }
        put_back(context, &chosen, &entrance)
    }

    /// The mails that are named. Nothing is done to any of them before all are known.
    fn choose(
        &self,
        kept: Vec<Kept>,
        copies: &[Kept],
        claimed: &BTreeSet<DeliveryId>,
        site: &Look,
    ) -> anyhow::Result<Vec<Kept>> {
        let there: BTreeSet<_> = kept.iter().chain(copies).filter_map(|kept| kept.id).collect();
        let mut chosen = BTreeSet::new();
        for named in &self.ids {
            let among = |ids: &BTreeSet<DeliveryId>| {
                prefix::find(named, SHOWN, |prefix| {
                    Ok(ids.iter().filter(|id| id.to_string().starts_with(prefix)).copied().collect())
                })
            };
            match among(&there)? {
                Some(id) => chosen.insert(id),
                None => {
                    let left = self::claimed(&Spool::site(&site.config).drop.path)?;
                    if let Some(id) = among(&left)? {
                        let why = "a replay has claimed it; it is not in badmail";
                        let hint = "the same replay goes on with it".to_owned();
                        return Err(wrong(format!("mail {id}: {why}"), Some(hint)));
                    }
                    return Err(not_there(named, among(claimed)?, site)?);
                }
            };
        }
        let is_chosen = |kept: &&Kept| kept.id.is_some_and(|id| chosen.contains(&id));
        if let Some(copy) = copies.iter().find(is_chosen) {
            let id = copy.id.map(|id| id.to_string()).unwrap_or_default();
            return Err(wrong(format!("mail {id}: {A_COPY}"), Some(mend(copy))));
        }
        Ok(kept.into_iter().filter(|kept| is_chosen(&kept)).collect())
    }
}

const A_COPY: &str = "it is a copy that a replay made";

/// What to do about a copy. The source is what is filed; nobody but who mended the cause knows when to try it again.
fn mend(copy: &Kept) -> String {
    let path = drop::shown(copy.path.as_os_str());
    format!("once the cause is mended, remove {path} and replay its source again")
}

/// Of which mails the drop has claims.
pub fn claimed(drop: &Path) -> Result<BTreeSet<DeliveryId>, DropError> {
    let mut ids = BTreeSet::new();
    for found in look::claims(drop) {
        if let Place::Claimed(claim) = found?.place {
            ids.extend(claim.id);
        }
    }
    Ok(ids)
}

/// Why a mail that is named is not in badmail, as far as anybody knows.
fn not_there(named: &str, claimed: Option<DeliveryId>, site: &Look) -> anyhow::Result<anyhow::Error> {
    let on_record = match claimed.or_else(|| named.parse().ok()) {
        Some(id) => site.catalog.read()?.mail(id)?.map(|mail| mail.state),
        None => None,
    };
    let tried = || Some("`mailshelf run` tries it now".to_owned());
    Ok(match (claimed, on_record) {
        (Some(id), Some(MailState::Open)) => {
            wrong(format!("mail {id}: it is deferred, not in badmail: each pass tries it anyway"), tried())
        }
        (Some(id), _) => {
            wrong(format!("mail {id}: it is claimed, not in badmail: the next pass goes on with it"), tried())
        }
        (None, Some(state)) => {
            let why = format!("it is on record as {state}, and its file is not in badmail");
            wrong(format!("mail {named}: {why}"), Some(SHOWN.to_owned()))
        }
        (None, None) => wrong(format!("mail {named}: there is none in badmail"), Some(SHOWN.to_owned())),
    })
}

/// One that cannot be moved holds up no other. What was moved is told once that is durable, or cannot be made so.
fn put_back(context: &Context, chosen: &[Kept], entrance: &Path) -> anyhow::Result<u8> {
    let disposer = Disposer::default();
    let mut code = DONE;
    let mut moved = Vec::new();
    for kept in chosen {
        match disposer.put_back(kept, entrance, &[]) {
            Ok(path) => moved.push(Back {
                mail: kept.id,
                file: path.file_name().map(drop::shown).unwrap_or_default(),
                path: drop::shown(path.as_os_str()),
            }),
            Err(error) => {
                complain(&format!("badmail file {}: {error}", drop::shown(&kept.path)), None);
                code = FAILED;
            }
        }
    }
    let synced = disposer.sync();
    for back in &moved {
        context.out.value(back, || {
            let id = back.mail.map(|id| id.to_string()).unwrap_or_default();
            format!(
                "Mail {id} is back in the drop as {}; the next pass takes it as new.",
                Escaped(&back.file)
            )
        })?;
    }
    synced?;
    Ok(code)
}
