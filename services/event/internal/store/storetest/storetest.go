// Package storetest holds what every event.Store promises, one function a promise.
package storetest

import (
	"testing"
	"time"

	"eventprospect/services/event/internal/event"
)

// Store is a store that can be closed.
type Store interface {
	event.Store
	Close() error
}

// Engine makes an empty database for the time of the test, and returns how to open it, any number of times.
type Engine func(t *testing.T) (open func() Store)

// Run runs the suite.
func Run(t *testing.T, engine Engine) {
	promises := map[string]func(*testing.T, func() Store){
		"get-missing":                 getMissing,
		"get-keeps-order":             getKeepsOrder,
		"create-twice":                createTwice,
		"update-missing":              updateMissing,
		"update-error-leaves-nothing": updateErrorLeavesNothing,
		"update-concurrent-all-apply": updateConcurrentAllApply,
		"one-winner-per-etag":         oneWinnerPerETag,
		"delete-missing":              deleteMissing,
		"delete-refused-leaves-it":    deleteRefusedLeavesIt,
		"list-pages-cover-all-once":   listPagesCoverAllOnce,
		"get-none":                    getNone,
		"list-filters":                listFilters,
		"list-after-any-place":        listAfterAnyPlace,
		"ids-are-compared-exactly":    idsAreComparedExactly,
		"first-and-last-year":         firstAndLastYear,
		"longest-text-fits":           longestTextFits,
		"zero-character-is-nowhere":   zeroCharacterIsNowhere,
		"time-zone-and-microseconds":  timeZoneAndMicroseconds,
		"empty-and-unicode-text":      emptyAndUnicodeText,
		"cancelled-context":           cancelledContext,
		"apply-once":                  applyOnce,
		"apply-concurrent-once":       applyConcurrentOnce,
		"apply-error-forgets-message": applyErrorForgetsMessage,
		"apply-batch-all-or-nothing":  applyBatchAllOrNothing,
		"apply-batch-with-repeats":    applyBatchWithRepeats,
		"apply-batch-partly-known":    applyBatchPartlyKnown,
		"apply-large-batch":           applyLargeBatch,
		"apply-batches-concurrent":    applyBatchesConcurrent,
		"apply-and-restore-nothing":   applyAndRestoreNothing,
		"restore-what-is-missing":     restoreWhatIsMissing,
		"restore-large-batch":         restoreLargeBatch,
		"restore-remembers-messages":  restoreRemembersMessages,
		"restore-beside-apply":        restoreBesideApply,
		"apply-refuses-anothers-id":   applyRefusesAnothersID,
		"apply-after-forget":          applyAfterForget,
		"apply-after-forget-alone":    applyAfterForgetAlone,
		"forget-the-oldest-first":     forgetTheOldestFirst,
		"forget-none-newer":           forgetNoneNewer,
		"forget-beside-apply":         forgetBesideApply,
		"restart-keeps-everything":    restartKeepsEverything,
	}
	for name, promise := range promises {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			promise(t, engine(t))
		})
	}
}

// Queries are the ways in which the service lists; an engine shows that each uses an index.
func Queries() map[string]event.Query {
	after := event.Place{Created: time.UnixMicro(1).UTC(), ID: "a"}
	return map[string]event.Query{
		"all":         {Limit: 20},
		"all-after":   {After: after, Limit: 20},
		"by-kind":     {Filter: event.Filter{Kind: event.Planned}, After: after, Limit: 20},
		"by-date":     {Filter: event.Filter{Date: "2026-11-23"}, After: after, Limit: 20},
		"by-prospect": {Filter: event.Filter{ProspectID: "p"}, After: after, Limit: 20},
	}
}

// now is a time that has microseconds.
var now = time.Date(2026, 11, 23, 10, 20, 30, 123456000, time.UTC)

// sample makes an event that is like no other, seconds after the first.
func sample(id string, seconds int) event.Event {
	at := now.Add(time.Duration(seconds) * time.Second)
	return event.Event{ID: id, Name: "name of " + id, Date: "2026-11-23", Kind: event.Planned, Created: at, Updated: at, Version: 1}
}

func create(t *testing.T, s event.Store, events ...event.Event) {
	t.Helper()
	for _, e := range events {
		if err := s.Create(t.Context(), e); err != nil {
			t.Fatalf("create %s: %v", e.ID, err)
		}
	}
}

func get(t *testing.T, s event.Store, id string) event.Event {
	t.Helper()
	found, err := s.Get(t.Context(), id)
	if err != nil {
		t.Fatalf("get %s: %v", id, err)
	}
	return found[0]
}

func opened(t *testing.T, open func() Store) Store {
	t.Helper()
	s := open()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}
