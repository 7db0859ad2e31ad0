package eureka

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
)

// maxDepth bounds how deep a request may be nested; Eureka's own are four deep.
const maxDepth = 16

// element is a part of a request, in JSON or XML alike: an attribute and a JSON field that begins with @ is a child with that name, a
// JSON array is as many children of its name, and the JSON field $ is the text.
type element struct {
	name     string
	text     string
	null     bool
	children []element
}

// child gives the last child of a name that isn't null. Clients don't agree how they write names: overriddenStatus,
// overriddenstatus and overridden_status are the same.
func (e *element) child(name string) *element {
	if e == nil {
		return nil
	}
	for i := len(e.children) - 1; i >= 0; i-- {
		if c := &e.children[i]; !c.null && sameName(c.name, name) {
			return c
		}
	}
	return nil
}

func sameName(a, b string) bool {
	return strings.EqualFold(strings.ReplaceAll(a, "_", ""), strings.ReplaceAll(b, "_", ""))
}

// value gives a child's text; empty if there is none.
func (e *element) value(name string) string {
	if c := e.child(name); c != nil {
		return strings.TrimSpace(c.text)
	}
	return ""
}

var errDepth = errors.New("it is nested too deep")

// parseJSON reads a document whose root has no name.
func parseJSON(body []byte) (*element, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var holder element
	if err := holder.readField(decoder, "", 0); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows its end")
	}
	if len(holder.children) != 1 {
		return nil, errors.New("it is not an object")
	}
	return &holder.children[0], nil
}

// readField reads a value of the element's field: one child, or as many as the array has.
func (e *element) readField(decoder *json.Decoder, name string, depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	token, err := decoder.Token()
	if err != nil {
		return err
	}
	c := element{name: name}
	switch t := token.(type) {
	case json.Delim:
		if t == '[' {
			return e.readArray(decoder, name, depth)
		}
		if err := c.readObject(decoder, depth); err != nil {
			return err
		}
	case nil:
		c.null = true
	case string:
		c.text = t
	case json.Number:
		c.text = t.String()
	case bool:
		c.text = strconv.FormatBool(t)
	}
	e.children = append(e.children, c)
	return nil
}

func (e *element) readArray(decoder *json.Decoder, name string, depth int) error {
	for decoder.More() {
		if err := e.readField(decoder, name, depth+1); err != nil {
			return err
		}
	}
	_, err := decoder.Token() // the closing bracket
	return err
}

func (e *element) readObject(decoder *json.Decoder, depth int) error {
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		if err := e.readField(decoder, name, depth+1); err != nil {
			return err
		}
		if name == "$" {
			e.text = e.children[len(e.children)-1].text
		}
	}
	_, err := decoder.Token() // the closing brace
	return err
}

// parseXML reads a document and gives its root.
func parseXML(body []byte) (*element, error) {
	decoder := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		if start, ok := token.(xml.StartElement); ok {
			root := &element{name: decodeName(start.Name)}
			return root, root.readXML(decoder, start, 0)
		}
	}
}

func (e *element) readXML(decoder *xml.Decoder, start xml.StartElement, depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	for _, a := range start.Attr {
		e.children = append(e.children, element{name: "@" + a.Name.Local, text: a.Value})
	}
	var text strings.Builder
	for {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.CharData:
			text.Write(t)
		case xml.StartElement:
			c := element{name: decodeName(t.Name)}
			if err := c.readXML(decoder, t, depth+1); err != nil {
				return err
			}
			e.children = append(e.children, c)
		case xml.EndElement:
			e.text = text.String()
			return nil
		}
	}
}
