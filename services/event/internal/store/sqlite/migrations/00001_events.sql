-- +goose Up
-- Times are microseconds since 1970 in UTC. Text is compared byte by byte, so ids are case-sensitive.
CREATE TABLE events (
    id          TEXT    NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL,
    date_event  TEXT    NOT NULL, -- yyyy-MM-dd, or empty
    kind        TEXT    NOT NULL,
    prospect_id TEXT    NOT NULL, -- or empty
    created     INTEGER NOT NULL,
    updated     INTEGER NOT NULL,
    version     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One index for each way to list, each in the order of the list.
CREATE INDEX events_by_created  ON events (created, id);
CREATE INDEX events_by_kind     ON events (kind, created, id);
CREATE INDEX events_by_date     ON events (date_event, created, id) WHERE date_event <> '';
CREATE INDEX events_by_prospect ON events (prospect_id, created, id) WHERE prospect_id <> '';

-- What was applied: a message that comes again changes nothing.
CREATE TABLE inbox (
    message_id TEXT    NOT NULL PRIMARY KEY,
    applied    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE inbox;
DROP TABLE events;
