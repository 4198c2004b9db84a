// Module bundle makes the files of the page. It is a module of its own, so that users of the components never download esbuild.
module github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/web/bundle

go 1.26.0

require github.com/evanw/esbuild v0.28.2

require golang.org/x/sys v0.0.0-20220715151400-c0bba94af5f8 // indirect
