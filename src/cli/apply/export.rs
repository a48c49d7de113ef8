//! `mailshelf export`: the site as a file that `mailshelf apply` takes.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use mailshelf::escape::json;
use mailshelf::site::declaration::Declaration;
use mailshelf_storage::Digest;

use crate::cli::document::target;
use crate::cli::{Context, DONE, complain};

/// Write the libraries, users, groups and rights of the site as one TOML file, every setting included
///
/// `mailshelf apply` of that file changes nothing here, and makes the same of an empty site elsewhere. Equal sites have
/// equal files, to the byte. Documents, mails and `mailshelf.toml` are no part of it. With --json it is one JSON object of
/// the same structure, to be read by programs: `apply` takes TOML.
#[derive(clap::Args)]
#[command(after_help = "Example: mailshelf export -o site.toml")]
pub struct Export {
    /// Replaces FILE; `-` is standard output
    #[arg(short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Export {
    pub fn run(&self, context: &Context) -> anyhow::Result<u8> {
        let site = context.look()?;
        let reader = site.catalog.read()?;
        let declaration = Declaration::of(&*reader)?;
        let text = match context.out.is_json() {
            true => json::to_string(&declaration.to_json())? + "\n",
            false => declaration.to_toml(),
        };
        let bytes = text.into_bytes();
        let unused = reader.unused_addresses()?;
        drop(reader);
        let digest = Digest::of(&bytes);
        // Every character is fit for a terminal, however many there are.
        let output = self.output.as_deref().unwrap_or(Path::new("-"));
        target::write(&|| Ok(Box::new(Cursor::new(bytes.clone()))), digest, Some(output))?;
        for address in unused {
            complain(&format!("warning: {address}"), Some("it is left out"));
        }
        Ok(DONE)
    }
}
