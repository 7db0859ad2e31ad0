// Package paging keeps the rules of paged answers in one place: page sizes, page tokens (AIP-158) and the
// offset pages of the original API.
package paging

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"time"

	meshv1 "eventprospect/gen/mesh/v1"
	"eventprospect/mesh/fault"
)

const (
	defaultSize = 20
	maxSize     = 100
)

// Size gives the entries of a page, from what was asked for: 0 means 20, more than 100 means 100.
func Size(asked int32) int {
	if asked == 0 {
		return defaultSize
	}
	return min(int(asked), maxSize)
}

// Cursor is a place in a list that is ordered by time of creation and id: just after this entry.
type Cursor struct {
	Created time.Time
	ID      string
}

// token is what a page token holds. Query binds it to the filters it was made for.
type token struct {
	Created int64  `json:"c"`
	ID      string `json:"i"`
	Query   []byte `json:"q"`
}

// Token makes the page token that goes on after the cursor, for the query with these filters.
func Token(cursor Cursor, filters ...string) string {
	// Marshalling a struct of plain fields can't fail.
	text, _ := json.Marshal(token{cursor.Created.UnixMicro(), cursor.ID, fingerprint(filters)})
	return base64.RawURLEncoding.EncodeToString(text)
}

// Parse reads a page token; an empty one is the zero cursor, before the first entry. A token that isn't ours, or is of a query
// with other filters, is refused on the field page_token.
func Parse(text string, filters ...string) (Cursor, error) {
	if text == "" {
		return Cursor{}, nil
	}
	var t token
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(raw, &t)
	}
	if err != nil || string(t.Query) != string(fingerprint(filters)) {
		return Cursor{}, fault.InvalidField("page_token", "is not a token of this query: send the next_page_token of its page before, with the same filters")
	}
	return Cursor{time.UnixMicro(t.Created).UTC(), t.ID}, nil
}

// fingerprint tells queries apart; it is no secret, so a few bytes will do.
func fingerprint(filters []string) []byte {
	text, _ := json.Marshal(filters)
	sum := sha256.Sum256(text)
	return sum[:6]
}

// Page is an offset page: its place among all entries.
type Page struct{ Number, Size int32 }

// NewPage takes a zero-based page number and the size that was asked for.
func NewPage(number, asked int32) Page { return Page{number, int32(Size(asked))} }

// Offset is the number of entries before the page.
func (p Page) Offset() int { return int(p.Number) * int(p.Size) }

// Pages is how many pages so many entries make.
func (p Page) Pages(total int) int { return (total + int(p.Size) - 1) / int(p.Size) }

// Last tells whether no entry comes after the page.
func (p Page) Last(total int) bool { return p.Offset()+int(p.Size) >= total }

// Unsorted is the order of every offset page, as Spring Data calls the order that nobody asked for.
func Unsorted() *meshv1.Sort { return &meshv1.Sort{Unsorted: true, Empty: true} }

// Pageable repeats the question in Spring Data's shape.
func (p Page) Pageable() *meshv1.Pageable {
	return &meshv1.Pageable{
		PageNumber: p.Number, PageSize: p.Size, Sort: Unsorted(),
		Offset: clamp(p.Offset()), Paged: true,
	}
}

// clamp keeps a count in the contract's int32: an offset past it is past every entry, too.
func clamp(n int) int32 { return int32(min(n, 1<<31-1)) }
