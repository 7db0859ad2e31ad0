-- +goose Up
-- For those that are forgotten, the oldest first. A process that is ended in between must be able to go on, and MySQL has no
-- CREATE INDEX IF NOT EXISTS: the statement is chosen by what is there. LOCK = NONE: other instances go on applying messages.
SET @make = (SELECT IF(count(*) > 0, 'DO 0', 'CREATE INDEX inbox_by_applied ON inbox (applied) ALGORITHM = INPLACE LOCK = NONE')
    FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'inbox' AND index_name = 'inbox_by_applied');
PREPARE make FROM @make;
EXECUTE make;
DEALLOCATE PREPARE make;

-- +goose Down
DROP INDEX inbox_by_applied ON inbox;
