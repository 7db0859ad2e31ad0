//go:build linux

package kafka

import (
	_ "embed"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

//go:embed common.properties
var common string

// settings are a server's, beyond those in common.
type settings map[string]string

// write writes them with what is in common to a file, and gives its path.
func (s settings) write(folder, name, common string) (string, error) {
	var text strings.Builder
	text.WriteString(common + "\n")
	for _, key := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(&text, "%s=%s\n", key, s[key])
	}
	path := filepath.Join(folder, name+".properties")
	return path, os.WriteFile(path, []byte(text.String()), 0o600)
}

// settings gives those of a broker, but for what depends on who rules the cluster.
func (b *broker) settings(o Options) settings {
	// Of three, two must have a record before it counts as written: one may be away.
	copies, least := strconv.Itoa(o.Brokers), strconv.Itoa(o.Brokers/2+1)
	all := settings{
		"log.dirs":                                 b.data(),
		"listeners":                                "PLAINTEXT://" + b.plain,
		"default.replication.factor":               copies,
		"min.insync.replicas":                      least,
		"offsets.topic.replication.factor":         copies,
		"transaction.state.log.replication.factor": copies,
		"transaction.state.log.min.isr":            least,
	}
	if o.Secure != nil {
		o.Secure.add(all, b)
	}
	b.proxied(all)
	return all
}

// data is the folder of the broker's data.
func (b *broker) data() string { return filepath.Join(b.folder, b.name) }
