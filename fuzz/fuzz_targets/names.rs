//! Names of documents: whatever strangers call the files of a folder, each gets a legal name, and none another's. The
//! first byte says what becomes of a name that is taken; each line is a name.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use mailshelf::file::name::{clean, with_extension};
use mailshelf_storage::catalog::sqlite::SqliteCatalog;
use mailshelf_storage::model::{Clash, LibrarySettings, Wanted};
use mailshelf_storage::{Catalog, LibraryId};

#[path = "../../src/file/name/legal.rs"]
mod legal;

/// An empty library in a real catalog.
fn library() -> &'static (tempfile::TempDir, SqliteCatalog, LibraryId) {
    static LIBRARY: OnceLock<(tempfile::TempDir, SqliteCatalog, LibraryId)> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let catalog = SqliteCatalog::open(&dir.path().join("catalog.db")).unwrap();
        let mut writer = catalog.write().unwrap();
        let (settings, now) = (LibrarySettings::default(), jiff::Timestamp::UNIX_EPOCH);
        let id = writer.add_library(&"l".parse().unwrap(), &"l".parse().unwrap(), &settings, now).unwrap();
        writer.commit().unwrap();
        (dir, catalog, id)
    })
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, names)) = bytes.split_first() else { return };
    let clash = if first % 2 == 0 { Clash::Number } else { Clash::Version(u32::from(*first / 2)) };
    let names = String::from_utf8_lossy(names);
    let clean: Vec<_> = names.split('\n').map(|raw| clean(raw, "x")).collect();
    for name in &clean {
        assert_eq!(legal::fault(name), None, "{name:?}");
        assert_eq!(legal::fault(&with_extension(name, ".eml")), None, "{name:?}");
    }
    let (_, catalog, id) = library();
    let wanted: Vec<_> = clean.iter().map(|name| Wanted { folder: "", name, clash }).collect();
    let places = catalog.read().unwrap().names_for(*id, &wanted).unwrap();
    for place in &places {
        assert_eq!(legal::fault(&place.name), None, "{place:?}");
    }
    assert_eq!(legal::twin(places.iter().map(|place| place.name.as_str())), None);
});
