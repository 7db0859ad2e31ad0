// Command event runs the Event service.
package main

import (
	"eventprospect/mesh"
	"eventprospect/services/event/app"
)

func main() { mesh.Main("event", app.Default(), app.Bind) }
