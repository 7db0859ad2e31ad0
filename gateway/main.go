// The gateway is the REST and JSON door of the system: it turns each request into a gRPC call to the service that the
// registry knows by name.
package main

import (
	"eventprospect/gateway/app"
	"eventprospect/mesh"
)

func main() {
	mesh.Main("gateway", app.Default(), app.Bind)
}
