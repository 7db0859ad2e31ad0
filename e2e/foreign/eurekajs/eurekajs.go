// Package eurekajs carries a client of Eureka that is written in JavaScript, with the npm package eureka-js-client.
package eurekajs

import "embed"

// Packages say what npm must install for it, in exact versions.
//
//go:embed package.json package-lock.json
var Packages embed.FS

// Program is the client.
//
//go:embed client.js
var Program string
