package web

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"eventprospect/mesh/fault"
)

//go:embed pages/*.html
var pageFiles embed.FS

// parsePages reads the templates. They are part of the program, so a mistake in them is no error but a panic.
func parsePages(files map[string]asset) *template.Template {
	paths := map[string]string{}
	for served, a := range files {
		paths[a.name] = "/assets/" + served
	}
	functions := template.FuncMap{"asset": func(name string) string { return paths[name] }}
	return template.Must(template.New("").Funcs(functions).ParseFS(pageFiles, "pages/*.html"))
}

// render gives one block of the page. It fails only if the template doesn't fit the data, which every test of the page sees.
func (s *site) render(name string, data any) template.HTML {
	var text strings.Builder
	if err := s.pages.ExecuteTemplate(&text, name, data); err != nil {
		return ""
	}
	return template.HTML(text.String())
}

func (s *site) write(w http.ResponseWriter, status int, name string, data any) {
	var text bytes.Buffer
	if err := s.pages.ExecuteTemplate(&text, name, data); err != nil {
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes()) // it fails when the browser has gone; nobody is left to tell
}

// problem writes a page that tells what is wrong.
func (s *site) problem(w http.ResponseWriter, status int, text string) {
	s.write(w, status, "problem", struct{ Title, Text string }{http.StatusText(status), text})
}

// refuse writes a page that tells a fault.
func (s *site) refuse(w http.ResponseWriter, err error) {
	var f *fault.Error
	if !errors.As(err, &f) {
		s.problem(w, http.StatusInternalServerError, "Something went wrong here.")
		return
	}
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(f.RetryAfter/time.Second)))
	}
	switch f.Kind {
	case fault.Invalid:
		s.problem(w, http.StatusBadRequest, violations(f))
	case fault.Exhausted, fault.Unavailable, fault.Timeout:
		s.problem(w, http.StatusServiceUnavailable, sentence(f.Message))
	default:
		s.problem(w, http.StatusInternalServerError, "Something went wrong here.")
	}
}

func violations(f *fault.Error) string {
	var all []string
	for _, v := range f.Violations {
		all = append(all, sentence("parameter "+v.Field+" "+v.Detail))
	}
	return strings.Join(all, " ")
}
