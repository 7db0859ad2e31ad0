package eureka

import (
	"encoding/json"
	"maps"
	"net"
	"strconv"
	"strings"
	"time"

	"eventprospect/services/registry/internal/registry"
)

// The bounds of a lease. Netflix has none: a shorter one would be lost to any pause, a longer one would keep the dead for a day.
const (
	minTerm = time.Second
	maxTerm = time.Hour
)

// maxWeight is the registry's contract's.
const maxWeight = 1000

// metadataPort is where an instance serves gRPC, if not at its port: the metadata's key of grpc-spring (net.devh) and, proposed, of
// Spring gRPC.
const metadataPort = "gRPC_port"

// metadataPorts are all keys that are in use: grpc-spring's, its former one, and that of LogNet's starter.
func metadataPorts() []string { return []string{metadataPort, "gRPC.port", "grpc.port"} }

// detailsVersion is that of details. Who finds another shows the instance as if it had joined natively.
const detailsVersion = 1

// details are what a registry.Instance keeps in its Details: what Eureka knows of an instance and the registry doesn't, in Eureka's own
// JSON, without metadata and what this face sets. Times and leases of an instance stand in the registry.
type details struct {
	Version  int            `json:"v"`
	Instance detailInstance `json:"instance"`
}

type detailInstance struct {
	info
	Metadata   *struct{} `json:"metadata,omitempty"`         // stands in the registry's own
	App        *struct{} `json:"app,omitempty"`              // is the service
	InstanceID *struct{} `json:"instanceId,omitempty"`       // is the id
	Status     *struct{} `json:"status,omitempty"`           // is the registry's
	Overridden *struct{} `json:"overriddenStatus,omitempty"` // is the registry's
	ActionType *struct{} `json:"actionType,omitempty"`
}

func encodeDetails(i *info) ([]byte, error) {
	return json.Marshal(details{detailsVersion, detailInstance{info: *i}})
}

// decodeDetails gives nil for what this version doesn't know.
func decodeDetails(text []byte) *info {
	var d details
	if json.Unmarshal(text, &d) != nil || d.Version != detailsVersion || d.Instance.DataCenter == nil {
		return nil
	}
	return &d.Instance.info
}

// keyOf names an instance of an application.
func keyOf(app, id string) registry.Key {
	return registry.Key{Service: strings.ToLower(app), ID: id}
}

// toInstance makes what the registry keeps, and its term.
func toInstance(i *info) (registry.Instance, time.Duration, error) {
	term := min(max(time.Duration(i.Lease.Duration)*time.Second, minTerm), maxTerm)
	i.Lease.Duration = int32(term / time.Second)
	text, err := encodeDetails(i)
	if err != nil {
		return registry.Instance{}, 0, err
	}
	instance := registry.Instance{
		Key: keyOf(i.App, i.InstanceID), Reported: toStatus(i.Status), Metadata: i.Metadata, Details: text, Leased: true,
	}
	derive(&instance, i)
	return instance, term, nil
}

// derive sets what the rest of the mesh goes by and Eureka has no field for.
func derive(instance *registry.Instance, i *info) {
	instance.Address = net.JoinHostPort(strings.Trim(i.IPAddr, "[]"), strconv.Itoa(int(servingPort(i, instance.Metadata))))
	instance.Zone = instance.Metadata["zone"]
	if instance.Zone == "" {
		instance.Zone = i.DataCenter.Metadata["availability-zone"]
	}
	instance.Weight = 0
	if weight, err := strconv.ParseUint(instance.Metadata["weight"], 10, 32); err == nil {
		instance.Weight = uint32(min(weight, maxWeight))
	}
}

func servingPort(i *info, values map[string]string) uint16 {
	for _, key := range metadataPorts() {
		if number, err := strconv.ParseUint(values[key], 10, 16); err == nil && number > 0 {
			return uint16(number)
		}
	}
	if !i.Port.Enabled && i.SecurePort.Enabled {
		return i.SecurePort.Number
	}
	return i.Port.Number
}

// fromInstance shows an instance, however it came. Nobody changes the metadata.
func fromInstance(instance registry.Instance) *info {
	var i *info
	if instance.Leased {
		i = decodeDetails(instance.Details)
	}
	if i == nil {
		i = native(instance)
	}
	i.InstanceID, i.App = instance.ID, strings.ToUpper(instance.Service)
	i.Status, i.OverriddenStatus = fromStatus(instance.Status()), fromStatus(instance.Override)
	if i.Metadata == nil {
		i.Metadata = instance.Metadata
	}
	i.LastUpdated = instance.UpdateTime.UnixMilli()
	if i.LastDirty == 0 {
		i.LastDirty = i.LastUpdated
	}
	i.Lease.Registration, i.Lease.ServiceUp = instance.JoinTime.UnixMilli(), instance.JoinTime.UnixMilli()
	i.Lease.LastRenewal = i.LastUpdated
	i.ActionType = added
	return i
}

// native shows an instance that joined by another face as a Eureka client would have registered it.
func native(instance registry.Instance) *info {
	host, number := instance.Address, uint64(0)
	if h, p, err := net.SplitHostPort(instance.Address); err == nil {
		host = h
		number, _ = strconv.ParseUint(p, 10, 16) // 0 for a port with a name
	}
	values := maps.Clone(instance.Metadata)
	if values == nil {
		values = metadata{}
	}
	setDefault(values, metadataPort, strconv.FormatUint(number, 10))
	if instance.Zone != "" {
		setDefault(values, "zone", instance.Zone)
	}
	if instance.Weight != 0 {
		setDefault(values, "weight", strconv.FormatUint(uint64(instance.Weight), 10))
	}
	return &info{
		HostName: host, IPAddr: host, Port: port{uint16(number), true}, SecurePort: port{443, false}, CountryID: defaultCountry,
		DataCenter: &dataCenter{Class: classDataCenter, Name: myOwn}, VIP: instance.Service, SecureVIP: instance.Service,
		Lease: lease{Renewal: defaultRenewal, Duration: defaultDuration}, Metadata: values,
	}
}

func setDefault(values map[string]string, key, value string) {
	if _, set := values[key]; !set {
		values[key] = value
	}
}

func toStatus(s string) registry.Status {
	switch s {
	case "UP":
		return registry.Up
	case "DOWN":
		return registry.Down
	case "STARTING":
		return registry.Starting
	case "OUT_OF_SERVICE":
		return registry.OutOfService
	default:
		return registry.Unknown
	}
}

// fromStatus says UNKNOWN for no status, as Eureka does where nothing is overridden.
func fromStatus(s registry.Status) string {
	switch s {
	case registry.Up:
		return "UP"
	case registry.Down:
		return "DOWN"
	case registry.Starting:
		return "STARTING"
	case registry.OutOfService:
		return "OUT_OF_SERVICE"
	default:
		return "UNKNOWN"
	}
}
