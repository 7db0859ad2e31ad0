-- +goose Up
-- For those that are forgotten, the oldest first.
CREATE INDEX inbox_by_applied ON inbox (applied);

-- +goose Down
DROP INDEX inbox_by_applied;
