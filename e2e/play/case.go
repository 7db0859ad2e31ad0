// Package play plays cases: sequences of requests, each written once with the answer that is wanted, and played through every
// door that the system has, gRPC and each REST path of the contracts.
package play

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Case is a sequence of steps. README.md in the folder of the cases is its reference.
type Case struct {
	// File and Name say where it is written; the name says what the case holds.
	File string `yaml:"-"`
	Name string `yaml:"-"`

	// About says more, where the name isn't enough.
	About string `yaml:"about"`
	// Doors limits the doors: grpc, rest. Empty: all that its steps have.
	Doors []string `yaml:"doors"`
	// Alone asks for a system that nobody else uses: the case counts all that there is.
	Alone bool   `yaml:"alone"`
	Steps []Step `yaml:"steps"`
}

// Step is a request and the answer wanted. Either Call or HTTP is set.
type Step struct {
	// Call names an RPC: prospect.v1.ProspectService/GetProspect. Request is its request, as proto JSON.
	Call    string    `yaml:"call"`
	Request yaml.Node `yaml:"request"`
	// HTTP is a request that only REST can make.
	HTTP *HTTP `yaml:"http"`
	// As is who asks. Empty: ada, an editor.
	As string `yaml:"as"`
	// Times repeats the step; ${n} counts from 1.
	Times int `yaml:"times"`
	// Eventually asks again until the answer is the one wanted.
	Eventually bool `yaml:"eventually"`
	Want       Want `yaml:"want"`
	// Save gives names to parts of the answer: {id: response.events.0.id}.
	Save map[string]string `yaml:"save"`
}

// HTTP is a request as it goes over the wire.
type HTTP struct {
	Method  string            `yaml:"method"`
	Path    string            `yaml:"path"`
	Headers map[string]string `yaml:"headers"`
	Body    string            `yaml:"body"`
}

// Want is the answer wanted. What isn't said may be anything.
type Want struct {
	// Code is that of gRPC, Status that of HTTP.
	Code   string `yaml:"code"`
	Status int    `yaml:"status"`
	// Response is a part of the answer; its leaves may be matchers.
	Response yaml.Node `yaml:"response"`
	// Reason is that of the error, for programs; Detail a part of its text.
	Reason string `yaml:"reason"`
	Detail string `yaml:"detail"`
	// Violations are all fields that are refused, spelled as in JSON.
	Violations []Violation `yaml:"violations"`
	// Headers are some of the answer's, over REST.
	Headers map[string]yaml.Node `yaml:"headers"`
}

// Violation is what is wrong with a field; Detail a part of the text that says so.
type Violation struct {
	Field  string `yaml:"field"`
	Detail string `yaml:"detail"`
}

// Load reads all cases of a folder. A key that means nothing is an error: a misspelled wish would hold always.
func Load(folder fs.FS) ([]Case, error) {
	files, err := fs.Glob(folder, "*.yaml")
	if err != nil {
		return nil, err
	}
	var cases []Case
	for _, file := range files {
		read, err := loadFile(folder, file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		cases = append(cases, read...)
	}
	return cases, nil
}

func loadFile(folder fs.FS, file string) ([]Case, error) {
	text, err := folder.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = text.Close() }()
	decoder := yaml.NewDecoder(text)
	decoder.KnownFields(true)
	named := map[string]Case{}
	if err := decoder.Decode(&named); err != nil {
		return nil, err
	}
	if err := decoder.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, errors.New("holds more than one document")
	}
	var cases []Case
	for _, name := range slices.Sorted(maps.Keys(named)) {
		c := named[name]
		c.File, c.Name = strings.TrimSuffix(path.Base(file), ".yaml"), name
		if err := c.check(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		cases = append(cases, c)
	}
	return cases, nil
}
