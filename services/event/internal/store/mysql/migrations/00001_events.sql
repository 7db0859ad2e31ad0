-- +goose Up
-- IF NOT EXISTS: each statement commits by itself, so a process that is ended in between must be able to go on.
-- Ids are bytes: compared as they are, with their case, and with spaces at their end, which text pads away.
CREATE TABLE IF NOT EXISTS events (
    id          varbinary(128) NOT NULL,
    name        varchar(200) NOT NULL,
    date_event  varchar(10)  NOT NULL, -- yyyy-MM-dd, or empty
    kind        varchar(32)  NOT NULL,
    prospect_id varbinary(512) NOT NULL, -- or empty; 128 characters
    created     datetime(6)  NOT NULL, -- UTC
    updated     datetime(6)  NOT NULL, -- UTC
    version     bigint       NOT NULL,
    PRIMARY KEY (id),
    -- One index for each way to list, each in the order of the list.
    KEY events_by_created  (created, id),
    KEY events_by_kind     (kind, created, id),
    KEY events_by_date     (date_event, created, id),
    KEY events_by_prospect (prospect_id, created, id)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What was applied: a message that comes again changes nothing.
CREATE TABLE IF NOT EXISTS inbox (
    message_id varbinary(128) NOT NULL,
    applied    datetime(6)  NOT NULL,
    PRIMARY KEY (message_id)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose Down
DROP TABLE inbox;
DROP TABLE events;
