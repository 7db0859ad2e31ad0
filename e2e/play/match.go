package play

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// match tells where a value isn't as wanted; nothing if it is. Of an object only the keys that are named must be as wanted, of a
// list every entry. Leaves are equal, or match:
//
//	<any>          something that isn't empty
//	<empty>        null, "", [] or {}
//	<today>        the day, in UTC
//	<time>         a time, in UTC
//	<not X>        anything but X
//	<contains X>   text that holds X
//	<length N>     a list of so many entries
//	!only {…}      an object with these keys and no other
//	!some […]      a list that holds all of these entries, among others
func match(path string, want *yaml.Node, got any, vars variables) []string {
	switch want.Kind {
	case 0:
		return nil
	case yaml.AliasNode:
		return match(path, want.Alias, got, vars)
	case yaml.MappingNode:
		return matchObject(path, want, got, vars)
	case yaml.SequenceNode:
		return matchList(path, want, got, vars)
	}
	return matchLeaf(path, want, got, vars)
}

func matchObject(path string, want *yaml.Node, got any, vars variables) []string {
	object, ok := got.(map[string]any)
	if !ok {
		return differs(path, "an object", got)
	}
	var wrong, wanted []string
	for i := 0; i < len(want.Content); i += 2 {
		key := want.Content[i].Value
		wanted = append(wanted, key)
		value, ok := object[key]
		if !ok {
			wrong = append(wrong, path+"."+key+" is missing")
			continue
		}
		wrong = append(wrong, match(path+"."+key, want.Content[i+1], value, vars)...)
	}
	if want.Tag == "!only" {
		slices.Sort(wanted)
		if have := slices.Sorted(maps.Keys(object)); !slices.Equal(have, wanted) {
			wrong = append(wrong, fmt.Sprintf("%s has the keys %v, want only %v", path, have, wanted))
		}
	}
	return wrong
}

func matchList(path string, want *yaml.Node, got any, vars variables) []string {
	list, ok := got.([]any)
	if !ok {
		return differs(path, "a list", got)
	}
	if want.Tag == "!some" {
		return matchSome(path, want, list, vars)
	}
	if len(list) != len(want.Content) {
		return differs(path, fmt.Sprintf("%d entries", len(want.Content)), got)
	}
	var wrong []string
	for i, item := range want.Content {
		wrong = append(wrong, match(fmt.Sprintf("%s.%d", path, i), item, list[i], vars)...)
	}
	return wrong
}

func matchSome(path string, want *yaml.Node, list []any, vars variables) []string {
	var wrong []string
	for i, item := range want.Content {
		if !slices.ContainsFunc(list, func(got any) bool { return match("", item, got, vars) == nil }) {
			wrong = append(wrong, fmt.Sprintf("%s has no entry that is as wanted entry %d: %s", path, i, show(list)))
		}
	}
	return wrong
}

func matchLeaf(path string, want *yaml.Node, got any, vars variables) []string {
	value, err := scalar(want, vars)
	if err != nil {
		return []string{path + ": " + err.Error()}
	}
	if text, ok := value.(string); ok && strings.HasPrefix(text, "<") && strings.HasSuffix(text, ">") {
		if !matches(text[1:len(text)-1], got) {
			return differs(path, text, got)
		}
		return nil
	}
	if value != got {
		return differs(path, show(value), got)
	}
	return nil
}

func matches(matcher string, got any) bool {
	text, _ := got.(string)
	kind, argument, _ := strings.Cut(matcher, " ")
	switch kind {
	case "any":
		return !isEmpty(got)
	case "empty":
		return isEmpty(got)
	case "today":
		// The day may have ended since.
		now := time.Now().UTC()
		return text == now.Format(time.DateOnly) || text == now.Add(-time.Minute).Format(time.DateOnly)
	case "time":
		at, err := time.Parse(time.RFC3339Nano, text)
		return err == nil && at.Location() == time.UTC
	case "not":
		return text != argument
	case "contains":
		return strings.Contains(text, argument)
	case "length":
		list, ok := got.([]any)
		return ok && strconv.Itoa(len(list)) == argument
	}
	return false
}

func isEmpty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

func differs(path, want string, got any) []string {
	return []string{fmt.Sprintf("%s is %s, want %s", path, show(got), want)}
}

func show(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	if len(text) > 600 {
		return string(text[:600]) + "…"
	}
	return string(text)
}
