// Command registry knows who is alive, and where.
package main

import (
	"eventprospect/mesh"
	"eventprospect/services/registry/app"
)

func main() { mesh.Main("registry", app.Default(), app.Bind) }
