-- What is not sent at once: in quiet hours, or because a device has been told too
-- much. It is sent later, together.

-- +goose Up
ALTER TABLE push_deliveries
    ADD COLUMN person uuid,                       -- of what is held: whose
    ADD COLUMN digest uuid;                       -- of what is gathered: into which message
CREATE INDEX push_deliveries_held ON push_deliveries (org, person, at) WHERE state = 'held';
CREATE INDEX push_deliveries_digest ON push_deliveries (org, digest) WHERE digest IS NOT NULL;

-- How much a device was told of late.
CREATE TABLE push_rates (
    org      int         NOT NULL,
    device   uuid        NOT NULL,
    category text        NOT NULL,
    since    timestamptz NOT NULL,
    n        int         NOT NULL,
    CONSTRAINT push_rates_key PRIMARY KEY (org, device, category)
);
CREATE INDEX push_rates_since ON push_rates (since);
