-- People: who signs in, from which device, and what keeps them signed in.
-- What a person may do is on the line: a record of kind user, its actor and
-- its grants. Nothing here is a record, because none of it goes to devices.

-- +goose Up

-- The same phone is two devices when two people share it.
CREATE TABLE devices (
    org        int         NOT NULL,
    id         uuid        NOT NULL,
    person     uuid        NOT NULL,
    install    uuid        NOT NULL,               -- made with the local store, dies with it
    kind       text        NOT NULL,
    platform   text        NOT NULL,
    app        text        NOT NULL,
    created_at timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL,               -- its last sign-in
    revoked_at timestamptz,
    CONSTRAINT devices_key PRIMARY KEY (org, id),
    CONSTRAINT devices_install UNIQUE (org, install, person),
    CONSTRAINT devices_kind CHECK (kind IN ('phone', 'mini', 'web', 'connector'))
);

CREATE TABLE logins (
    org      int  NOT NULL,
    login    text NOT NULL,                        -- in lower case
    person   uuid NOT NULL,                        -- the id of his record
    password text NOT NULL,                        -- its hash, as a PHC string
    CONSTRAINT logins_login PRIMARY KEY (org, login),
    CONSTRAINT logins_person UNIQUE (org, person)
);

-- A session is a family of refresh tokens, each made from the one before.
-- Tokens are kept as SHA-256 only.
CREATE TABLE sessions (
    org        int         NOT NULL,
    id         uuid        NOT NULL,
    person     uuid        NOT NULL,
    device     uuid        NOT NULL,
    spent      bytea,                              -- the token used last; it may be repeated …
    next       bytea[]     NOT NULL,               -- … until one of its successors is used
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at   timestamptz,
    CONSTRAINT sessions_key PRIMARY KEY (org, id)
);
CREATE INDEX sessions_person ON sessions (org, person, device);

-- Wrong passwords of the last minutes, so that several servers count as one.
-- org 0 holds what belongs to no org: addresses, and orgs that do not exist.
CREATE TABLE login_attempts (
    org       int           NOT NULL,
    subject   text          NOT NULL,              -- 'login:lin', 'address:192.0.2.1'
    failed_at timestamptz[] NOT NULL,              -- oldest first
    last_at   timestamptz   NOT NULL,
    CONSTRAINT login_attempts_key PRIMARY KEY (org, subject)
);
CREATE INDEX login_attempts_last ON login_attempts (org, last_at);

-- The order in which an org's replicas were made. Their numbers are random, so
-- nothing else says which replica of a device is the newest.
ALTER TABLE replicas ADD COLUMN made bigint GENERATED ALWAYS AS IDENTITY;
