-- Records for clients that are online: what lists filter and sort by, and the
-- names under which such clients write.

-- +goose Up

-- A row for each value of a look-up field of a live record; several for a set,
-- none for a field without a value. Written only when such a field changes.
CREATE TABLE lookups (
    org   int      NOT NULL,
    field smallint NOT NULL,                       -- the number of the kind and of the field in one
    val   text     COLLATE "C" NOT NULL,           -- text, or an order-preserving form of numbers and times
    rec   uuid     NOT NULL,
    PRIMARY KEY (org, field, val, rec)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.2);
CREATE INDEX lookups_rec ON lookups (org, rec);    -- all rows of a record share one key, which deduplicates

-- Orgs of which some kinds are to get their rows anew, because a schema has
-- other look-up fields than the one before; how far that has come.
CREATE TABLE reindexes (
    org   int        NOT NULL,
    kinds smallint[] NOT NULL,
    after uuid       NOT NULL,
    PRIMARY KEY (org)
);

-- A device that is online writes under a name of its own, which only the
-- server counts and which a sign-in never gives out.
ALTER TABLE replicas ADD COLUMN online boolean NOT NULL DEFAULT false;
