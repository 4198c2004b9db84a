package hostpageexporter

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/web"
)

// file is a file of the page, in memory, compressed once.
type file struct {
	plain, packed []byte
	kind, tag     string
}

// fileTypes: the types that the system knows differ from host to host.
var fileTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8", ".json": "application/json", ".png": "image/png",
}

// pageFiles reads the files of the page.
func pageFiles() (http.Handler, error) {
	files := map[string]*file{}
	root := web.Files()
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		plain, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		f := &file{plain: plain, kind: fileTypes[path.Ext(name)]}
		if f.kind == "" {
			f.kind = mime.TypeByExtension(path.Ext(name))
		}
		sum := sha256.Sum256(plain)
		f.tag = hex.EncodeToString(sum[:8])
		var packed bytes.Buffer
		z, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression) // The level is a valid one.
		_, _ = z.Write(plain)                                      // Nor does memory fail.
		_ = z.Close()
		if packed.Len() < len(plain) {
			f.packed = packed.Bytes()
		}
		files["/"+name] = f
		return nil
	})
	if err != nil {
		return nil, err
	}
	files["/"] = files["/index.html"]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := files[r.URL.Path]
		if f == nil {
			http.NotFound(w, r)
			return
		}
		f.serve(w, r)
	}), nil
}

func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	body, tag := f.plain, `"`+f.tag+`"`
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "no-cache") // Asked for each time, and answered by the tag while it is the same.
	h.Set("Vary", "Accept-Encoding")
	if f.packed != nil && acceptsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		body, tag = f.packed, `"`+f.tag+`-z"`
	}
	h.Set("ETag", tag)
	if strings.Contains(r.Header.Get("If-None-Match"), tag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(body)
}
