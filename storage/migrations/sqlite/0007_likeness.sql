-- What a mail is the same by, however it came: set where it was filed, and where that stood for it; NULL where an earlier
-- version wrote the row. Duplicates are found by this index as well as by outcomes_filed.
ALTER TABLE outcomes ADD COLUMN likeness BLOB CHECK (likeness IS NULL OR length(likeness) = 32);
CREATE INDEX outcomes_alike ON outcomes (likeness, library) WHERE likeness IS NOT NULL AND kind = 'filed';
-- The delivery that stands for a duplicate, where that is another.
ALTER TABLE outcomes ADD COLUMN duplicate_of TEXT REFERENCES mails (delivery);
