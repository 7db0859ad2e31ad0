package app_test

import (
	"io"
	"net/http"
	"regexp"
	"slices"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	prospectv1 "eventprospect/gen/prospect/v1"
	"eventprospect/mesh/meshtest"
	"eventprospect/services/prospect/app"
)

// TestKafkaAway has changes accepted while Kafka is away, up to the bound, and then refused. Operators see what waits. When Kafka is there all
// is published, and changes are accepted again.
func TestKafkaAway(t *testing.T) {
	t.Parallel()
	const bound = 3
	issuer := meshtest.NewIssuer(t)
	cfg := config(t, issuer)
	kafka, later := cfg.Kafka.Brokers[0], meshtest.Listen(t)
	later.Close() // nobody answers there for now
	cfg.Kafka.Brokers, cfg.Outbox.MaxWaiting = []string{later.Addr().String()}, bound
	p := meshtest.Run(t, "prospect", cfg, app.Bind)
	conn := plain(t, p.Address)
	client, operators := prospectv1.NewProspectServiceClient(conn), prospectv1.NewOutboxServiceClient(conn)
	for range bound {
		if err := create(t, client, issuer, ""); err != nil {
			t.Fatal(err)
		}
	}
	wantExhausted(t, create(t, client, issuer, ""))
	list, err := client.ListProspects(meshtest.As(t, issuer.Token("reader")), &prospectv1.ListProspectsRequest{})
	if err != nil || len(list.GetProspects()) != bound {
		t.Errorf("%v, error %v: want to read what there is", list, err)
	}
	waiting, err := operators.GetOutbox(meshtest.As(t, issuer.Token("admin")), &prospectv1.GetOutboxRequest{})
	if err != nil || waiting.GetWaitingCount() != bound || waiting.GetMaxWaitingCount() != bound {
		t.Errorf("%v, error %v", waiting, err)
	}
	if got, want := waiting.GetOldestTime().AsTime(), list.GetProspects()[0].GetCreateTime().AsTime(); !got.Equal(want) {
		t.Errorf("the oldest is of %v, want %v", got, want)
	}
	wantReady(t, p.Admin, http.StatusServiceUnavailable, "kafka")
	wantMetrics(t, p.Admin, "outbox_waiting", "outbox_oldest_age_seconds")
	forward(t, later.Addr().String(), kafka)
	wantReady(t, p.Admin, http.StatusOK, "kafka")
	for deadline := time.Now().Add(meshtest.Patience); create(t, client, issuer, "") != nil; {
		if time.Now().After(deadline) {
			t.Fatal("still no room")
		}
	}
	wantMetrics(t, p.Admin, "messaging_client_sent_messages_total")
	there := map[string]bool{}
	for _, record := range read(t, cfg, bound+1) {
		there[string(record.Key)] = true
	}
	for _, prospect := range list.GetProspects() {
		if !there[prospect.GetId()] {
			t.Errorf("%s isn't on the topic", prospect.GetId())
		}
	}
}

// wantMetrics waits until all of these have values other than zero.
func wantMetrics(t *testing.T, admin string, names ...string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: meshtest.Patience}
	var body []byte
	for deadline := time.Now().Add(meshtest.Patience); time.Now().Before(deadline); {
		response, err := client.Get("http://" + admin + "/metrics")
		if err != nil {
			continue
		}
		body, _ = io.ReadAll(response.Body)
		response.Body.Close()
		if !slices.ContainsFunc(names, func(name string) bool {
			return !regexp.MustCompile(`(?m)^` + name + `(\{.*\})? ([1-9]|0\.)`).Match(body)
		}) {
			return
		}
	}
	t.Fatalf("no %s in %s", names, body)
}

func wantExhausted(t *testing.T, err error) {
	t.Helper()
	answer := status.Convert(err)
	if answer.Code() != codes.ResourceExhausted || answer.Message() != "3 changes wait to be published: try again later" {
		t.Errorf("error %v", err)
	}
	for _, detail := range answer.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok && info.GetRetryDelay().AsDuration() > 0 {
			return
		}
	}
	t.Errorf("%v doesn't say when to try again", err)
}
