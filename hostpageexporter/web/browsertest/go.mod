// Module browsertest tries the page in a real browser. It is a module of its own, so that users of the components never download chromedp.
module github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/web/browsertest

go 1.26.0

require (
	github.com/chromedp/cdproto v0.159.0
	github.com/chromedp/chromedp v0.23.0
)

require (
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/otelcol-psutil/otelcol-psutil v0.1.0
)

replace github.com/otelcol-psutil/otelcol-psutil => ../../..
