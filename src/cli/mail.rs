//! `mailshelf mail`: the mails that were taken, and what became of each.

use std::path::PathBuf;

use mailshelf_storage::{DeliveryId, Reader};

use super::{Context, DONE, prefix, when, wrong};

mod get;
mod list;
pub mod show;
pub mod view;

/// Mails that were taken: list, show, get
#[derive(clap::Subcommand)]
#[command(after_help = "Example: mailshelf mail list --since today --outcome rejected")]
pub enum Mail {
    /// Show what became of mails, newest first
    ///
    /// With --outcome, --reason and --library a mail is meant if they are those of one of its recipients.
    #[command(after_help = format!("{}\n\
        Example: mailshelf mail list --since 2d --sender @example.org", when::FORMS))]
    List(list::List),
    /// Show everything on record of one
    #[command(after_help = "Example: mailshelf mail show 01KAJ4R5XQ")]
    Show {
        /// As `list` shows it; its beginning will do, from 8 characters on
        id: String,
    },
    /// Write the mail as it was received to standard output, or to a file
    ///
    /// It is there if a library that saves originals has filed it, or while its file is claimed, in badmail or kept
    /// aside. It is every byte after the envelope block, and only ever written if it has the digest on record.
    #[command(after_help = "Example: mailshelf mail get 01KAJ4R5XQ -o mail.eml")]
    Get {
        /// As `list` shows it; its beginning will do, from 8 characters on
        id: String,
        /// Replaces FILE; `-` is standard output, even if it is a terminal
        #[arg(short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

impl Mail {
    pub fn run(&self, context: &Context) -> anyhow::Result<u8> {
        match self {
            Mail::List(list) => list.run(&context.look()?, &context.out)?,
            Mail::Show { id } => show::show(&context.look()?, &context.out, id)?,
            Mail::Get { id, output } => get::get(&context.site()?, id, output.as_deref())?,
        }
        Ok(DONE)
    }
}

/// The delivery that an id, or its beginning, names.
pub fn find(reader: &dyn Reader, id: &str) -> anyhow::Result<DeliveryId> {
    const LIST: &str = "`mailshelf mail list` shows the newest";
    let found = prefix::find(id, LIST, |prefix| Ok(reader.deliveries(prefix, 2)?))?;
    found.ok_or_else(|| wrong(format!("mail {id}: there is none"), Some(LIST.to_owned())))
}
