-- By what the sender was proven for a recipient, or why not; NULL where that was not asked, or an earlier version wrote
-- the row.
ALTER TABLE outcomes ADD COLUMN proof TEXT;
