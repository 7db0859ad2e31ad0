package issuer

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// role is a role of the realm (client == "") or of a client.
type role struct{ client, name string }

func (r role) String() string {
	if r.client == "" {
		return fmt.Sprintf("role %q", r.name)
	}
	return fmt.Sprintf("role %q of client %q", r.name, r.client)
}

// roleIndex lists, for every role there is, the roles it is composed of.
type roleIndex map[role][]role

// index refuses a role that exists twice or is composed of one that doesn't exist.
func (e exportRoles) index() (roleIndex, error) {
	index := roleIndex{}
	add := func(client string, list []exportRole) error {
		for _, r := range list {
			this := role{client, r.Name}
			if _, taken := index[this]; taken {
				return fmt.Errorf("duplicate %s", this)
			}
			index[this] = roleList(r.Composites.Realm, r.Composites.Client)
		}
		return nil
	}
	if err := add("", e.Realm); err != nil {
		return nil, err
	}
	for client, list := range e.Client {
		if err := add(client, list); err != nil {
			return nil, err
		}
	}
	for this, parts := range index {
		for _, part := range parts {
			if _, ok := index[part]; !ok {
				return nil, fmt.Errorf("%s is composed of the unknown %s", this, part)
			}
		}
	}
	return index, nil
}

// expand gives everything that the named roles amount to, sorted. Composites may lead in a circle.
func (x roleIndex) expand(realm []string, clients map[string][]string) ([]string, map[string][]string, error) {
	seen := map[role]bool{}
	remaining := roleList(realm, clients)
	for len(remaining) > 0 {
		next := remaining[0]
		remaining = remaining[1:]
		parts, ok := x[next]
		if !ok {
			return nil, nil, fmt.Errorf("unknown %s", next)
		}
		if !seen[next] {
			seen[next] = true
			remaining = append(remaining, parts...)
		}
	}
	var ofRealm []string
	ofClients := map[string][]string{}
	for _, r := range slices.SortedFunc(maps.Keys(seen), byName) {
		if r.client == "" {
			ofRealm = append(ofRealm, r.name)
		} else {
			ofClients[r.client] = append(ofClients[r.client], r.name)
		}
	}
	return ofRealm, ofClients, nil
}

func byName(a, b role) int { return strings.Compare(a.name, b.name) }

func roleList(realm []string, clients map[string][]string) []role {
	list := make([]role, 0, len(realm))
	for _, name := range realm {
		list = append(list, role{name: name})
	}
	for client, names := range clients {
		for _, name := range names {
			list = append(list, role{client, name})
		}
	}
	return list
}
