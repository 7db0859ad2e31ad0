-- +goose Up
-- COLLATE "C" compares byte by byte: ids are case-sensitive, and a list's order is the same on every engine.
CREATE TABLE events (
    id          text COLLATE "C" PRIMARY KEY,
    name        text        NOT NULL,
    date_event  text        NOT NULL, -- yyyy-MM-dd, or empty
    kind        text        NOT NULL,
    prospect_id text COLLATE "C" NOT NULL, -- or empty
    created     timestamptz NOT NULL,
    updated     timestamptz NOT NULL,
    version     bigint      NOT NULL
);

-- One index for each way to list, each in the order of the list.
CREATE INDEX events_by_created  ON events (created, id);
CREATE INDEX events_by_kind     ON events (kind, created, id);
CREATE INDEX events_by_date     ON events (date_event, created, id) WHERE date_event <> '';
CREATE INDEX events_by_prospect ON events (prospect_id, created, id) WHERE prospect_id <> '';

-- What was applied: a message that comes again changes nothing.
CREATE TABLE inbox (
    message_id text COLLATE "C" PRIMARY KEY,
    applied    timestamptz NOT NULL
);

-- +goose Down
DROP TABLE inbox;
DROP TABLE events;
