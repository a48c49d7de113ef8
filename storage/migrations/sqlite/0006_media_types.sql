-- What the bytes show, where that is another type than the declared one.
ALTER TABLE versions ADD COLUMN sniffed_type TEXT;

-- Why, in more words than `reason`; NULL where there is nothing to add, or an earlier version wrote the row.
ALTER TABLE outcomes ADD COLUMN because TEXT;

-- What is the matter with a mail that was read, a JSON array of sentences; NULL where nothing is, or an earlier version
-- wrote the row.
ALTER TABLE mails ADD COLUMN flaws TEXT CHECK (json_type(flaws) = 'array');

-- What became of a mail that was kept aside. Written before its file goes.
CREATE TABLE kept (
    delivery TEXT PRIMARY KEY NOT NULL REFERENCES mails (delivery),
    fate     TEXT NOT NULL CHECK (fate IN ('replayed', 'purged')),
    why      TEXT NOT NULL,
    at       INTEGER NOT NULL
) STRICT;
