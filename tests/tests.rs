//! The program as its users see it: whole sites, real processes, real files.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot go on has failed"
)]

mod util;

mod admin;
mod apply;
mod bad_input;
mod cases;
mod circles;
mod colour;
mod confine;
mod crash;
mod dkim;
mod docs;
mod documents;
mod duplicates;
mod escaper;
mod event_log;
mod events;
mod explain;
mod fault;
mod flaws;
mod forgery;
mod former_alias;
mod help;
mod honest;
mod hostile;
mod kill;
mod killers;
mod library_settings;
mod judge;
mod mail_command;
mod mta;
mod people;
mod proof;
mod queue;
mod quota;
mod rejected;
mod replay;
mod serve;
mod site;
mod status;
mod tnef;
mod verify;
