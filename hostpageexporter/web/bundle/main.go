// Command bundle writes dist/ from src/ and third_party/: what the exporter embeds. The same sources give the same bytes.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

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

// build returns the files of dist by name.
func build(web string) (map[string][]byte, error) {
	root, err := filepath.Abs(web)
	if err != nil {
		return nil, err
	}
	result := api.Build(api.BuildOptions{
		AbsWorkingDir:     root,
		EntryPoints:       []string{"src/page.ts", "src/page.css"},
		Outdir:            "dist",
		Bundle:            true,
		Format:            api.FormatIIFE,
		Target:            api.ES2022,
		Charset:           api.CharsetUTF8,
		LegalComments:     api.LegalCommentsNone,
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		Plugins:           []api.Plugin{{Name: "uplot", Setup: leaveOut}},
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

// unused are the lines by which uPlot offers what the page does not draw. Without them the bundler leaves out what stands behind.
var unused = []string{
	"(paths.stepped = stepped);",
	"(paths.bars    = bars);",
	"(paths.spline  = monotoneCubic);",
	"uPlot.join = join;",
	"uPlot.rangeLog = rangeLog;",
	"uPlot.rangeAsinh = rangeAsinh;",
}

func leaveOut(build api.PluginBuild) {
	build.OnLoad(api.OnLoadOptions{Filter: `uPlot\.esm\.js$`}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
		content, err := os.ReadFile(args.Path)
		if err != nil {
			return api.OnLoadResult{}, err
		}
		text := string(content)
		for _, line := range unused {
			if strings.Count(text, line) != 1 {
				return api.OnLoadResult{}, fmt.Errorf("uPlot has no line %q: it is another version than 1.6.32", line)
			}
			text = strings.Replace(text, line, "", 1)
		}
		return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, nil
	})
}
