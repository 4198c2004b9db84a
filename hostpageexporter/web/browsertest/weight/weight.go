// Package weight measures what a browser loads to show the page.
package weight

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
)

// MaxRaw and MaxPacked are how many bytes the page may have, as it is and compressed.
const (
	MaxRaw    = 100_000
	MaxPacked = 45_000
)

// Of returns the bytes of the page in a directory, as they are and compressed with gzip, each file for itself as it is served.
func Of(dist string) (raw, packed int, err error) {
	for _, name := range []string{"index.html", "page.js", "page.css"} {
		content, err := os.ReadFile(filepath.Join(dist, name)) //nolint:gosec // The caller's own.
		if err != nil {
			return 0, 0, err
		}
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // The level is a valid one.
		_, _ = z.Write(content)                               // Nor does memory fail.
		_ = z.Close()
		raw += len(content)
		packed += b.Len()
	}
	return raw, packed, nil
}
