-- +goose Up
-- Times are microseconds since 1970 in UTC. Text is compared byte by byte, so ids are case-sensitive.
CREATE TABLE prospects (
    id         TEXT    NOT NULL PRIMARY KEY,
    first_name TEXT    NOT NULL,
    last_name  TEXT    NOT NULL,
    filed_work TEXT    NOT NULL, -- or empty
    id_event   TEXT    NOT NULL, -- or empty
    created    INTEGER NOT NULL,
    updated    INTEGER NOT NULL,
    version    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One index for each way to list, each in the order of the list.
CREATE INDEX prospects_by_created    ON prospects (created, id);
CREATE INDEX prospects_by_filed_work ON prospects (filed_work, created, id) WHERE filed_work <> '';
CREATE INDEX prospects_by_event      ON prospects (id_event, created, id) WHERE id_event <> '';

-- Messages that wait to be published, oldest first by position. A row goes when Kafka has its message.
CREATE TABLE outbox (
    position   INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    message_id TEXT    NOT NULL UNIQUE,
    key        TEXT    NOT NULL,
    type       TEXT    NOT NULL,
    time       INTEGER NOT NULL,
    payload    BLOB    NOT NULL,
    trace      TEXT    NOT NULL,
    owner      TEXT    NOT NULL DEFAULT '', -- the relay that has claimed it, until
    leased     INTEGER NOT NULL DEFAULT 0   -- then
) STRICT;

CREATE INDEX outbox_by_key ON outbox (key, position);

-- +goose Down
DROP TABLE outbox;
DROP TABLE prospects;
