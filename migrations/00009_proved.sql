-- A server that is put back without anybody saying so begins an epoch when a
-- device proves that it has lost something. Where the logs parted is then not
-- known.

-- +goose Up
ALTER TABLE epochs ADD COLUMN proved boolean NOT NULL DEFAULT false;
UPDATE epochs SET proved = true
 WHERE reason IN ('a device proved what the log has lost', 'a device has seen what the log has lost');
