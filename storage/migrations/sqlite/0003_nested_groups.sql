-- Groups in groups. No chain of these leads back to where it began: whoever adds one looks, in the same transaction.
CREATE TABLE nested (
    "group" INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    member  INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    PRIMARY KEY ("group", member),
    CHECK ("group" <> member)
) STRICT, WITHOUT ROWID;
CREATE INDEX nested_by_member ON nested (member);
