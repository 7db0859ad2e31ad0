// Command prospect runs the Prospect service.
package main

import (
	"eventprospect/mesh"
	"eventprospect/services/prospect/app"
)

func main() { mesh.Main("prospect", app.Default(), app.Bind) }
