-- What became of a delivery can be looked at: whose it was, how often it was put
-- off and since when; and which notifications have reached nobody.

-- +goose Up
ALTER TABLE push_deliveries
    ADD COLUMN begun_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN put_off  int         NOT NULL DEFAULT 0; -- how often the channel has said: later
ALTER TABLE push_deliveries DROP CONSTRAINT push_deliveries_state;
ALTER TABLE push_deliveries ADD CONSTRAINT push_deliveries_state CHECK (state IN (
    'sending', 'asked', 'waiting', 'sent', 'silenced', 'failed', 'unknown', 'nowhere', 'lost', 'held', 'gathered'));
-- The row without a device says what became of the notification as a whole.
CREATE INDEX push_deliveries_undelivered ON push_deliveries (org, at, notification)
    WHERE device = '00000000-0000-0000-0000-000000000000' AND state IN ('nowhere', 'lost');
CREATE INDEX push_deliveries_at ON push_deliveries (at);
