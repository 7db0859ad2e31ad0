// Package openapi holds the OpenAPI (Swagger 2) document of the REST API, as the gateway serves it.
// This file is written by hand; the document beside it is generated from the contracts.
package openapi

import _ "embed"

// Document is the document, as JSON.
//
//go:embed api.swagger.json
var Document []byte
