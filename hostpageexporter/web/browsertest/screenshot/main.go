// Command screenshot writes pictures of the page, in both colour schemes, or of what a terminal shows.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
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
	terminal := flag.String("terminal", "", "file with what a terminal shows, to make a picture of instead")
	flag.Parse()
	if *terminal != "" {
		if err := picture(*terminal, *out+".png"); err != nil {
			log.Fatal(err)
		}
		return
	}
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
		if err := write(out+"-"+scheme+".png", picture); err != nil {
			return err
		}
	}
	return nil
}

// picture writes what a terminal shows.
func picture(file, out string) error {
	text, err := os.ReadFile(file) //nolint:gosec // The caller's own.
	if err != nil {
		return err
	}
	profile, err := os.MkdirTemp("", "screenshot")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(profile) }()
	page := filepath.Join(profile, "terminal.html")
	if err := os.WriteFile(page, []byte(terminalPage(string(text))), 0o600); err != nil {
		return err
	}
	ctx, cancel := browser.New(context.Background(), profile, 1440, 900)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate("file://"+page), chromedp.WaitVisible(chromedp.CSS("[data-ready]"))); err != nil {
		return err
	}
	size, err := chromedp.Run(ctx, chromedp.Evaluate[[]int64](`(() => { const r = document.querySelector('pre').getBoundingClientRect(); return [Math.ceil(r.width), Math.ceil(r.height)]; })()`))
	if err != nil {
		return err
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(size[0], size[1])); err != nil {
		return err
	}
	shown, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return err
	}
	return write(out, shown)
}

// write writes a picture as a small file.
func write(name string, picture []byte) error {
	small, err := paletted(picture)
	if err != nil {
		return err
	}
	return os.WriteFile(name, small, 0o600)
}
