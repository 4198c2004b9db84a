// Module hosttop is the terminal client of the host page. It is a module of its own, so that users of the components never download
// the libraries that draw on a terminal.
module github.com/otelcol-psutil/otelcol-psutil/cmd/hosttop

go 1.26.0

require (
	github.com/gdamore/tcell/v2 v2.13.10
	github.com/rivo/tview v0.42.0
	github.com/rivo/uniseg v0.4.7
)

require (
	github.com/gdamore/encoding v1.0.1 // indirect
	github.com/lucasb-eyer/go-colorful v1.3.0 // indirect
	golang.org/x/sys v0.38.0 // indirect
	golang.org/x/term v0.37.0 // indirect
	golang.org/x/text v0.31.0 // indirect
)
