-- What was refused, or waits, is looked for by whoever answers for the people
-- who typed it. Nearly no row of the log is of this kind.

-- +goose Up
CREATE INDEX mutations_refused ON mutations (org, seq) WHERE result >= 2;
