package etcd

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"eventprospect/services/registry/internal/registry"
)

// version is that of the encoding. A reader refuses a greater one.
const version = 1

// record is an instance as it is stored, in JSON.
//
// Registries of different releases read each other's records while one replaces the other. Therefore a field is never
// renamed, nor given another meaning; a new one is optional, and who doesn't know it ignores it, and drops it with its next
// change of the record. The version is raised only when those who don't know the change must not read the record; a release that
// writes it comes after one that reads it. A status that isn't known counts as UNKNOWN. A record that can't be read counts as
// absent, and is replaced by who registers its instance.
type record struct {
	Version  int               `json:"v"`
	Address  string            `json:"address"`
	Status   string            `json:"status"` // what the instance says of itself
	Override string            `json:"override,omitempty"`
	Zone     string            `json:"zone,omitempty"`
	Weight   uint32            `json:"weight,omitempty"`
	Metadata map[string]string `json:"metadata,omitempty"`
	Details  []byte            `json:"details,omitempty"` // base64
	Leased   bool              `json:"leased,omitempty"`
	Joined   time.Time         `json:"joined"` // RFC 3339, UTC, as all times
	Updated  time.Time         `json:"updated"`
	Owner    string            `json:"owner"` // the name of the node that hears from the instance
	Run      string            `json:"run"`   // and its run
	Term     string            `json:"term"`  // as Go writes durations: "10s"
	// Change is unlike that of any other change: whose answer got lost knows its own by it.
	Change string `json:"change"`
}

// run is a node that is alive, in JSON. Its name is in the key.
type run struct {
	Version int    `json:"v"`
	Run     string `json:"run"`
}

// encodeRecord gives a record's bytes, as written by a change. Text that isn't UTF-8 is mended.
func encodeRecord(r registry.Record, change string) ([]byte, error) {
	i := r.Instance
	return json.Marshal(record{
		Version: version, Address: i.Address, Status: statusName(i.Reported), Override: statusName(i.Override), Zone: i.Zone,
		Weight: i.Weight, Metadata: i.Metadata, Details: i.Details, Leased: i.Leased, Joined: i.JoinTime.UTC(), Updated: i.UpdateTime.UTC(),
		Owner: r.Owner.Name, Run: r.Owner.Run, Term: r.Term.String(), Change: change,
	})
}

func decodeRecord(key registry.Key, value []byte, revision int64) (registry.Record, error) {
	var r record
	if err := json.Unmarshal(value, &r); err != nil {
		return registry.Record{}, err
	}
	if err := checkVersion(r.Version); err != nil {
		return registry.Record{}, err
	}
	term, err := time.ParseDuration(r.Term)
	if err != nil {
		return registry.Record{}, err
	}
	return registry.Record{
		Instance: registry.Instance{
			Key: key, Address: r.Address, Reported: statusOf(r.Status), Override: statusOf(r.Override), Zone: r.Zone,
			Weight: r.Weight, Metadata: r.Metadata, Details: r.Details, Leased: r.Leased, JoinTime: r.Joined.UTC(), UpdateTime: r.Updated.UTC(),
		},
		Owner: registry.Node{Name: r.Owner, Run: r.Run}, Term: term, Revision: revision,
	}, nil
}

func encodeRun(n registry.Node) ([]byte, error) { return json.Marshal(run{version, n.Run}) }

func decodeRun(name string, value []byte) (registry.Node, error) {
	var r run
	if err := json.Unmarshal(value, &r); err != nil {
		return registry.Node{}, err
	}
	return registry.Node{Name: name, Run: r.Run}, checkVersion(r.Version)
}

func checkVersion(v int) error {
	if v < 1 || v > version {
		return fmt.Errorf("version %d of the encoding is not one that this release reads", v)
	}
	return nil
}

func statusName(s registry.Status) string {
	switch s {
	case registry.Up:
		return "UP"
	case registry.OutOfService:
		return "OUT_OF_SERVICE"
	case registry.Starting:
		return "STARTING"
	case registry.Down:
		return "DOWN"
	case registry.Unknown:
		return "UNKNOWN"
	}
	return ""
}

func statusOf(name string) registry.Status {
	if name == "" {
		return 0
	}
	for s := registry.Up; s < registry.Unknown; s++ {
		if statusName(s) == name {
			return s
		}
	}
	return registry.Unknown
}

// keys are where things lie.
type keys struct{ prefix string }

func (k keys) all() string       { return k.prefix + "/" }
func (k keys) instances() string { return k.prefix + "/instances/" }
func (k keys) nodes() string     { return k.prefix + "/nodes/" }

func (k keys) instance(key registry.Key) string {
	return k.instances() + url.PathEscape(key.Service) + "/" + url.PathEscape(key.ID)
}

func (k keys) node(name string) string { return k.nodes() + url.PathEscape(name) }

// readInstance tells which instance a key stands for, if any.
func (k keys) readInstance(key string) (registry.Key, bool) {
	rest, ok := strings.CutPrefix(key, k.instances())
	if !ok {
		return registry.Key{}, false
	}
	service, id, ok := strings.Cut(rest, "/")
	read := registry.Key{Service: unescape(service), ID: unescape(id)}
	return read, ok && k.instance(read) == key
}

// readNode tells which node a key stands for, if any.
func (k keys) readNode(key string) (string, bool) {
	rest, ok := strings.CutPrefix(key, k.nodes())
	name := unescape(rest)
	return name, ok && k.node(name) == key
}

func unescape(text string) string {
	plain, err := url.PathUnescape(text)
	if err != nil {
		return text // which is not what escaping gives, so it stands for nothing
	}
	return plain
}
