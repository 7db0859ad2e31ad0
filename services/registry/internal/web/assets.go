package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed assets/page.css assets/page.js assets/icon.svg
var assetFiles embed.FS

// asset is a file that pages use.
type asset struct {
	name, etag string
	content    []byte
}

// loadAssets gives the files by the names under which they are served. The name changes with the content, so that browsers may keep it for ever.
func loadAssets() map[string]asset {
	all := map[string]asset{}
	_ = fs.WalkDir(assetFiles, "assets", func(file string, entry fs.DirEntry, _ error) error {
		content, err := assetFiles.ReadFile(file)
		if err != nil {
			return nil // the folder
		}
		sum := sha256.Sum256(content)
		hash, kind := hex.EncodeToString(sum[:8]), path.Ext(entry.Name())
		all[strings.TrimSuffix(entry.Name(), kind)+"-"+hash+kind] = asset{entry.Name(), `"` + hash + `"`, content}
		return nil
	})
	return all
}

// asset serves a file.
func (s *site) asset(w http.ResponseWriter, r *http.Request) {
	a, ok := s.assets[r.PathValue("name")]
	if !ok {
		s.problem(w, http.StatusNotFound, "There is no such file here; it may be one of an earlier version.")
		return
	}
	w.Header().Set("ETag", a.etag)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Header().Set("Content-Type", map[string]string{
		".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
	}[path.Ext(a.name)])
	http.ServeContent(w, r, a.name, time.Time{}, bytes.NewReader(a.content))
}
