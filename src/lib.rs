//! The path of a mail, from the drop folder into a document library. Stages stand in the order of the path.

pub mod drop;
pub mod envelope;
pub mod message;
pub mod sender;
pub mod route;
pub mod authorise;
pub mod file;
pub mod dispose;
pub mod config;
pub mod outcome;
pub mod escape;
