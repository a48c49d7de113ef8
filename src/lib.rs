//! The path of a mail, from the drop folder into a document library.
//!
//! A mail comes in at one end and leaves at the other; each stage is a module, in this order:
//!
//! 1. [`mod@drop`] finds mail that is whole, and claims it by a rename.
//! 2. [`envelope`] reads what our own mail server put above it: who sends it, to whom.
//! 3. [`message`] reads the mail itself, within limits: header, parts, attachments.
//! 4. [`sender`] says who sent it, and by what proof.
//! 5. [`route`] finds the library of each recipient.
//! 6. [`authorise`] says who files it there, or why nobody does.
//! 7. [`mod@file`] says what of it is filed, and proposes names.
//! 8. [`record`] writes outcomes, documents and events, in one transaction for a batch.
//! 9. [`dispose`] deletes the claimed file, or keeps it aside: last of all.
//!
//! [`pass`] takes mail down the line, a batch at a time; [`service`] does so each minute and as soon as mail arrives, and
//! [`replay`] with mail from elsewhere. [`explain`] tells what would become of one mail, by the same code and without
//! effects; [`whereabouts`] finds the file of a mail that was taken, and [`recycle`] ends documents that were removed.
//! Around them stand the [`config`]uration, the [`site`] it opens, what a process that files mail may reach ([`confine`]),
//! the reasons in [`outcome`], and the one [`escape`] for what strangers wrote. Documents, people and events are kept by
//! the crate `mailshelf-storage`, which knows nothing of mail.

pub mod drop;
pub mod envelope;
pub mod message;
pub mod sender;
pub mod route;
pub mod authorise;
pub mod file;
pub mod record;
pub mod dispose;

pub mod pass;
pub mod service;
pub mod explain;
pub mod whereabouts;
pub mod recycle;
pub mod replay;
pub mod site;
pub mod confine;
pub mod config;
pub mod outcome;
pub mod escape;
mod lock;
