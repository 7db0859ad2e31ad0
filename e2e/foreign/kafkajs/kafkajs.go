// Package kafkajs carries a reader of the messages about prospects that is written in JavaScript, with the npm packages kafkajs
// and protobufjs.
package kafkajs

import "embed"

// Packages say what npm must install for it, in exact versions.
//
//go:embed package.json package-lock.json
var Packages embed.FS

// Program is the reader.
//
//go:embed reader.js
var Program string
