-- What channels need to be remembered.

-- +goose Up
ALTER TABLE push_deliveries
    ADD COLUMN receipt text NOT NULL DEFAULT ''; -- by which a channel finds again what it has shown
