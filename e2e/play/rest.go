package play

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"

	"eventprospect/e2e/client"
)

// overREST makes one call of an RPC through one of its REST paths.
func overREST(ctx context.Context, c *client.Client, user string, rpc protoreflect.MethodDescriptor, b binding, request map[string]any) (answer, error) {
	target, body, err := b.request(request)
	if err != nil {
		return answer{}, err
	}
	a, text, err := send(ctx, c, user, b.method, target, body, nil)
	if err != nil || a.status >= http.StatusBadRequest {
		return a, err
	}
	a.defects = append(a.defects, arrived(a, b, target)...)
	if a.status == http.StatusNoContent {
		a.body = map[string]any{}
		return a, nil
	}
	a.defects = append(a.defects, ofContract(text, rpc, b)...)
	if b.answer != "" {
		// What isn't in the body is in the header.
		whole := map[string]any{b.answer: a.body}
		if count, err := strconv.Atoi(a.header.Get("X-Total-Count")); err == nil {
			whole["totalCount"] = number(count)
		}
		a.body = whole
	}
	return a, created(ctx, c, user, &a)
}

// send sends a request as it is and reads what every answer of the REST API has.
func send(ctx context.Context, c *client.Client, user, method, target, body string, headers map[string]string) (answer, []byte, error) {
	req, err := c.Request(ctx, method, target, body)
	if err != nil {
		return answer{}, nil, err
	}
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	resp, err := c.Do(req, user)
	if err != nil {
		return answer{}, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, nil, err
	}
	a := answer{status: resp.StatusCode, header: resp.Header, body: map[string]any{}}
	if len(text) > 0 {
		if a.body, err = parseTree(text); err != nil {
			return answer{}, nil, fmt.Errorf("%s: %w", resp.Status, err)
		}
	}
	if method != http.MethodHead {
		a.read()
	}
	return a, text, nil
}

// read takes the parts of an error from its JSON, and finds what no answer may be.
func (a *answer) read() {
	media := a.header.Get("Content-Type")
	if a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("Cache-Control") == "" {
		a.defects = append(a.defects, fmt.Sprintf("headers that every answer has are missing: %v", a.header))
	}
	if a.status < http.StatusBadRequest {
		if want := a.status != http.StatusNoContent; (media == "application/json") != want {
			a.defects = append(a.defects, fmt.Sprintf("%d has the content type %q", a.status, media))
		}
		return
	}
	problem, _ := a.body.(map[string]any)
	a.reason, _ = problem["reason"].(string)
	a.detail, _ = problem["detail"].(string)
	list, _ := problem["errors"].([]any)
	for _, item := range list {
		entry, _ := item.(map[string]any)
		field, _ := entry["field"].(string)
		detail, _ := entry["detail"].(string)
		a.refused = append(a.refused, Violation{field, detail})
	}
	if media != "application/problem+json" || problem["status"] != number(a.status) || a.reason == "" || problem["title"] == "" || a.detail == "" {
		a.defects = append(a.defects, fmt.Sprintf("%s is not a whole problem: %s", media, show(a.body)))
	}
	if (a.reason == "INVALID") != (len(a.refused) > 0) {
		a.defects = append(a.defects, fmt.Sprintf("%s names %d fields: %s", a.reason, len(a.refused), a.detail))
	}
}

// arrived holds what the head of a success must say of its body.
func arrived(a answer, b binding, target string) []string {
	object, _ := a.body.(map[string]any)
	var wrong []string
	if etag, ok := object["etag"].(string); ok && a.header.Get("ETag") != strconv.Quote(etag) {
		wrong = append(wrong, fmt.Sprintf("the header ETag is %q, the body's etag %q", a.header.Get("ETag"), etag))
	}
	path, _, _ := strings.Cut(target, "?")
	want := ""
	if b.method == http.MethodPost {
		want = fmt.Sprint(path, "/", object["id"])
	}
	if location := a.header.Get("Location"); location != want {
		wrong = append(wrong, fmt.Sprintf("Location is %q, want %q", location, want))
	}
	return wrong
}

// ofContract holds that a body is what the contract says, and nothing else.
func ofContract(text []byte, rpc protoreflect.MethodDescriptor, b binding) []string {
	descriptor := rpc.Output()
	if b.answer != "" {
		descriptor = descriptor.Fields().ByName(protoreflect.Name(b.answer)).Message()
	}
	message, err := newMessage(descriptor)
	if err == nil {
		err = protojson.Unmarshal(text, message)
	}
	if err != nil {
		return []string{fmt.Sprintf("the body is no %s: %v", descriptor.FullName(), err)}
	}
	return nil
}

// created holds that Location leads to what was created.
func created(ctx context.Context, c *client.Client, user string, a *answer) error {
	location := a.header.Get("Location")
	if location == "" {
		return nil
	}
	there, _, err := send(ctx, c, user, http.MethodGet, location, "", nil)
	if err == nil && show(there.body) != show(a.body) {
		a.defects = append(a.defects, fmt.Sprintf("at %s is %s, not %s", location, show(there.body), show(a.body)))
	}
	return err
}
