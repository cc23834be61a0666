-- A server that was restored to an earlier point gets back what it has lost
-- from the devices. What cannot stand yet, because what it builds on is not
-- back, is parked and tried again when that changes.

-- +goose Up
CREATE TABLE parked (
    org     int         NOT NULL,
    replica int         NOT NULL,                  -- the name under which it was sent,
    n       bigint      NOT NULL,                  -- one row for each if it has several
    seq     bigint      NOT NULL,                  -- where the log says that it was parked
    expires timestamptz NOT NULL,
    settled bigint,                                -- where the log says what became of it
    CONSTRAINT parked_key PRIMARY KEY (org, replica, n)
);
CREATE INDEX parked_seq ON parked (org, seq);
CREATE INDEX parked_expires ON parked (org, expires) WHERE settled IS NULL;

-- What each one waits for: records, people, mutations.
CREATE TABLE parked_waits (
    org  int    NOT NULL,
    what uuid   NOT NULL,
    seq  bigint NOT NULL,
    CONSTRAINT parked_waits_key PRIMARY KEY (org, what, seq)
);

ALTER TABLE heads ADD COLUMN parked int NOT NULL DEFAULT 0;  -- how many wait
