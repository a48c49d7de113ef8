//! `mailshelf parse-alone`: reads one suspect mail, does with it what deciding does, and says by surviving that it can
//! be read. For [`mailshelf::pass`] alone; nobody else need call it.

use std::path::PathBuf;
use std::thread;

use mailshelf::config::Limits;
use mailshelf::confine::Reach;
use mailshelf::drop::{Claimed, Format};
use mailshelf::pass::proof::Prover;
use mailshelf::pass::{blame, decide, prepare};
use mailshelf::sender::verify::Verifier;

use super::{DONE, confine};

#[derive(clap::Args)]
pub struct ParseAlone {
    #[arg(long)]
    maildir: bool,
    /// Look at its signatures too.
    #[arg(long)]
    verify: bool,
    #[arg(long)]
    message: u64,
    #[arg(long)]
    parts: usize,
    #[arg(long)]
    depth: usize,
    file: PathBuf,
}

impl ParseAlone {
    pub fn run(self) -> anyhow::Result<u8> {
        // How large an attachment may be is asked only once it has been read.
        let ParseAlone { message, parts, depth, .. } = self;
        let limits = Limits { message, attachment: u64::MAX, parts, depth, blocked_types: Vec::new() };
        blame::confine(message)?;
        confine::enter(|| Reach::of_file(&self.file))?;
        let format = if self.maildir { Format::Maildir } else { Format::Folder };
        let claimed = Claimed::alone(&self.file, format);
        let verifier = Verifier::with_records(&[], &[]);
        // The same stack as in a pass, or the answer would not hold there.
        let reader = thread::Builder::new().stack_size(prepare::STACK).spawn(move || {
            let prover = if self.verify { Prover::Rehearsal(&verifier) } else { Prover::Nobody };
            let blamed = || blame::begin(&prepare::bounds(&limits));
            let prepared = prepare::prepare(claimed, format, &limits, &prover, blamed);
            decide::rehearse(&prepared, &limits);
            !matches!(prepared.reading, prepare::Reading::Panicked(_))
        })?;
        Ok(if reader.join().unwrap_or(false) { DONE } else { blame::PANICKED })
    }
}
