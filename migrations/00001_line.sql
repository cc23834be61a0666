-- The line: records, their log, who may see them and where a pull finds them.
-- org leads every key and index, so that the tables can be distributed by it.
-- No index covers anything that an edit changes: record updates stay HOT.

-- +goose Up
CREATE TABLE orgs (
    id         int         PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    uid        uuid        NOT NULL,               -- ids that follow from others begin here
    name       text        NOT NULL,               -- what people type when they sign in
    whole_at   timestamptz,                        -- when its first data was complete
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT orgs_name UNIQUE (name)
);

-- The row that orders an org: locked first by every commit, advanced last.
-- Apart from orgs, so that foreign keys to orgs never meet its lock.
CREATE TABLE heads (
    org     int    PRIMARY KEY,
    server  int    NOT NULL,                       -- the server's own replica
    epoch   text   NOT NULL,                       -- the life of this log
    seq     bigint NOT NULL DEFAULT 0,             -- last one given out
    high    bigint NOT NULL DEFAULT 0,             -- greatest effective stamp so far, packed
    granted bigint NOT NULL DEFAULT 0,             -- seq of the last change of an actor or a grant
    schema  bigint NOT NULL DEFAULT 0,             -- seq of the schema in force
    floor   bigint NOT NULL DEFAULT 0,             -- vectors are pruned up to here
    horizon bigint NOT NULL DEFAULT 0,             -- oldest seq whose leaves are kept
    chain   bytea  NOT NULL                        -- hash of the last log row
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

CREATE TABLE schemas (
    org  int    NOT NULL,
    seq  bigint NOT NULL,
    body json   NOT NULL,
    PRIMARY KEY (org, seq)
);

CREATE TABLE actors (
    org    int     NOT NULL,
    id     uuid    NOT NULL,                       -- of the person's record
    name   text    NOT NULL,
    roles  text[]  NOT NULL,
    active boolean NOT NULL,
    PRIMARY KEY (org, id)
);

CREATE TABLE scopes (
    org  int  NOT NULL,
    id   int  NOT NULL GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL,                            -- 'owner:0193…', 'catalogue'
    PRIMARY KEY (org, id),
    CONSTRAINT scopes_name UNIQUE (org, name)
);

CREATE TABLE grants (
    org    int    NOT NULL,
    holder uuid   NOT NULL,                        -- a person, or a device for its pins
    scope  int    NOT NULL,
    since  bigint NOT NULL,
    until  bigint,                                 -- null while it holds
    PRIMARY KEY (org, holder, scope, since)
);

-- Rewritten with every push, so it holds nothing else about the device.
CREATE TABLE replicas (
    org     int    NOT NULL,
    id      int    NOT NULL,                       -- random; its base 32 is the name on the wire
    device  uuid   NOT NULL,
    person  uuid   NOT NULL,
    parent  int,                                   -- the replica it was relabelled from …
    fork    bigint,                                -- … and the last n it shares with it
    n       bigint NOT NULL DEFAULT 0,             -- last number judged
    stamp   bigint NOT NULL DEFAULT 0,             -- last effective stamp, packed
    last    uuid,                                  -- id of mutation n
    PRIMARY KEY (org, id)
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_threshold = 500);
CREATE INDEX replicas_device ON replicas (org, device);

CREATE TABLE records (
    org     int      NOT NULL,
    kind    smallint NOT NULL,
    state   smallint NOT NULL DEFAULT 0,           -- 0 live, 1 tombstone
    month   smallint NOT NULL DEFAULT 0,           -- months since 2000-01; 0 has no date
    id      uuid     NOT NULL,
    owner   uuid     NOT NULL,
    parent  uuid,
    root    uuid     NOT NULL,                     -- the top of its chain of parents; itself without one
    scopes  int[]    NOT NULL,                     -- the scopes it is in now, sorted
    entered bigint[] NOT NULL,                     -- since when, in the order of scopes
    fields  json     NOT NULL,                     -- one object, as written
    meta    bytea    NOT NULL,                     -- who wrote what, when, at which seq
    seq     bigint   NOT NULL,                     -- of its last change; never indexed
    PRIMARY KEY (org, id)
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
CREATE INDEX records_parent ON records (org, parent) WHERE parent IS NOT NULL;

-- Where a delta finds what changed in a scope. Insert-only: rows that are no
-- longer live are swept later, and readers judge each against its record.
CREATE TABLE scope_index (
    org   int      NOT NULL,
    scope int      NOT NULL,
    seq   bigint   NOT NULL,
    mark  bigint   NOT NULL,                       -- op 0: the record's own seq; op 1: where it had entered
    rec   uuid     NOT NULL,
    op    smallint NOT NULL,                       -- 0 touched or entered, 1 left
    kind  smallint NOT NULL,
    month smallint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.2);
CREATE INDEX scope_index_seq ON scope_index (org, scope, seq);   -- not unique on purpose: a narrow key stays dense

-- The order of a fill: only what never changes takes part.
CREATE TABLE members (
    org   int      NOT NULL,
    scope int      NOT NULL,
    rank  smallint NOT NULL,
    rec   uuid     NOT NULL,
    PRIMARY KEY (org, scope, rank, rec)
);

-- The log, the history and the verdicts; append only.
CREATE TABLE mutations (
    org     int         NOT NULL,
    seq     bigint      NOT NULL,
    n       bigint      NOT NULL,
    stamp   bigint      NOT NULL,                  -- effective, packed
    high    bigint      NOT NULL,                  -- greatest effective stamp up to this row
    arrived timestamptz NOT NULL,
    replica int         NOT NULL,
    person  uuid        NOT NULL,
    id      uuid        NOT NULL,
    hash    bytea       NOT NULL,                  -- of its content
    chain   bytea       NOT NULL,                  -- H(chain of the row before, this row)
    result  smallint    NOT NULL,                  -- 0 applied, 1 merged, 2 refused, 3 parked
    body    text        NOT NULL,                  -- its edits, with what stood there before
    outcome text,                                  -- null when plainly applied
    twin    bigint,                                -- seq of the same mutation under another name
    PRIMARY KEY (org, seq),
    CONSTRAINT mutations_dot UNIQUE (org, replica, n)
);
CREATE UNIQUE INDEX mutations_id ON mutations (org, id) WHERE twin IS NULL;
CREATE INDEX mutations_twin ON mutations (org, replica) WHERE twin IS NOT NULL;

-- Subtrees whose scopes are still to be worked out anew after a change of
-- owner; written in the transaction of the change.
CREATE TABLE rescopes (
    org int    NOT NULL,
    rec uuid   NOT NULL,                           -- the top of the subtree
    seq bigint NOT NULL,                           -- of the change that asked for it
    PRIMARY KEY (org, rec)
);

-- Records that a refused mutation would have created: what depends on them is
-- refused too, and says why.
CREATE TABLE orphans (
    org int    NOT NULL,
    rec uuid   NOT NULL,
    seq bigint NOT NULL,                           -- of the refusal
    PRIMARY KEY (org, rec)
);
