-- What people have allowed to be sent to them on WeChat: each tap is one message.

-- +goose Up
CREATE TABLE push_consents (
    tap      uuid        NOT NULL,                 -- made by the mini-program, so that to say it twice is to say it once
    template text        NOT NULL,
    address  text        NOT NULL,                 -- who has tapped, as WeChat knows him
    given_at timestamptz NOT NULL,
    spent_at timestamptz,
    CONSTRAINT push_consents_key PRIMARY KEY (tap, template)
);
CREATE INDEX push_consents_left ON push_consents (address, template, given_at) WHERE spent_at IS NULL;
CREATE INDEX push_consents_spent ON push_consents (spent_at) WHERE spent_at IS NOT NULL;
