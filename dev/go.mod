module eventprospect/dev

go 1.26.0

require (
	eventprospect/gateway v0.0.0
	eventprospect/gen v0.0.0
	eventprospect/mesh v0.0.0
	eventprospect/services/event v0.0.0
	eventprospect/services/prospect v0.0.0
	eventprospect/services/registry v0.0.0
)

require github.com/zitadel/oidc/v3 v3.51.17 // indirect

replace eventprospect/gen => ../gen

replace eventprospect/mesh => ../mesh

replace eventprospect/services/event => ../services/event

replace eventprospect/services/prospect => ../services/prospect

replace eventprospect/services/registry => ../services/registry

replace eventprospect/gateway => ../gateway
