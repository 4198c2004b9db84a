package otelcolpsutil_test

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sources lists the files of the tree with one of the endings, without what is built.
func sources(t *testing.T, endings ...string) []string {
	t.Helper()
	var found []string
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{".git", "build", "dist", "node_modules", "quickstart-data"}, d.Name()):
			return filepath.SkipDir
		case !d.IsDir() && slices.Contains(endings, filepath.Ext(path)):
			found = append(found, path)
		}
		return nil
	}))
	return found
}

var (
	markdownLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	inlineCode   = regexp.MustCompile("`([^`\\s]+)`")
	testName     = regexp.MustCompile(`^(Test|Fuzz|Benchmark)[A-Z]\w+$`)
	fencedBlock  = regexp.MustCompile("(?ms)^```.*?^```")
)

// TestDocsNameWhatExists holds every relative link, every path of this tree and every test that a page names against the tree.
func TestDocsNameWhatExists(t *testing.T) {
	functions := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	for _, path := range sources(t, ".go") {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, m := range declared.FindAllSubmatch(text, -1) {
			functions[string(m[1])] = true
		}
	}
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	folders := map[string]bool{}
	for _, e := range entries {
		folders[e.Name()] = e.IsDir()
	}
	for _, page := range sources(t, ".md") {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		prose := fencedBlock.ReplaceAllString(string(text), "")
		for _, m := range markdownLink.FindAllStringSubmatch(prose, -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if target == "" || strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			assert.True(t, exists(filepath.Join(filepath.Dir(page), target)), "%s links to %s", page, target)
		}
		for _, m := range inlineCode.FindAllStringSubmatch(prose, -1) {
			name := m[1]
			if testName.MatchString(name) {
				assert.True(t, functions[name], "%s names the test %s", page, name)
				continue
			}
			first, _, hasSlash := strings.Cut(name, "/")
			if !hasSlash || !folders[first] || strings.ContainsAny(name, "<>*{}$…:=[]") || strings.HasPrefix(name, "build/") {
				continue
			}
			assert.True(t, exists(name), "%s names %s", page, name)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestDecisionsAreDated holds the form of the decision records.
func TestDecisionsAreDated(t *testing.T) {
	pages, err := filepath.Glob("docs/decisions/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	status := regexp.MustCompile(`^Date: \d{4}-\d{2}-\d{2}\. Status: (accepted|superseded by \[\d+\]\(\d{4}-[a-z0-9-]+\.md\)|withdrawn)[.;]`)
	for i, page := range pages {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
		assert.LessOrEqual(t, len(lines), 40, page)
		assert.True(t, strings.HasPrefix(filepath.Base(page), fmt.Sprintf("%04d-", i+1)), "%s: numbers follow each other", page)
		assert.True(t, strings.HasPrefix(lines[0], fmt.Sprintf("# %d. ", i+1)), "%s: the title has the number", page)
		require.Greater(t, len(lines), 2, page)
		assert.Regexp(t, status, lines[2], page)
	}
}

// arrows reads the block of docs/architecture.md that says which package of this module imports which: the name of a package below
// the module, an arrow, and the packages that it imports.
func arrows(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("docs/architecture.md")
	require.NoError(t, err)
	_, block, found := strings.Cut(string(text), "```imports\n")
	require.True(t, found, "docs/architecture.md has a block `imports`")
	block, _, found = strings.Cut(block, "```")
	require.True(t, found)
	drawn := map[string][]string{}
	for s := bufio.NewScanner(strings.NewReader(block)); s.Scan(); {
		from, to, found := strings.Cut(s.Text(), "──►")
		require.True(t, found, "no arrow in %q", s.Text())
		from = strings.TrimSpace(from)
		require.NotContains(t, drawn, from)
		drawn[from] = []string{}
		for _, name := range strings.FieldsFunc(to, func(r rune) bool { return r == ' ' || r == ',' }) {
			if name != "–" {
				drawn[from] = append(drawn[from], name)
			}
		}
		slices.Sort(drawn[from])
	}
	return drawn
}

// TestArrowsAreTheImports holds the arrows of docs/architecture.md against what the packages of the module import. What mdatagen generates
// for one component alone, and what only tests are made of, is not drawn.
func TestArrowsAreTheImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...").Output()
	require.NoError(t, err)
	imports := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		from := strings.TrimPrefix(fields[0], module+"/")
		to := []string{}
		for _, path := range fields[1:] {
			if name, ours := strings.CutPrefix(path, module+"/"); ours && !strings.HasSuffix(name, "/internal/metadata") {
				to = append(to, name)
			}
		}
		slices.Sort(to)
		imports[from] = to
	}
	drawn := arrows(t)
	for from, to := range drawn {
		assert.Equal(t, imports[from], to, "imports of %s: what is written, and what is drawn", from)
	}
	for from, to := range imports {
		if !strings.HasPrefix(from, "docs/") && !strings.HasPrefix(from, "e2e/") && len(to) > 0 {
			assert.Contains(t, drawn, from, "no line for a package that imports others of the module")
		}
	}
}

// TestArrowsAreTheLinters holds the arrows against the linter's rules: none is drawn that a rule of .golangci.yaml denies, and each
// package of ours that a strict rule allows is the end of an arrow that it governs.
func TestArrowsAreTheLinters(t *testing.T) {
	linter := read[struct {
		Linters struct {
			Settings struct {
				Depguard struct {
					Rules map[string]struct {
						Files    []string `yaml:"files"`
						ListMode string   `yaml:"list-mode"`
						Allow    []string `yaml:"allow"`
						Deny     []struct {
							Pkg string `yaml:"pkg"`
						} `yaml:"deny"`
					} `yaml:"rules"`
				} `yaml:"depguard"`
			} `yaml:"settings"`
		} `yaml:"linters"`
	}](t, ".golangci.yaml")
	rules := linter.Linters.Settings.Depguard.Rules
	require.NotEmpty(t, rules)
	drawn := arrows(t)
	for name, rule := range rules {
		var targets []string
		governed := false
		for from, to := range drawn {
			if !governs(rule.Files, from) {
				continue
			}
			governed = true
			targets = append(targets, to...)
			for _, target := range to {
				path := module + "/" + target
				if rule.ListMode == "strict" {
					assert.True(t, slices.ContainsFunc(rule.Allow, func(allowed string) bool { return importMatches(allowed, path) }),
						"rule %s does not allow %s ──► %s", name, from, target)
				}
				for _, d := range rule.Deny {
					assert.False(t, importMatches(d.Pkg, path), "rule %s denies %s ──► %s", name, from, target)
				}
			}
		}
		assert.True(t, governed, "rule %s is about no package that is drawn", name)
		for _, allowed := range rule.Allow {
			if strings.HasPrefix(allowed, module) {
				assert.True(t, slices.ContainsFunc(targets, func(target string) bool { return importMatches(allowed, module+"/"+target) }),
					"rule %s allows %s, and no such arrow is drawn", name, allowed)
			}
		}
	}
}

// importMatches tells whether a depguard entry covers an import: by prefix, or whole when it ends in $.
func importMatches(entry, path string) bool {
	if exact, ok := strings.CutSuffix(entry, "$"); ok {
		return exact == path
	}
	return strings.HasPrefix(path, entry)
}

// governs tells whether a depguard rule holds for the files of a package.
func governs(files []string, name string) bool {
	governed := false
	for _, pattern := range files {
		if strings.HasPrefix(pattern, "$") || strings.HasPrefix(pattern, "!$") {
			continue
		}
		pattern, negated := strings.CutPrefix(pattern, "!")
		expression := regexp.QuoteMeta(strings.TrimPrefix(pattern, "**/"))
		expression = strings.ReplaceAll(expression, `/\*\*/`, "/(.*/)?")
		expression = strings.ReplaceAll(expression, `\*`, "[^/]*")
		if regexp.MustCompile("^" + expression + "$").MatchString(name + "/x.go") {
			governed = !negated
		}
	}
	return governed
}
