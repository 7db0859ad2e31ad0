package play

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// variables are what ${…} stands for in one playing of a case:
//
//	${unique}    text that no other playing has
//	${name}      the name of a person that no other playing has; it must never show up where names don't belong
//	${date}      a day that no other playing has
//	${today}     the day, in UTC
//	${uuid.x}    a UUID; the same for the same x
//	${text.200}  text of so many characters, unique, with an emoji at its end
//	${n}         the count of a repeated step
//	${x}         what a step saved as x
type variables map[string]string

func newVariables() variables {
	return variables{
		"unique": random(8),
		"name":   "Nomen" + random(8),
		"date":   farDay(),
	}
}

func random(bytes int) string {
	text := make([]byte, bytes)
	_, _ = rand.Read(text) // never fails
	return hex.EncodeToString(text)
}

// farDay is one of nearly three million days to come, so that two playings hardly meet on one.
func farDay() string {
	const days = 2_800_000
	n, _ := strconv.ParseUint(random(6), 16, 64)
	return time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(n%days)).Format(time.DateOnly)
}

var reference = regexp.MustCompile(`\$\{[^}]*\}`)

// expand replaces every ${…} of a text.
func (v variables) expand(text string) (string, error) {
	var failed error
	expanded := reference.ReplaceAllStringFunc(text, func(found string) string {
		value, err := v.value(found[2 : len(found)-1])
		if err != nil {
			failed = err
		}
		return value
	})
	return expanded, failed
}

func (v variables) value(name string) (string, error) {
	if value, ok := v[name]; ok {
		return value, nil
	}
	kind, argument, _ := strings.Cut(name, ".")
	switch kind {
	case "today":
		return time.Now().UTC().Format(time.DateOnly), nil
	case "uuid":
		v[name] = uuid.NewString()
		return v[name], nil
	case "text":
		length, err := strconv.Atoi(argument)
		if unique := v["name"]; err == nil && length > len(unique) {
			return unique + strings.Repeat("x", length-len(unique)-1) + "🎉", nil
		}
	}
	return "", fmt.Errorf("nothing is known as ${%s}", name)
}
