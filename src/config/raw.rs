//! The file as serde reads it, and the default of each key that may have another value.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::unit::{Size, Span};
use super::{DropFormat, Rejected, Schedule, Sender, Site};

/// The file as written: only the keys that may differ from their defaults.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Raw {
    pub site: Site,
    pub drop: RawDrop,
    pub limits: RawLimits,
    pub sender: Sender,
    pub storage: RawStorage,
    pub events: RawEvents,
    pub schedule: Schedule,
}

#[derive(Deserialize)]
#[serde(default)]
pub struct RawDrop {
    pub path: PathBuf,
    pub format: DropFormat,
    pub settle: Span,
    pub safe_servers: Vec<String>,
    pub rejected: Rejected,
    pub keep_rejected: Span,
    pub kept: PathBuf,
    pub badmail: PathBuf,
}

impl Default for RawDrop {
    fn default() -> RawDrop {
        RawDrop {
            path: "drop".into(),
            format: DropFormat::Auto,
            settle: Span(Duration::from_secs(2)),
            safe_servers: Vec::new(),
            rejected: Rejected::Delete,
            keep_rejected: Span(Duration::from_secs(30 * 86_400)),
            kept: "state/kept".into(),
            badmail: "state/badmail".into(),
        }
    }
}

#[derive(Deserialize)]
#[serde(default)]
pub struct RawLimits {
    pub message: Size,
    pub attachment: Size,
    pub parts: i64,
    pub depth: i64,
    pub blocked_types: Vec<String>,
}

impl Default for RawLimits {
    fn default() -> RawLimits {
        RawLimits {
            message: Size(64 << 20),
            attachment: Size(50 << 20),
            parts: 1000,
            depth: 32,
            blocked_types: Vec::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(default)]
pub struct RawStorage {
    pub catalog: String,
    pub contents: String,
    pub recycle: Span,
}

impl Default for RawStorage {
    fn default() -> RawStorage {
        RawStorage {
            catalog: "sqlite:state/catalog.db".into(),
            contents: "file:state/contents".into(),
            recycle: Span(Duration::from_secs(30 * 86_400)),
        }
    }
}

#[derive(Deserialize)]
#[serde(default)]
pub struct RawEvents {
    pub file: PathBuf,
}

impl Default for RawEvents {
    fn default() -> RawEvents {
        RawEvents { file: "state/events.jsonl".into() }
    }
}
