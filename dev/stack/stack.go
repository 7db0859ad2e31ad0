// Package stack is the folder of what the real servers are given: compose mounts its files, and dev reads the same
// ones, so that the laptop and the real stack can't know different users, clients or roles.
package stack

import _ "embed"

// Realm is the export that Keycloak imports and the development issuer reads.
//
//go:embed keycloak/EventProspect-realm.json
var Realm []byte
