-- +goose NO TRANSACTION
-- CONCURRENTLY, which no transaction may hold: other instances go on applying messages while a large inbox is read.

-- +goose Up
-- For those that are forgotten, the oldest first. A process that is ended in between leaves an index that is invalid: it is made anew.
DROP INDEX CONCURRENTLY IF EXISTS inbox_by_applied;
CREATE INDEX CONCURRENTLY inbox_by_applied ON inbox (applied);

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS inbox_by_applied;
