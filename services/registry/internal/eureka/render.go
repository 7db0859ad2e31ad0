package eureka

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"strconv"
)

// form is how an answer is written.
type form uint8

const (
	asXML   form = 0
	asJSON  form = 1
	compact form = 2 // added to one of the others
	forms        = 4
)

// group is an application and its instances, each already written.
type group struct {
	name  string
	parts []*[]byte
}

// listing is a list of applications.
type listing struct {
	revision int64
	hash     string
	groups   []group
}

// render writes one part of an answer: an instance, or a text. None of the types that are written here can fail.
func render(f form, name string, value any) []byte {
	var b bytes.Buffer
	if f&asJSON == 0 {
		_ = xml.NewEncoder(&b).EncodeElement(value, xml.StartElement{Name: xml.Name{Local: name}})
		return b.Bytes()
	}
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// renderPart writes an instance as a part of a list.
func renderPart(f form, i *info) []byte {
	if f&compact != 0 {
		return render(f, "instance", i.compact())
	}
	return render(f, "instance", i)
}

// renderInstance writes a document of one instance.
func renderInstance(f form, i *info) []byte {
	part := renderPart(f, i)
	if f&asJSON == 0 {
		return part
	}
	return append(append([]byte(`{"instance":`), part...), '}')
}

// renderApp writes a document of one application.
func renderApp(f form, g group) []byte {
	b := make([]byte, 0, g.size()+64)
	if f&asJSON == 0 {
		return g.appendTo(b, f)
	}
	return append(g.appendTo(append(b, `{"application":`...), f), '}')
}

// renderApps writes a document of a list. The names of its first two fields were versions_delta and apps_hashcode once: XStream doubles
// underscores.
func renderApps(f form, l listing) []byte {
	size := 256
	for _, g := range l.groups {
		size += g.size()
	}
	b := make([]byte, 0, size)
	revision := strconv.FormatInt(l.revision, 10)
	if f&asJSON == 0 {
		b = append(b, "<applications><versions__delta>"+revision+"</versions__delta><apps__hashcode>"+l.hash+"</apps__hashcode>"...)
		for _, g := range l.groups {
			b = g.appendTo(b, f)
		}
		return append(b, "</applications>"...)
	}
	b = append(b, `{"applications":{"versions__delta":"`+revision+`","apps__hashcode":"`+l.hash+`","application":[`...)
	for i, g := range l.groups {
		if i > 0 {
			b = append(b, ',')
		}
		b = g.appendTo(b, f)
	}
	return append(b, "]}}"...)
}

// size is about what the application takes in a document, in bytes; at least.
func (g group) size() int {
	size := 64 + len(g.name)
	for _, part := range g.parts {
		size += len(*part) + 1
	}
	return size
}

// appendTo writes the application, and lets its parts point to what was written, so that they are not kept twice.
func (g group) appendTo(b []byte, f form) []byte {
	name := render(f, "name", g.name)
	opening, separator, closing := "<application>"+string(name), "", "</application>"
	if f&asJSON != 0 {
		opening, separator, closing = `{"name":`+string(name)+`,"instance":[`, ",", "]}"
	}
	b = append(b, opening...)
	for i, part := range g.parts {
		if i > 0 {
			b = append(b, separator...)
		}
		start := len(b)
		b = append(b, *part...)
		*part = b[start:len(b):len(b)]
	}
	return append(b, closing...)
}
