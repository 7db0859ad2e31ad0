package mongodb

import (
	"testing"

	"eventprospect/mesh/meshtest"
	"eventprospect/services/prospect/internal/store/storetest"
)

// newDatabase gives the address of an empty database, which goes with the test.
func newDatabase(t testing.TB) string {
	server := meshtest.Database(t, "EVENTPROSPECT_TEST_MONGODB")
	address := meshtest.WithName(t, server, meshtest.NewName())
	t.Cleanup(func() {
		s, err := Open(meshtest.Background(t), address)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := s.prospects.Database().Drop(meshtest.Background(t)); err != nil {
			t.Error(err)
		}
	})
	return address
}

func engine(t *testing.T) func() storetest.Store {
	address := newDatabase(t)
	return func() storetest.Store {
		s, err := Open(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, engine)
}
