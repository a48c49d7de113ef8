-- Where documents of a library stand, and what becomes of one whose name is taken; the defaults are what earlier versions
-- did.
ALTER TABLE libraries ADD COLUMN attachments TEXT NOT NULL DEFAULT 'root'
    CHECK (attachments IN ('root', 'subject', 'sender'));
ALTER TABLE libraries ADD COLUMN overwrite INTEGER NOT NULL DEFAULT 0 CHECK (overwrite IN (0, 1));
ALTER TABLE libraries ADD COLUMN save_invitations INTEGER NOT NULL DEFAULT 0 CHECK (save_invitations IN (0, 1));
ALTER TABLE libraries ADD COLUMN inline_images INTEGER NOT NULL DEFAULT 0 CHECK (inline_images IN (0, 1));

-- Earlier versions kept some names apart that file systems take for one: with ß and the capital ẞ, and with a few Greek
-- letters of two accents. `rekey` of this version, in the same transaction, makes all keys anew; of two documents that are
-- one name now the second gets a number.
