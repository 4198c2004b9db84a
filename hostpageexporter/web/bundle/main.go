// Command bundle writes dist/ from src/ and third_party/: what the exporter embeds. The same sources give the same bytes.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/evanw/esbuild/pkg/api"
)

func main() {
	web := flag.String("web", "..", "directory of the page, with src and dist")
	flag.Parse()
	if err := run(*web); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(web string) error {
	files, err := build(web)
	if err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(web, "dist", name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// own are names of properties that get short ones: those of the page's and uPlot's own objects alone, that neither the API, the browser nor a text
// knows. Each script has its own short names, so what one hands to another keeps its long one.
const own = `^(_[a-zA-Z]+|showCursor|showWindow|setCatalog|setHistory|setMetrics|setCursor|setScale|valToPos[HV]?|valToPct|posToVal|` +
	`optionChanged|windowChanged|drawWindow|closeDetail|nextAlert|pxRound|pxAlign|labelFont|labelSize|labelGap|alignTo|lineGap|restyle|thresholds|` +
	`catalog|listener|pinned|combine|invert|onChange|intervalOf|scraped|shortest|toggleTree|sibling|least|arrived|faults|peak)$`

// build returns the files of dist by name.
func build(web string) (map[string][]byte, error) {
	root, err := filepath.Abs(web)
	if err != nil {
		return nil, err
	}
	result := api.Build(api.BuildOptions{
		AbsWorkingDir:     root,
		EntryPoints:       []string{"src/page.ts", "src/actions.ts", "src/facts.ts", "src/groups.ts", "src/page.css"},
		Outdir:            "dist",
		Bundle:            true,
		Format:            api.FormatIIFE,
		Target:            api.ES2022,
		Charset:           api.CharsetUTF8,
		LegalComments:     api.LegalCommentsNone,
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		MangleProps:       own,
		Plugins:           []api.Plugin{{Name: "uplot", Setup: trim}},
	})
	if len(result.Errors) > 0 {
		return nil, errors.New(api.FormatMessages(result.Errors, api.FormatMessagesOptions{Kind: api.ErrorMessage})[0])
	}
	files := map[string][]byte{}
	for _, f := range result.OutputFiles {
		files[filepath.Base(f.Path)] = f.Contents
	}
	for _, name := range []string{"index.html", "icon.svg"} {
		content, err := os.ReadFile(filepath.Join(root, "src", name))
		if err != nil {
			return nil, err
		}
		files[name] = content
	}
	licence, err := os.ReadFile(filepath.Join(root, "third_party", "uplot", "LICENSE"))
	if err != nil {
		return nil, err
	}
	files["THIRD_PARTY.txt"] = append([]byte("page.js and page.css contain uPlot 1.6.32, https://github.com/leeoniya/uPlot\n\n"), licence...)
	return files, nil
}
