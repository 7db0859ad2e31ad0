module eventprospect/services/registry

go 1.26.0

require (
	eventprospect/gen v0.0.0
	eventprospect/mesh v0.0.0
)

replace eventprospect/gen => ../../gen

replace eventprospect/mesh => ../../mesh
