// Package web holds the files of the page, as the bundle command wrote them.
package web

import (
	"embed"
	"io/fs"
)

//go:generate go -C bundle run . -web ..

//go:embed dist
var dist embed.FS

// Files returns the files of the page: index.html and those that it refers to by relative names.
func Files() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // not for a name that is valid
	}
	return files
}
