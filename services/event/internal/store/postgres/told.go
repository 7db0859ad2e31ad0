package postgres

import (
	"context"
	"time"

	"eventprospect/mesh/fault"
	"eventprospect/mesh/postgres"
	"eventprospect/services/event/internal/event"
)

// batch are the rows of a batch, in arrays: the statement has the same text, and takes one round trip, whatever their number.
// Remembered are those messages that are new.
const batch = `
WITH told AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::bigint[])
        AS told (message_id, ` + columns + `)
), remembered AS (
    INSERT INTO inbox (message_id, applied) SELECT message_id, created FROM told ORDER BY message_id
    ON CONFLICT DO NOTHING RETURNING message_id
)
INSERT INTO events (` + columns + `) SELECT ` + columns + ` FROM told `

const (
	// apply is one statement, so one round trip and one commit: the events are added of those messages that are new.
	apply = batch + `JOIN remembered USING (message_id) ORDER BY message_id`
	// applyAgain leaves out events that are there because their messages were forgotten: event.Told.Became. Nobody adds one of them
	// beside it without its row of the inbox.
	applyAgain = batch + `JOIN remembered USING (message_id) WHERE NOT EXISTS (SELECT FROM events AS e
    WHERE e.id = told.id AND e.kind = told.kind AND e.prospect_id = told.prospect_id) ORDER BY message_id`
	// restore adds them whether or not they are. The count needs all rows of the inbox: they are locked before those of events, as by apply.
	restore = batch + `WHERE (SELECT count(*) FROM remembered) >= 0 ORDER BY message_id ON CONFLICT DO NOTHING`
)

// Apply implements event.Store.
func (s *Store) Apply(ctx context.Context, told ...event.Told) (int, error) {
	added, err := s.tell(ctx, apply, told)
	if fault.Is(err, fault.AlreadyExists) { // it is rare, so that it costs the others nothing
		return s.tell(ctx, applyAgain, told)
	}
	return added, err
}

// Restore implements event.Store.
func (s *Store) Restore(ctx context.Context, told ...event.Told) (int, error) {
	return s.tell(ctx, restore, told)
}

// tell runs a statement with the rows of a batch, and tells how many events were added.
func (s *Store) tell(ctx context.Context, statement string, told []event.Told) (added int, err error) {
	told = event.InTurn(told)
	args := arrays(told)
	err = postgres.Bounded(ctx, func(ctx context.Context) error {
		tag, err := s.pool.Exec(ctx, statement, args...)
		if postgres.IsDuplicate(err) {
			return event.AnyTaken(told).Because(err)
		}
		added = int(tag.RowsAffected())
		return err
	})
	if err != nil {
		return 0, err
	}
	return added, nil
}

// arrays gives the arguments of a statement: the column of message ids, and those of events.
func arrays(told []event.Told) []any {
	var messages, ids, names, dates, kinds, prospects []string
	var created, updated []time.Time
	var versions []int64
	for _, t := range told {
		messages, ids, names, dates = append(messages, t.MessageID), append(ids, t.ID), append(names, t.Name), append(dates, t.Date)
		kinds, prospects = append(kinds, string(t.Kind)), append(prospects, t.ProspectID)
		created, updated, versions = append(created, t.Created), append(updated, t.Updated), append(versions, t.Version)
	}
	return []any{messages, ids, names, dates, kinds, prospects, created, updated, versions}
}
