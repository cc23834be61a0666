-- Reactions: what follows from a change, after its commit. Each reads the log
-- in order and keeps its place here, so that nothing is lost when a server dies
-- between a commit and what was to follow from it.

-- +goose Up
CREATE TABLE reactions (
    org   int    NOT NULL,
    name  text   NOT NULL,
    seq   bigint NOT NULL,                         -- up to here it has reacted
    tries int    NOT NULL DEFAULT 0,               -- at the row after that
    CONSTRAINT reactions_key PRIMARY KEY (org, name)
);

-- What a reaction could not do after many tries is passed over, so that it does
-- not hold up all that comes after it, and stays here until somebody has looked.
CREATE TABLE reactions_failed (
    org       int         NOT NULL,
    name      text        NOT NULL,
    seq       bigint      NOT NULL,
    reason    text        NOT NULL,
    failed_at timestamptz NOT NULL,
    CONSTRAINT reactions_failed_key PRIMARY KEY (org, name, seq)
);
