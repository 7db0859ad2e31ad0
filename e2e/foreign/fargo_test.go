package foreign_test

import (
	"fmt"
	"testing"

	"github.com/hudl/fargo"
	"github.com/op/go-logging"

	registryv1 "eventprospect/gen/registry/v1"
)

// TestFargoTakesTheRegistryForEureka uses a Eureka client for Go, in both of its formats.
func TestFargoTakesTheRegistryForEureka(t *testing.T) {
	t.Parallel()
	logging.SetLevel(logging.CRITICAL, "fargo") // it tells what it does, step by step
	r := newRegistry(t, lasting)
	r.join(t, "event", "event-1", "127.0.0.1:8080")
	for name, json := range map[string]bool{"XML": false, "JSON": true} {
		t.Run(name, func(t *testing.T) {
			client := fargo.NewConn("http://" + r.address + "/eureka/v2")
			client.UseJson = json
			useFargo(t, r, &client, "fargo-"+name)
		})
	}
}

// useFargo goes through the life of an instance.
func useFargo(t *testing.T, r *registry, client *fargo.EurekaConnection, id string) {
	t.Helper()
	instance := &fargo.Instance{
		InstanceId: id, HostName: "localhost", App: "FARGO", IPAddr: "127.0.0.1", VipAddress: "fargo", Status: fargo.UP,
		Port: 7000, PortEnabled: true, DataCenterInfo: fargo.DataCenterInfo{Name: fargo.MyOwn},
		LeaseInfo: fargo.LeaseInfo{RenewalIntervalInSecs: 5, DurationInSecs: 15},
	}
	instance.SetMetadataString("language", "Go")
	must(t, "register", client.RegisterInstance(instance))
	if found := r.mustHaveUp(t, "fargo", id); found.GetAddress() != "127.0.0.1:7000" || found.GetMetadata()["language"] != "Go" {
		t.Errorf("registered as %v", found)
	}
	must(t, "heartbeat", client.HeartBeatInstance(instance))
	findNative(t, client)

	must(t, "status", client.UpdateInstanceStatus(instance, fargo.OUTOFSERVICE))
	mustBeTold(t, client, id, func(i *fargo.Instance) bool { return i.Status == fargo.OUTOFSERVICE })
	if found, err := r.find(t, "fargo", id); err != nil || found.GetStatus() != registryv1.Instance_OUT_OF_SERVICE {
		t.Errorf("natively it is %v, error %v", found, err)
	}
	must(t, "status", client.UpdateInstanceStatus(instance, fargo.UP))
	r.mustHaveUp(t, "fargo", id)

	must(t, "metadata", client.AddMetadataString(instance, "color", "green"))
	mustBeTold(t, client, id, func(i *fargo.Instance) bool {
		color, err := i.Metadata.GetString("color")
		return err == nil && color == "green"
	})
	must(t, "deregister", client.DeregisterInstance(instance))
	r.mustForget(t, "fargo", id)
	if err := client.HeartBeatInstance(instance); err == nil {
		t.Error("a heartbeat of an instance that is gone is taken")
	}
}

// findNative looks for the instance that joined by the native face, by each way to ask.
func findNative(t *testing.T, client *fargo.EurekaConnection) {
	t.Helper()
	apps, err := client.GetApps()
	must(t, "apps", err)
	byName, err := client.GetApp("EVENT")
	must(t, "app", err)
	byAddress, err := client.GetInstancesByVIPAddress("event", false, fargo.ThatAreUp)
	must(t, "vip address", err)
	all := map[string][]*fargo.Instance{"app": byName.Instances, "vip address": byAddress}
	if apps["EVENT"] != nil {
		all["apps"] = apps["EVENT"].Instances
	}
	if len(all) != 3 {
		t.Errorf("no EVENT in %v", apps)
	}
	for how, found := range all {
		if len(found) != 1 || found[0].InstanceId != "event-1" || found[0].App != "EVENT" || found[0].Status != fargo.UP ||
			found[0].IPAddr != "127.0.0.1" || found[0].Port != 8080 || !found[0].PortEnabled {
			t.Errorf("by %s: found %d: %+v", how, len(found), found)
		}
	}
}

// mustBeTold waits until an answer about an instance is as it should be.
func mustBeTold(t *testing.T, client *fargo.EurekaConnection, id string, good func(*fargo.Instance) bool) {
	t.Helper()
	eventually(t, "news of "+id, func() error {
		found, err := client.GetInstance("FARGO", id)
		if err != nil {
			return err
		}
		if !good(found) {
			return fmt.Errorf("it is %+v, with metadata %s", found, found.Metadata.Raw)
		}
		return nil
	})
}

func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}
