// Command meshctl is for operators: what is on the DLQ, what is behind, and how to put it right.
package main

import "eventprospect/meshctl/app"

func main() { app.Main() }
