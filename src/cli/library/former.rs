//! Aliases that libraries had before.

use mailshelf::record::words::time;
use mailshelf::route::Former;
use mailshelf::site::Site;
use mailshelf_storage::{Alias, Error, LibraryId, LibraryName, Reader, Writer};

use super::view::FormerAlias;
use crate::cli::wrong;

/// Those that still lead to a library.
pub fn aliases(reader: &dyn Reader, library: LibraryId, site: &Site) -> Result<Vec<FormerAlias>, Error> {
    let former = reader.former_aliases(library)?.into_iter();
    let former = former.filter_map(|old| Former::now(old.alias, old.since, site.config.site.former_alias));
    Ok(former.map(|former| FormerAlias { alias: former.alias, until: time(former.until) }).collect())
}

/// The library that an alias leads to as a former one, and no longer will once `name` has it.
pub fn loser(
    reader: &dyn Reader,
    alias: &Alias,
    name: &LibraryName,
    site: &Site,
) -> Result<Option<LibraryName>, Error> {
    let found = reader.library_by_former_alias(alias)?.filter(|(library, _)| library.name != *name);
    let leads = |since| Former::now(alias.clone(), since, site.config.site.former_alias).is_some();
    Ok(found.filter(|(_, since)| leads(*since)).map(|(library, _)| library.name))
}

/// Says so where mail that went to one library goes to another from now on.
pub fn warn_of_loser(
    alias: &Alias,
    name: &LibraryName,
    loser: Option<LibraryName>,
    warn: &mut dyn FnMut(String, &str),
) {
    if let Some(loser) = loser {
        let what = format!(
            "warning: alias {alias}: mail to it went to library {loser} until now, and goes to {name} from now on"
        );
        let hint = format!("it was an alias of {loser}; who still writes to it should be told");
        warn(what, &hint);
    }
}

/// Drops former aliases of a library.
pub fn forget(
    writer: &mut dyn Writer,
    library: LibraryId,
    name: &LibraryName,
    aliases: &[Alias],
) -> anyhow::Result<()> {
    for alias in aliases {
        if !writer.forget_former_alias(library, alias)? {
            let hint = format!("`mailshelf library show {name}` lists those there are");
            return Err(wrong(format!("alias {alias}: no former alias of library {name}"), Some(hint)));
        }
    }
    Ok(())
}
