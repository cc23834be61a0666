-- Where people can be reached when they are not looking, and what became of each
-- attempt. None of it is a record: it belongs to devices and to this server.

-- +goose Up
CREATE TABLE push_channels (
    org      int         NOT NULL,
    device   uuid        NOT NULL,
    channel  text        NOT NULL,
    person   uuid        NOT NULL,
    address  text        NOT NULL,                 -- a token of the channel's
    set_at   timestamptz NOT NULL,
    dead_at  timestamptz,                          -- the channel says that nobody is there any more
    CONSTRAINT push_channels_key PRIMARY KEY (org, device, channel)
);
CREATE INDEX push_channels_person ON push_channels (org, person);
-- An app that is installed anew, or handed on, keeps its token.
CREATE UNIQUE INDEX push_channels_address ON push_channels (channel, address);

CREATE TABLE push_deliveries (
    org          int         NOT NULL,
    notification uuid        NOT NULL,
    device       uuid        NOT NULL,             -- none: there was nowhere to send it to
    channel      text        NOT NULL,
    state        text        NOT NULL,
    tries        int         NOT NULL,             -- after which nobody has answered
    reason       text        NOT NULL DEFAULT '',
    at           timestamptz NOT NULL,
    CONSTRAINT push_deliveries_key PRIMARY KEY (org, notification, device, channel),
    CONSTRAINT push_deliveries_state CHECK (state IN ('sending', 'waiting', 'sent', 'silenced', 'failed', 'unknown', 'nowhere'))
);

-- Who has a socket open, and where: a server tells the others.
CREATE TABLE presence (
    org    int         NOT NULL,
    person uuid        NOT NULL,
    node   uuid        NOT NULL,
    until  timestamptz NOT NULL,
    CONSTRAINT presence_key PRIMARY KEY (org, person, node)
);
