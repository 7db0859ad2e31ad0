package app_test

import (
	"context"
	"strings"
	"testing"

	"eventprospect/mesh"
	"eventprospect/mesh/conf"
	"eventprospect/mesh/meshtest"
	"eventprospect/services/registry/app"
)

// What a registry knew it knows again when it comes back, before the instances have said a word.
func TestARegistryRemembers(t *testing.T) {
	t.Parallel()
	store := conf.Secret("etcd:" + t.TempDir())
	first := start(t, func(c *app.Config) { c.Store = store })
	first.join(t, instance("event", "a"))
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	start(t, func(c *app.Config) { c.Store = store }).wantListed(t, "a")
}

func TestAStoreThatIsNoneIsNamed(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{"", "etcd", "etcd:", "sqlite:registry.db", "memory:x"} {
		cfg := config(meshtest.NewIssuer(t))
		cfg.Store = conf.Secret(setting)
		err := mesh.Run(context.Background(), "registry", cfg, app.Bind, mesh.WithLog(t.Output()))
		if err == nil || !strings.Contains(err.Error(), "store: must be memory:, etcd:FOLDER, or etcd://") {
			t.Errorf("%q: error %v", setting, err)
		}
	}
}
