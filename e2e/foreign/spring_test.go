package foreign_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"testing"
	"time"
)

// TestASpringBootApplicationTakesTheRegistryForEureka runs an application with Spring Cloud's Eureka client.
func TestASpringBootApplicationTakesTheRegistryForEureka(t *testing.T) {
	t.Parallel()
	jar := prepared(t, "EVENTPROSPECT_TEST_SPRING")
	for name, store := range map[string]string{"that outlives a restart": lasting, "that forgets": forgetful} {
		t.Run("with a store "+name, func(t *testing.T) {
			t.Parallel()
			useSpring(t, jar, newRegistry(t, store))
		})
	}
}

// useSpring goes through the life of the application, with a restart of the registry.
func useSpring(t *testing.T, jar string, r *registry) {
	t.Helper()
	r.join(t, "event", "event-1", "127.0.0.1:8080")
	app := run(t, "spring", exec.Command("java", "-Xmx256m", "-jar", jar,
		"--server.port=0", "--spring.application.name=spring",
		"--eureka.client.service-url.defaultZone=http://"+r.address+"/eureka/",
		"--eureka.client.registry-fetch-interval-seconds=1",
		"--eureka.client.initial-instance-info-replication-interval-seconds=0",
		"--eureka.client.instance-info-replication-interval-seconds=1",
		"--eureka.instance.instance-id=spring-1",
		"--eureka.instance.prefer-ip-address=true", "--eureka.instance.ip-address=127.0.0.1",
		"--eureka.instance.lease-renewal-interval-in-seconds=1",
		"--eureka.instance.lease-expiration-duration-in-seconds=10"))

	address := r.mustHaveUp(t, "spring", "spring-1").GetAddress()
	mustDiscover(t, address, "event", "event-1", "127.0.0.1", 8080)
	mustDiscover(t, address, "spring", "spring-1", "127.0.0.1", 0)

	r.restart(func() { mustDiscover(t, address, "event", "event-1", "127.0.0.1", 8080) })
	back := time.Now()
	if again := r.mustHaveUp(t, "spring", "spring-1").GetAddress(); again != address {
		t.Errorf("after the restart it is at %s, before it was at %s", again, address)
	}
	t.Logf("%v after the registry was back, the application was UP", time.Since(back).Round(time.Millisecond))
	r.mustHaveUp(t, "event", "event-1")
	r.join(t, "prospect", "prospect-1", "127.0.0.1:9090") // so that an answer is known to be of the new registry
	mustDiscover(t, address, "prospect", "prospect-1", "127.0.0.1", 9090)
	mustDiscover(t, address, "event", "event-1", "127.0.0.1", 8080)

	app.stop(t)
	r.mustForget(t, "spring", "spring-1")
}

// mustDiscover waits until the application finds one instance of a service; port 0 is any.
func mustDiscover(t *testing.T, address, service, id, host string, port int) {
	t.Helper()
	eventually(t, "the application finds "+id, func() error {
		resp, err := http.Get("http://" + address + "/discovered/" + service)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		var found []struct {
			ID, Host string
			Port     int
		}
		if resp.StatusCode != http.StatusOK {
			return errors.New(resp.Status)
		}
		if err := json.NewDecoder(resp.Body).Decode(&found); err != nil {
			return err
		}
		if len(found) != 1 || found[0].ID != id || found[0].Host != host || port != 0 && found[0].Port != port {
			return fmt.Errorf("it found %v", found)
		}
		return nil
	})
}
