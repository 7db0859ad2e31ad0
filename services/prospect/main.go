// Command prospect runs the Prospect service.
package main

import (
	"eventprospect/mesh"
	"eventprospect/services/prospect/app"
)

func main() {
	mesh.Main("prospect", app.Default(), app.Bind,
		mesh.Command[app.Config]{Name: "migrate", About: "bring the store's schema or indexes up to date", Run: app.Migrate})
}
