-- Times are milliseconds since 1970 UTC, ids of deliveries and passes are ULIDs as text, digests are the 32 bytes of
-- a SHA-256. The words of each CHECK are those of src/model.rs.

CREATE TABLE meta (
    one              INTEGER PRIMARY KEY CHECK (one = 1),
    settings_version INTEGER NOT NULL
) STRICT;
INSERT INTO meta VALUES (1, 0);

-- AUTOINCREMENT: an id that a removed library had must never be another's; routing may still hold it.
CREATE TABLE libraries (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    name          TEXT NOT NULL UNIQUE,
    alias         TEXT NOT NULL UNIQUE,
    title         TEXT NOT NULL,
    save_original INTEGER NOT NULL CHECK (save_original IN (0, 1)),
    sender_policy TEXT NOT NULL CHECK (sender_policy IN ('permissions', 'anyone')),
    trust_from    TEXT NOT NULL CHECK (trust_from IN ('inherit', 'yes', 'no')),
    enabled       INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    created_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
    id    INTEGER PRIMARY KEY AUTOINCREMENT,
    login TEXT NOT NULL UNIQUE
) STRICT;

-- Two users may share an address.
CREATE TABLE addresses (
    address TEXT NOT NULL,
    user    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (address, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX addresses_by_user ON addresses (user);

CREATE TABLE groups (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE members (
    "group" INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    user    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY ("group", user)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_user ON members (user);

CREATE TABLE grants (
    library  INTEGER NOT NULL REFERENCES libraries (id) ON DELETE CASCADE,
    user     INTEGER REFERENCES users (id) ON DELETE CASCADE,
    "group"  INTEGER REFERENCES groups (id) ON DELETE CASCADE,
    everyone INTEGER CHECK (everyone = 1),
    role     TEXT NOT NULL CHECK (role IN ('reader', 'contributor', 'owner')),
    CHECK ((user IS NOT NULL) + ("group" IS NOT NULL) + (everyone IS NOT NULL) = 1),
    UNIQUE (library, user),
    UNIQUE (library, "group"),
    UNIQUE (library, everyone)
) STRICT;
CREATE INDEX grants_by_user ON grants (user) WHERE user IS NOT NULL;
CREATE INDEX grants_by_group ON grants ("group") WHERE "group" IS NOT NULL;

CREATE TABLE mails (
    delivery        TEXT PRIMARY KEY NOT NULL,
    file            TEXT NOT NULL,
    node            TEXT NOT NULL,
    digest          BLOB CHECK (length(digest) = 32),
    size            INTEGER NOT NULL CHECK (size >= 0),
    message_id      TEXT,
    from_address    TEXT,
    envelope_sender TEXT,
    subject         TEXT,
    arrived_at      INTEGER NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('open', 'done', 'badmail')),
    attempts        INTEGER NOT NULL CHECK (attempts >= 0),
    fault           TEXT
) STRICT;

-- The ids give the order in which outcomes were first recorded.
CREATE TABLE outcomes (
    id          INTEGER PRIMARY KEY,
    delivery    TEXT NOT NULL REFERENCES mails (delivery),
    recipient   TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('filed', 'duplicate', 'rejected', 'deferred')),
    reason      TEXT,
    library     INTEGER REFERENCES libraries (id) ON DELETE SET NULL,
    identity    TEXT,
    level       TEXT NOT NULL
        CHECK (level IN ('none', 'from-header', 'spf', 'domain', 'submission', 'signature')),
    pass        TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    -- That of the mail, where it was filed: what duplicates are found by.
    digest      BLOB CHECK (digest IS NULL OR kind = 'filed'),
    UNIQUE (delivery, recipient)
) STRICT;
CREATE INDEX outcomes_filed ON outcomes (digest, library) WHERE digest IS NOT NULL;
CREATE INDEX outcomes_by_library ON outcomes (library) WHERE library IS NOT NULL;

-- A doomed content is about to be removed; one that was doomed before it was ever on record has size 0. Versions
-- refer to the id: an index by digest takes each new entry at another place, and one such index is enough.
CREATE TABLE contents (
    id     INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    size   INTEGER NOT NULL CHECK (size >= 0),
    doomed INTEGER NOT NULL CHECK (doomed IN (0, 1))
) STRICT;

-- The keys are what names are compared by. Documents whose proposed names give the same numbered names are one
-- series; the next number of a series is found by one look-up in documents_by_number.
CREATE TABLE documents (
    id         INTEGER PRIMARY KEY,
    library    INTEGER NOT NULL REFERENCES libraries (id),
    folder     TEXT NOT NULL,
    folder_key TEXT NOT NULL,
    name       TEXT NOT NULL,
    name_key   TEXT NOT NULL,
    series_key TEXT NOT NULL,
    number     INTEGER NOT NULL CHECK (number >= 1),
    UNIQUE (library, folder_key, name_key)
) STRICT;
CREATE INDEX documents_by_number ON documents (library, folder_key, series_key, number);

CREATE TABLE versions (
    document   INTEGER NOT NULL REFERENCES documents (id),
    version    INTEGER NOT NULL CHECK (version >= 1),
    content    INTEGER NOT NULL REFERENCES contents (id),
    media_type TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    delivery   TEXT NOT NULL REFERENCES mails (delivery),
    original   INTEGER NOT NULL CHECK (original IN (0, 1)),
    PRIMARY KEY (document, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX versions_by_content ON versions (content);
CREATE INDEX versions_by_delivery ON versions (delivery);

CREATE TABLE passes (
    pass       TEXT PRIMARY KEY NOT NULL,
    node       TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER
) STRICT;
CREATE INDEX passes_open ON passes (node, started_at) WHERE ended_at IS NULL;

CREATE TABLE records (
    id       INTEGER PRIMARY KEY,
    pass     TEXT NOT NULL,
    delivery TEXT NOT NULL,
    body     TEXT NOT NULL,
    UNIQUE (pass, delivery)
) STRICT;

-- AUTOINCREMENT counts in a table that is rolled back with the rest: no gaps, and no number twice.
CREATE TABLE events (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id INTEGER NOT NULL,
    pass     TEXT NOT NULL,
    time     INTEGER NOT NULL,
    body     TEXT NOT NULL
) STRICT;

CREATE TABLE notices (
    node  TEXT NOT NULL,
    key   TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (node, key)
) STRICT, WITHOUT ROWID;
