package mongodb

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"eventprospect/services/prospect/internal/store/storetest"
)

// isReplicaSet tells whether the server is a member of a replica set.
func isReplicaSet(t testing.TB, s *Store) bool {
	t.Helper()
	var answer struct {
		SetName string `bson:"setName"`
	}
	if err := s.prospects.Database().RunCommand(t.Context(), bson.D{{Key: "isMaster", Value: 1}}).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return answer.SetName != ""
}

// isStandIn tells whether the server is not MongoDB but speaks its language (mongo-java-server), and if so says what of the
// test it can't show. MongoDB names the commit that it was built from.
func isStandIn(t testing.TB, s *Store, lacks string) bool {
	t.Helper()
	var answer struct {
		GitVersion string `bson:"gitVersion"`
	}
	if err := s.prospects.Database().RunCommand(t.Context(), bson.D{{Key: "buildInfo", Value: 1}}).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if answer.GitVersion == "" {
		t.Logf("NOT SHOWN: the server is a stand-in for MongoDB: it has no %s", lacks)
	}
	return answer.GitVersion == ""
}

func TestIndexes(t *testing.T) {
	t.Parallel()
	s := openAt(t, newDatabase(t), options.Client())
	cursor, err := s.prospects.Indexes().List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var found []struct {
		Key    bson.D `bson:"key"`
		Sparse bool   `bson:"sparse"`
	}
	if err := cursor.All(t.Context(), &found); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{} // whether it is sparse
	for _, index := range found {
		var keys []string
		for _, k := range index.Key {
			keys = append(keys, k.Key)
		}
		got[strings.Join(keys, " ")] = index.Sparse
	}
	want := map[string]bool{
		"_id": false, "deleted created _id": false, "filedWork deleted created _id": false, "idEvent deleted created _id": false, "waiting": true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestQueriesUseAnIndex asks the server how it would answer: out of an index, without sorting. An index that is sparse can be
// used for the messages because the claim asks for prospects that have what it holds.
func TestQueriesUseAnIndex(t *testing.T) {
	t.Parallel()
	s := openAt(t, newDatabase(t), options.Client())
	if isStandIn(t, s, "explain, so no plan of a query can be seen") {
		return
	}
	queries := map[string]bson.D{
		"claim": {{Key: "find", Value: "prospects"}, {Key: "filter", Value: claimable("relay", time.Now())}, {Key: "sort", Value: bson.D{{Key: "waiting", Value: 1}}}, {Key: "limit", Value: 500}},
	}
	for name, q := range storetest.Queries() {
		queries["list "+name] = bson.D{{Key: "find", Value: "prospects"}, {Key: "filter", Value: listFilter(q)}, {Key: "sort", Value: order}, {Key: "limit", Value: q.Limit}}
		queries["count "+name] = bson.D{{Key: "count", Value: "prospects"}, {Key: "query", Value: conditions(q.Filter)}}
	}
	for name, query := range queries {
		var answer struct {
			QueryPlanner struct {
				WinningPlan bson.Raw `bson:"winningPlan"`
			} `bson:"queryPlanner"`
		}
		explain := bson.D{{Key: "explain", Value: query}, {Key: "verbosity", Value: "queryPlanner"}}
		if err := s.prospects.Database().RunCommand(t.Context(), explain).Decode(&answer); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		plan := strings.ReplaceAll(answer.QueryPlanner.WinningPlan.String(), " ", "")
		indexed := strings.Contains(plan, `"stage":"IXSCAN"`) || strings.Contains(plan, `"stage":"COUNT_SCAN"`)
		if !indexed || strings.Contains(plan, `"stage":"COLLSCAN"`) || strings.Contains(plan, `"stage":"SORT"`) {
			t.Errorf("%s: %s", name, plan)
		}
	}
}

// TestWritesAreSafe looks at what the server is told to wait for.
func TestWritesAreSafe(t *testing.T) {
	t.Parallel()
	sent := &commands{}
	s := openAt(t, newDatabase(t), options.Client().SetMonitor(sent.monitor()))
	all(t.Context(), s, func(string, time.Duration, error) {})
	isStandIn(t, s, "journal and no majority; what it is asked for is seen")
	for _, name := range []string{"insert", "update", "delete"} {
		var c struct {
			WriteConcern struct {
				W string `bson:"w"`
				J bool   `bson:"j"`
			} `bson:"writeConcern"`
		}
		if err := bson.Unmarshal(sent.last(name), &c); err != nil || c.WriteConcern.W != "majority" || !c.WriteConcern.J {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
}

// TestWritesAreRetriedWhereTheServerCan looks at what is sent: a write has a number, by which the server knows the same write again,
// if the server is a member of a replica set. A standalone server would refuse the number. A renewal is of
// many prospects at once and can't have one: the relay renews again soon.
func TestWritesAreRetriedWhereTheServerCan(t *testing.T) {
	t.Parallel()
	sent := &commands{}
	s := openAt(t, newDatabase(t), options.Client().SetMonitor(sent.monitor()))
	for name, call := range calls(s) {
		if name != "renew" {
			_ = call(t.Context())
		}
	}
	want := isReplicaSet(t, s)
	if !want {
		t.Log("the server is standalone: no write has a number")
	}
	for _, name := range []string{"insert", "update", "delete"} {
		if _, err := sent.last(name).LookupErr("txnNumber"); (err == nil) != want {
			t.Errorf("%s: %v, want a number: %v", name, sent.last(name), want)
		}
	}
}
