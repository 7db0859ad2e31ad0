package memory_test

import (
	"testing"

	"go.uber.org/goleak"

	"eventprospect/services/registry/internal/registry"
	"eventprospect/services/registry/internal/store/memory"
	"eventprospect/services/registry/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) func() registry.Store {
		m := memory.New()
		return func() registry.Store { return m }
	})
}
