-- Bytes; NULL: no quota.
ALTER TABLE libraries ADD COLUMN quota INTEGER CHECK (quota >= 0);
ALTER TABLE libraries ADD COLUMN anonymous_quota INTEGER CHECK (anonymous_quota >= 0);

-- The bytes of all versions of all documents, kept by the triggers below: whatever adds or removes a version, and whoever
-- does, the sum goes along.
ALTER TABLE libraries ADD COLUMN used INTEGER NOT NULL DEFAULT 0 CHECK (used >= 0);
UPDATE libraries SET used = (
    SELECT coalesce(sum(size), 0) FROM documents JOIN versions ON versions.document = documents.id
    JOIN contents ON contents.id = versions.content WHERE documents.library = libraries.id);

CREATE TRIGGER used_more AFTER INSERT ON versions BEGIN
    UPDATE libraries SET used = used + (SELECT size FROM contents WHERE id = NEW.content)
    WHERE id = (SELECT library FROM documents WHERE id = NEW.document);
END;
-- A sum that is wrong, and too small, must not keep anything from being removed.
CREATE TRIGGER used_less AFTER DELETE ON versions BEGIN
    UPDATE libraries SET used = max(0, used - (SELECT size FROM contents WHERE id = OLD.content))
    WHERE id = (SELECT library FROM documents WHERE id = OLD.document);
END;
CREATE TRIGGER used_otherwise AFTER UPDATE OF document, content ON versions BEGIN
    UPDATE libraries SET used = max(0, used - (SELECT size FROM contents WHERE id = OLD.content))
    WHERE id = (SELECT library FROM documents WHERE id = OLD.document);
    UPDATE libraries SET used = used + (SELECT size FROM contents WHERE id = NEW.content)
    WHERE id = (SELECT library FROM documents WHERE id = NEW.document);
END;
CREATE TRIGGER used_elsewhere AFTER UPDATE OF library ON documents WHEN OLD.library <> NEW.library BEGIN
    UPDATE libraries SET used = max(0, used - (
        SELECT coalesce(sum(size), 0) FROM versions JOIN contents ON contents.id = content WHERE document = NEW.id))
    WHERE id = OLD.library;
    UPDATE libraries SET used = used + (
        SELECT coalesce(sum(size), 0) FROM versions JOIN contents ON contents.id = content WHERE document = NEW.id)
    WHERE id = NEW.library;
END;
-- A size that was on record wrongly is put right.
CREATE TRIGGER used_resized AFTER UPDATE OF size ON contents WHEN OLD.size <> NEW.size BEGIN
    UPDATE libraries SET used = max(0, used + (NEW.size - OLD.size) * (
        SELECT count(*) FROM versions JOIN documents ON documents.id = document
        WHERE content = NEW.id AND library = libraries.id))
    WHERE id IN (
        SELECT library FROM versions JOIN documents ON documents.id = document WHERE content = NEW.id);
END;

-- Bytes that nobody proven has filed in a library on a day (days since 1970 UTC). A library has few rows: whoever adds to
-- one removes those that are over.
CREATE TABLE anonymous (
    library INTEGER NOT NULL REFERENCES libraries (id) ON DELETE CASCADE,
    day     INTEGER NOT NULL,
    filed   INTEGER NOT NULL CHECK (filed >= 0),
    PRIMARY KEY (library, day)
) STRICT, WITHOUT ROWID;

-- The mails that stand aside because a library was full. A row goes with its mail: when `kept` says that it left. In the
-- order of the key, so that what stands of a library is one range, and nothing else is read.
CREATE TABLE aside (
    library   INTEGER NOT NULL REFERENCES libraries (id) ON DELETE CASCADE,
    at        INTEGER NOT NULL,
    delivery  TEXT NOT NULL REFERENCES mails (delivery),
    size      INTEGER NOT NULL CHECK (size >= 0),
    -- Nothing proves who sent it.
    anonymous INTEGER NOT NULL CHECK (anonymous IN (0, 1)),
    -- It had been given back, and is kept once more: nobody sent it on that day.
    again     INTEGER NOT NULL CHECK (again IN (0, 1)),
    PRIMARY KEY (library, at, delivery)
) STRICT, WITHOUT ROWID;
CREATE INDEX aside_by_delivery ON aside (delivery);

-- The digest of a mail that was given back to the drop, until it has been taken from there.
ALTER TABLE kept ADD COLUMN awaited BLOB CHECK (length(awaited) = 32);
CREATE INDEX kept_awaited ON kept (awaited) WHERE awaited IS NOT NULL;

-- What a library was reached by before its alias was changed, and when it was. How long it answers the site says.
CREATE TABLE former_aliases (
    alias   TEXT PRIMARY KEY NOT NULL,
    library INTEGER NOT NULL REFERENCES libraries (id) ON DELETE CASCADE,
    since   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX former_aliases_by_library ON former_aliases (library);
-- By which of them a mail came to the library.
ALTER TABLE outcomes ADD COLUMN former_alias TEXT;
