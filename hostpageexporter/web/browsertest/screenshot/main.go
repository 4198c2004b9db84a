// Command screenshot writes pictures of the page, in both colour schemes.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/web/browsertest/browser"
)

func main() {
	url := flag.String("url", "http://localhost:9465/", "address of the page")
	out := flag.String("out", "page", "start of the names of the pictures")
	width := flag.Int("width", 1440, "width in pixels")
	height := flag.Int("height", 900, "height in pixels")
	wait := flag.Duration("wait", 3*time.Second, "how long the page runs before")
	script := flag.String("script", "", "JavaScript to run before")
	flag.Parse()
	if err := run(*url, *out, *width, *height, *wait, *script); err != nil {
		log.Fatal(err)
	}
}

func run(url, out string, width, height int, wait time.Duration, script string) error {
	profile, err := os.MkdirTemp("", "screenshot")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(profile) }()
	ctx, cancel := browser.New(context.Background(), profile, width, height)
	defer cancel()
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			fmt.Fprintln(os.Stderr, "console:", m)
		}
	}()
	for _, scheme := range []string{"dark", "light"} {
		media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
		if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media); err != nil {
			return err
		}
		err := chromedp.Do(ctx,
			chromedp.EmulateViewport(int64(width), int64(height)),
			chromedp.Navigate("about:blank"),
			chromedp.Navigate(url),
			chromedp.WaitVisible(chromedp.CSS("[data-ready]")),
			chromedp.Sleep(wait))
		if err != nil {
			return err
		}
		if script != "" {
			if _, err := chromedp.Run(ctx, chromedp.Evaluate[any](script)); err != nil {
				return err
			}
			if err := chromedp.Do(ctx, chromedp.Sleep(1500*time.Millisecond)); err != nil {
				return err
			}
		}
		picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			return err
		}
		if err := os.WriteFile(out+"-"+scheme+".png", picture, 0o600); err != nil {
			return err
		}
	}
	return nil
}
