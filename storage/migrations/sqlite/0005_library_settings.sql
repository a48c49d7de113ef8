-- Where documents of a library stand, and what becomes of one whose name is taken; the defaults are what earlier versions
-- did.
ALTER TABLE libraries ADD COLUMN attachments TEXT NOT NULL DEFAULT 'root'
    CHECK (attachments IN ('root', 'subject', 'sender'));
ALTER TABLE libraries ADD COLUMN overwrite INTEGER NOT NULL DEFAULT 0 CHECK (overwrite IN (0, 1));
ALTER TABLE libraries ADD COLUMN save_invitations INTEGER NOT NULL DEFAULT 0 CHECK (save_invitations IN (0, 1));
ALTER TABLE libraries ADD COLUMN inline_images INTEGER NOT NULL DEFAULT 0 CHECK (inline_images IN (0, 1));

-- Earlier versions kept some names apart that file systems take for one: with ß and the capital ẞ, and with a few Greek
-- letters of two accents. `name_key` is `model::name_key`, of this version. Of two documents that are one name now the
-- second gets the number of its row in front.
UPDATE documents SET series_key = name_key(series_key) WHERE series_key <> name_key(series_key);
UPDATE OR IGNORE documents SET name_key = name_key(name) WHERE name_key <> name_key(name);
UPDATE documents SET name = id || ' ' || name, name_key = name_key(id || ' ' || name)
WHERE name_key <> name_key(name);
