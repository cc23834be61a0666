-- Accounts that devices hold by name, beside what their people's scopes bring.
-- The rights are in grants, with the device as holder; this says which accounts
-- have a scope of their own, and when a device last asked for anything.

-- +goose Up
CREATE TABLE pins (
    org    int         NOT NULL,
    device uuid        NOT NULL,
    rec    uuid        NOT NULL,                   -- the account
    used   timestamptz NOT NULL,                   -- to a day or so
    CONSTRAINT pins_key PRIMARY KEY (org, device, rec)
);
