package play

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// tree makes a JSON value of a YAML node, with its variables replaced.
func tree(node *yaml.Node, vars variables) (any, error) {
	switch node.Kind {
	case 0:
		return map[string]any{}, nil
	case yaml.AliasNode:
		return tree(node.Alias, vars)
	case yaml.SequenceNode:
		list := make([]any, len(node.Content))
		for i, item := range node.Content {
			value, err := tree(item, vars)
			if err != nil {
				return nil, err
			}
			list[i] = value
		}
		return list, nil
	case yaml.MappingNode:
		object := map[string]any{}
		for i := 0; i < len(node.Content); i += 2 {
			value, err := tree(node.Content[i+1], vars)
			if err != nil {
				return nil, err
			}
			object[node.Content[i].Value] = value
		}
		return object, nil
	}
	return scalar(node, vars)
}

func scalar(node *yaml.Node, vars variables) (any, error) {
	switch node.ShortTag() {
	case "!!null":
		return nil, nil
	case "!!bool":
		return strconv.ParseBool(node.Value)
	case "!!int", "!!float":
		return json.Number(node.Value), nil
	case "!!str", "!!timestamp":
		return vars.expand(node.Value)
	}
	return nil, fmt.Errorf("line %d: the tag %s can't stand here", node.Line, node.Tag)
}

// parseTree reads a JSON value.
func parseTree(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("the answer is no JSON: %w: %.200s", err, text)
	}
	return value, nil
}

// at finds a value by its path: events.0.id.
func at(value any, path string) (any, error) {
	for _, part := range strings.Split(path, ".") {
		switch in := value.(type) {
		case map[string]any:
			inner, ok := in[part]
			if !ok {
				return nil, fmt.Errorf("%s: there is no %q", path, part)
			}
			value = inner
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(in) {
				return nil, fmt.Errorf("%s: there is no entry %q", path, part)
			}
			value = in[i]
		default:
			return nil, fmt.Errorf("%s: there is nothing in %q", path, part)
		}
	}
	return value, nil
}
