-- When the server must look at a reminder next. It follows from the record; to
-- have it here saves looking at all of them.

-- +goose Up
CREATE TABLE reminders_due (
    org      int         NOT NULL,
    reminder uuid        NOT NULL,
    at       timestamptz NOT NULL,
    tries    int         NOT NULL DEFAULT 0,       -- that have failed
    reason   text        NOT NULL DEFAULT '',      -- of the last of them
    CONSTRAINT reminders_due_key PRIMARY KEY (org, reminder)
);
CREATE INDEX reminders_due_at ON reminders_due (org, at);
