package eureka

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// encodeName makes an XML name of a metadata key, as XStream's XmlFriendlyNameCoder does for Netflix: _ is written __, $ is written _-,
// and what XML doesn't allow in a name _.hhhh. A colon would be a namespace's, so it is encoded, too.
func encodeName(key string) string {
	var b strings.Builder
	for i, c := range key {
		switch {
		case c == '_':
			b.WriteString("__")
		case c == '$':
			b.WriteString("_-")
		case unicode.IsLetter(c) && c < 0x10000, i > 0 && (c >= '0' && c <= '9' || c == '-' || c == '.'):
			b.WriteRune(c)
		case c < 0x10000:
			fmt.Fprintf(&b, "_.%04x", c)
		default:
			b.WriteString("__") // XStream's code has four digits
		}
	}
	return b.String()
}

// decodeName reads what encodeName wrote, and names that other clients have written as they are.
func decodeName(name xml.Name) string {
	text := name.Local
	if name.Space != "" {
		text = name.Space + ":" + text
	}
	if !strings.Contains(text, "_") {
		return text
	}
	var b strings.Builder
	for text != "" {
		switch {
		case strings.HasPrefix(text, "__"):
			b.WriteByte('_')
			text = text[2:]
		case strings.HasPrefix(text, "_-"):
			b.WriteByte('$')
			text = text[2:]
		case strings.HasPrefix(text, "_.") && len(text) >= 6 && isHex(text[2:6]):
			code, _ := strconv.ParseUint(text[2:6], 16, 16) // isHex has said that it is one
			b.WriteRune(rune(code))
			text = text[6:]
		default:
			b.WriteByte(text[0])
			text = text[1:]
		}
	}
	return b.String()
}

func isHex(text string) bool {
	_, err := strconv.ParseUint(text, 16, 16)
	return err == nil
}
