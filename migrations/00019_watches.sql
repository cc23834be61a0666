-- How far the look through an org's records for what its reminder rules are about
-- has come, and what was made by them of which the reason may end.

-- +goose Up
CREATE TABLE reminder_passes (
    org     int         NOT NULL,
    next_at timestamptz NOT NULL,
    after   uuid        NOT NULL,                  -- where to go on
    primed  boolean     NOT NULL DEFAULT false,    -- it is known when each customer was contacted
    failed  int         NOT NULL DEFAULT 0,        -- effects that were refused, in the last pass
    reason  text        NOT NULL DEFAULT '',
    CONSTRAINT reminder_passes_key PRIMARY KEY (org)
);

CREATE TABLE reminder_effects (
    org     int  NOT NULL,
    subject uuid NOT NULL,
    rule    uuid NOT NULL,
    effect  uuid NOT NULL,
    CONSTRAINT reminder_effects_key PRIMARY KEY (org, subject, rule, effect)
);
