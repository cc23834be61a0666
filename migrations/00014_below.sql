-- What hangs below a record is read in pages, in the order of ids, and a subtree
-- that moves remembers how far it has come: level by level, a page at a time.
--
-- Each statement is a transaction of its own: in one, the lock for the new index
-- would have to become the stronger one for the old, and that meets with servers of
-- the release before, which go on serving. Run again, it goes on where it stopped.

-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS records_below ON records (org, parent, id) WHERE parent IS NOT NULL;
DROP INDEX IF EXISTS records_parent;               -- the new one begins with all of it

ALTER TABLE rescopes
    ADD COLUMN IF NOT EXISTS level smallint NOT NULL DEFAULT 0, -- how far below what was changed
    ADD COLUMN IF NOT EXISTS field smallint NOT NULL DEFAULT 0, -- 0 while its children follow, then the look-up field that refers to it
    ADD COLUMN IF NOT EXISTS after uuid     NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
CREATE INDEX IF NOT EXISTS rescopes_next ON rescopes (org, seq, rec);
