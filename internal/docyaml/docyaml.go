// Package docyaml finds the YAML blocks of the documentation, and makes whole configurations of them, so that tests can hold that each is one.
package docyaml

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Table is the file, below the root of the repository, that says of each block what kind it is and what completes it.
const Table = "testdata/docs/blocks.yaml"

// The kinds of blocks.
const (
	// Collector is a configuration of the Collector, or a part of one.
	Collector = "collector"
	// Rules is a list of rules, perhaps with other settings of the alert component behind it.
	Rules = "rules"
	// Other is the configuration of something else, which the table names.
	Other = "other"
)

// Block is one block of a document.
type Block struct {
	// Doc is the document's path below the root, and Number that of the block in it, from 1.
	Doc    string
	Number int
	// Text is the block without what it is indented by.
	Text string
	// Kind is one of the kinds above.
	Kind string
	// With is what completes it, in YAML: the other parts of a configuration.
	With []string
	// Files are files that it names, and their content.
	Files map[string]string
}

// entry is what the table has of a block.
type entry struct {
	Kind  string            `yaml:"kind"`
	What  string            `yaml:"what"`
	With  string            `yaml:"with"`
	Files map[string]string `yaml:"files"`
}

var fence = regexp.MustCompile("(?ms)^( *)```ya?ml\n(.*?)^ *```")

// Blocks returns the YAML blocks of all documents below the root, in order.
func Blocks(root string) ([]Block, error) {
	text, err := os.ReadFile(filepath.Join(root, Table))
	if err != nil {
		return nil, fmt.Errorf("reading the table: %w", err)
	}
	var table struct {
		Base   string             `yaml:"base"`
		Blocks map[string][]entry `yaml:"blocks"`
	}
	if err := yaml.Unmarshal(text, &table); err != nil {
		return nil, fmt.Errorf("reading the table: %w", err)
	}
	var out []Block
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != root || d.Name() == "node_modules" || d.Name() == "decisions"):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".md":
			return nil
		}
		doc, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		found, err := blocksOf(path, filepath.ToSlash(doc), table.Base, table.Blocks[filepath.ToSlash(doc)])
		out = append(out, found...)
		return err
	})
	return out, err
}

// blocksOf returns the blocks of one document.
func blocksOf(path, doc, base string, entries []entry) ([]Block, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	found := fence.FindAllStringSubmatch(string(text), -1)
	if len(found) != len(entries) {
		return nil, fmt.Errorf("%s has %d blocks of YAML, and %s says of %d how to check them", doc, len(found), Table, len(entries))
	}
	var out []Block
	for i, f := range found {
		e := entries[i]
		b := Block{Doc: doc, Number: i + 1, Text: regexp.MustCompile("(?m)^"+f[1]).ReplaceAllString(f[2], ""), Kind: e.Kind, With: []string{e.With}, Files: e.Files}
		if b.Kind == Rules {
			b.Text = "rules:\n" + strings.TrimPrefix(b.Text, "rules:\n")
			b.With = []string{base, e.With}
		}
		out = append(out, b)
	}
	return out, nil
}

// Whole returns the configuration of the Collector that the block is completed to. Files that it names are put into dir.
func (b *Block) Whole(dir string) (string, error) {
	text := b.Text
	for path, content := range b.Files {
		file := filepath.Join(dir, filepath.Base(path))
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			return "", err
		}
		text = strings.ReplaceAll(text, path, file)
	}
	var block, with map[string]any
	if err := yaml.Unmarshal([]byte(text), &block); err != nil {
		return "", err
	}
	for _, part := range b.With {
		var more map[string]any
		if err := yaml.Unmarshal([]byte(part), &more); err != nil {
			return "", fmt.Errorf("what completes it: %w", err)
		}
		with = merged(with, more)
	}
	if b.Kind == Rules {
		block = map[string]any{"connectors": map[string]any{"alert": block}}
	}
	out, err := yaml.Marshal(merged(with, block))
	return string(out), err
}

// merged puts the second map over the first, as the Collector does with several files.
func merged(under, over map[string]any) map[string]any {
	out := maps.Clone(under)
	if out == nil {
		out = map[string]any{}
	}
	for _, key := range slices.Sorted(maps.Keys(over)) {
		below, isMap := out[key].(map[string]any)
		if of, both := over[key].(map[string]any); both && isMap {
			out[key] = merged(below, of)
		} else {
			out[key] = over[key]
		}
	}
	return out
}
