-- What each device is shown, and since when: the kinds and the first month that
-- it wants, and what its person's roles may see of them.

-- +goose Up
CREATE TABLE views (
    org    int      NOT NULL,
    device uuid     NOT NULL,
    seq    bigint   NOT NULL,                      -- from here in the log on; 0 from the beginning
    since  smallint NOT NULL,                      -- the first month
    kinds  smallint[],                             -- by number; null is all
    sight  json     NOT NULL,                      -- by number of the kind: its hidden fields
    CONSTRAINT views_key PRIMARY KEY (org, device, seq)
);
