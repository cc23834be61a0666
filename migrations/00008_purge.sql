-- Tombstones are purged in the order of their ids once they are old enough. An
-- edit leaves the state of a record alone, so its updates stay HOT.

-- +goose Up
CREATE INDEX records_tombs ON records (org, id) WHERE state = 1;
