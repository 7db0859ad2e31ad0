package stream

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/oauth"

	"eventprospect/mesh/conf"
	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/mtls"
)

// secured is an Apache Kafka that asks who comes and goes by its ACLs, but for its administrator.
type secured struct {
	apache
	at *url.URL
}

func newSecured(t *testing.T) secured {
	t.Helper()
	at := parsed(t, meshtest.Database(t, "EVENTPROSPECT_TEST_KAFKA_SECURE"))
	return secured{apacheAt(t, at.Host), at}
}

// plain is the user that PLAIN knows.
func (k secured) plain() SASLConfig {
	password, _ := k.at.User.Password()
	return SASLConfig{mechanismPlain, k.at.User.Username(), conf.Secret(password)}
}

// user makes a user of SCRAM for the test, and returns when every broker knows it.
func (k secured) user(t *testing.T, name, mechanism string) SASLConfig {
	t.Helper()
	name = k.cfg.Topic + "-" + name
	kind := map[string]kadm.ScramMechanism{mechanismScram256: kadm.ScramSha256, mechanismScram512: kadm.ScramSha512}[mechanism]
	answers, err := k.admin.AlterUserSCRAMs(within(t), nil, []kadm.UpsertSCRAM{{User: name, Mechanism: kind, Iterations: 4096, Password: password}})
	if err != nil || answers.Error() != nil {
		t.Fatal(err, answers.Error())
	}
	t.Cleanup(func() {
		_, _ = k.admin.AlterUserSCRAMs(meshtest.Background(t), []kadm.DeleteSCRAM{{User: name, Mechanism: kind}}, nil)
	})
	known := SASLConfig{mechanism, name, password}
	cfg := k.by(known)
	client := k.client(t, kgo.SeedBrokers(cfg.Brokers...), kgo.SASL(known.mechanism()))
	eventually(t, name+" is known", func() bool { return client.Ping(within(t)) == nil })
	return known
}

// by gives the settings of who comes by SASL in plaintext.
func (k secured) by(who SASLConfig) Config {
	cfg := k.cfg
	cfg.Brokers, cfg.SASL = []string{k.at.Query().Get("sasl")}, who
	return cfg
}

// byTLS gives the settings of who comes by SASL and TLS.
func (k secured) byTLS(who SASLConfig) Config {
	cfg := k.by(who)
	cfg.Brokers = []string{k.at.Query().Get("tls")}
	cfg.TLS = mtls.ClientConfig{Enabled: true, CAFile: k.at.Query().Get("ca")}
	return cfg
}

func TestRealMessagesGoByEveryMechanism(t *testing.T) {
	t.Parallel()
	for _, mechanism := range []string{mechanismPlain, mechanismScram256, mechanismScram512} {
		for way, with := range map[string]func(secured, SASLConfig) Config{"SASL_PLAINTEXT": secured.by, "SASL_SSL": secured.byTLS} {
			t.Run(mechanism+" over "+way, func(t *testing.T) {
				t.Parallel()
				k := newSecured(t)
				who := k.plain()
				if mechanism != mechanismPlain {
					who = k.user(t, "both", mechanism)
				}
				k.allow(t, k.needed(who.User, who.User)...)
				k.topics(t)
				cfg := with(k, who)
				if err := cfg.Validate(); err != nil {
					t.Fatal(err)
				}
				f := k.startFlow(t, cfg, cfg)
				f.send()
				f.wantCarried(t)
			})
		}
	}
}

func TestRealWhoIsNotKnownIsToldOnce(t *testing.T) {
	t.Parallel()
	k := newSecured(t)
	scram := k.user(t, "scram", mechanismScram256)
	wrong := func(who SASLConfig) SASLConfig { who.Password = "wrong"; return who }
	other := func(who SASLConfig, mechanism string) SASLConfig { who.Mechanism = mechanism; return who }
	const unknown = "check kafka.sasl.user and kafka.sasl.password"
	plaintext := k.cfg
	plaintext.SASL = scram
	alone := k.cfg
	alone.TLS = k.byTLS(scram).TLS
	foreign := k.byTLS(scram)
	foreign.TLS.CAFile = meshtest.NewAuthority(t).Files("x").CA
	for name, c := range map[string]struct {
		cfg  Config
		want string
	}{
		"PLAIN, wrong password":        {k.by(wrong(k.plain())), unknown},
		"PLAIN by TLS, wrong password": {k.byTLS(wrong(k.plain())), unknown},
		"SCRAM, wrong password":        {k.by(wrong(scram)), unknown},
		"SCRAM by TLS, wrong password": {k.byTLS(wrong(scram)), unknown},
		"SCRAM, unknown user":          {k.by(SASLConfig{mechanismScram512, "nobody", "wrong"}), unknown},
		"the user's other SCRAM":       {k.by(other(scram, mechanismScram512)), "has a SCRAM-SHA-512 password"},
		"no SASL":                      {k.by(SASLConfig{}), "or kafka.sasl or kafka.tls is not as they want it"},
		"no SASL by TLS":               {k.byTLS(SASLConfig{}), "or kafka.sasl or kafka.tls is not as they want it"},
		"SASL that nobody wants":       {plaintext, "the brokers want no SASL here: check kafka.brokers and kafka.sasl"},
		"TLS that nobody speaks":       {alone, "or kafka.sasl or kafka.tls is not as they want it"},
		"TLS below SASL, the same":     {toward(k.byTLS(scram), k.by(scram)), "check kafka.sasl.user, kafka.sasl.password and kafka.tls"},
		"TLS that is wanted":           {toward(k.by(scram), k.byTLS(scram)), "the brokers want TLS: check kafka.brokers and kafka.tls"},
		"another authority":            {foreign, "check kafka.tls.ca_file and kafka.brokers: x509: certificate signed by unknown authority"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := &journalled{}
			relay := k.relay(t, c.cfg, &queue{}, log.logger())
			wantTold(t, relay.Ready, log, 1, c.want)
			if text := log.String(); strings.Contains(text, "wrong\"") || strings.Contains(text, password) {
				t.Errorf("the log tells the password: %s", text)
			}
		})
	}
}

// toward gives settings with the brokers of others.
func toward(cfg, others Config) Config {
	cfg.Brokers = others.Brokers
	return cfg
}

// wantTold checks that who lacks something isn't ready, and has told so once more than before, however often it is asked.
func wantTold(t *testing.T, ready func(context.Context) error, log *journalled, times int, want string) {
	t.Helper()
	told := func() int { return strings.Count(log.String(), "kafka is not usable") }
	eventually(t, "it isn't ready: "+want, func() bool { return ready(within(t)) != nil && told() >= times })
	for range 3 {
		if ready(within(t)) == nil {
			t.Error("ready")
		}
	}
	if told() != times || strings.Count(log.String(), want) != times {
		t.Errorf("logged %s, want %d times %q", log, times, want)
	}
}

// TestRealBrokersThatDontSpeakAMechanism asks for one that no setting allows, because the brokers have all others.
func TestRealBrokersThatDontSpeakAMechanism(t *testing.T) {
	t.Parallel()
	cfg := newSecured(t).by(SASLConfig{Mechanism: "OAUTHBEARER"})
	log, err := attempt(t, cfg, kgo.SASL(oauth.Auth{Token: "token"}.AsMechanism()))
	if err == nil || !strings.Contains(log, "the brokers don't speak OAUTHBEARER: check kafka.sasl.mechanism") {
		t.Errorf("error %v, logged %s", err, log)
	}
}

// attempt prepares the topics as a relay does, once, and gives what is logged.
func attempt(t *testing.T, cfg Config, more ...kgo.Opt) (string, error) {
	t.Helper()
	log := &journalled{}
	client, _, err := newClient(cfg, telling(t, log.logger()), more...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	c := newCluster(client, cfg, publishing(cfg), log.logger())
	err = c.prepare(within(t))
	c.note(err)
	return log.String(), err
}
