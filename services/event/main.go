// Command event runs the Event service.
package main

import (
	"eventprospect/mesh"
	"eventprospect/services/event/app"
)

func main() {
	mesh.Main("event", app.Default(), app.Bind,
		mesh.Command[app.Config]{Name: "migrate", About: "bring the store's schema up to date", Run: app.Migrate})
}
