-- The lives of each org's log. A new one begins when the database has come back
-- at another point than the one at which it was left.

-- +goose Up
CREATE TABLE epochs (
    org      int         NOT NULL,
    epoch    text        NOT NULL,
    began    bigint      NOT NULL,                 -- seq of the row that began it
    was      text        NOT NULL,                 -- the epoch before …
    from_seq bigint      NOT NULL,                 -- … and the head that it ended with
    life     text        NOT NULL,                 -- of the database; see below
    reason   text        NOT NULL,
    at       timestamptz NOT NULL,
    CONSTRAINT epochs_key PRIMARY KEY (org, began),
    CONSTRAINT epochs_epoch UNIQUE (org, epoch)
);

-- One row: the cluster and the timeline on which this database was last served.
-- PostgreSQL goes over to another timeline when it is restored to a point or a
-- standby is promoted, whoever does that and by whatever means.
CREATE TABLE lives (
    one  boolean     NOT NULL DEFAULT true CHECK (one),
    life text        NOT NULL,
    at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT lives_key PRIMARY KEY (one)
);
