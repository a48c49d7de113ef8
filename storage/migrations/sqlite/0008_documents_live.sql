-- What a removed document was removed by: its name in the recycle bin, and when. NULL where it stands. A removed one has
-- the keys ('/', its removal), which no name gives, so that its name is free; series and number stay as they were.
ALTER TABLE documents ADD COLUMN removal TEXT;
CREATE UNIQUE INDEX documents_removed ON documents (removal) WHERE removal IS NOT NULL;

-- The library that a version was filed in, where its document was moved to another since: it still stands for the mail
-- there, and for none here. Without a reference: that library may go, and no other ever gets its id.
ALTER TABLE versions ADD COLUMN filed_in INTEGER;

-- Who the mail that a version came with was proven to be from, where it was filed, and how well. Outcomes say so too, and
-- lose their library when it goes; a version must not be taken for proven as long as it stands.
ALTER TABLE versions ADD COLUMN identity TEXT;
ALTER TABLE versions ADD COLUMN level TEXT NOT NULL DEFAULT 'none'
    CHECK (level IN ('none', 'from-header', 'spf', 'domain', 'submission', 'signature'));
UPDATE versions SET identity = outcomes.identity, level = outcomes.level FROM outcomes, documents
WHERE documents.id = versions.document AND outcomes.delivery = versions.delivery AND kind = 'filed'
    AND outcomes.library = documents.library;

-- The library of an outcome, and what it was called, once that is gone: `library` is NULL then, and what was filed there may
-- stand in another.
ALTER TABLE outcomes ADD COLUMN gone_library INTEGER;
ALTER TABLE outcomes ADD COLUMN gone_name TEXT;

-- Versions whose document was purged: what is left to tell of them. `filed_in` is the library that it was filed in,
-- `document` the id that it had: both may be gone, and the id another's since.
CREATE TABLE purged (
    id       INTEGER PRIMARY KEY,
    delivery TEXT NOT NULL REFERENCES mails (delivery),
    library  TEXT NOT NULL,
    filed_in INTEGER NOT NULL,
    document INTEGER NOT NULL,
    path     TEXT NOT NULL,
    version  INTEGER NOT NULL,
    size     INTEGER NOT NULL,
    digest   BLOB NOT NULL CHECK (length(digest) = 32),
    removal  TEXT NOT NULL,
    why      TEXT NOT NULL,
    at       INTEGER NOT NULL
) STRICT;
CREATE INDEX purged_by_delivery ON purged (delivery);

-- What a mail says of itself besides; NULL where it does not, or an earlier version wrote the row.
ALTER TABLE mails ADD COLUMN to_addresses TEXT;
ALTER TABLE mails ADD COLUMN cc_addresses TEXT;
ALTER TABLE mails ADD COLUMN date INTEGER;
ALTER TABLE mails ADD COLUMN calendar_uid TEXT;
ALTER TABLE mails ADD COLUMN calendar_sequence INTEGER;
ALTER TABLE mails ADD COLUMN calendar_stamp INTEGER;
