-- What hangs below a record is read in pages, in the order of ids, and a subtree
-- that moves remembers how far it has come: level by level, a page at a time.

-- +goose Up
CREATE INDEX records_below ON records (org, parent, id) WHERE parent IS NOT NULL;
DROP INDEX records_parent;                         -- the new one begins with all of it

ALTER TABLE rescopes
    ADD COLUMN level smallint NOT NULL DEFAULT 0,  -- how far below what was changed
    ADD COLUMN field smallint NOT NULL DEFAULT 0,  -- 0 while its children follow, then the look-up field that refers to it
    ADD COLUMN after uuid     NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
CREATE INDEX rescopes_next ON rescopes (org, seq, rec);
