package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestDistIsOfTheSources: what is committed is what the sources give, byte for byte.
func TestDistIsOfTheSources(t *testing.T) {
	files, err := build("..")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("..", "dist", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("dist/%s is not of the sources: run make generate", name)
		}
	}
	entries, err := os.ReadDir(filepath.Join("..", "dist"))
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(files) {
		t.Errorf("expected %d files in dist, got %d", len(files), len(entries))
	}
}

// TestNoMarkupOfText: names are text of others, and become text alone.
func TestNoMarkupOfText(t *testing.T) {
	files, err := build("..")
	if err != nil {
		t.Fatal(err)
	}
	forbidden := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|cssText|setAttribute\("style"`)
	if found := forbidden.FindAll(files["page.js"], -1); found != nil {
		t.Errorf("page.js has %q", found)
	}
	if found := regexp.MustCompile(` style=| on[a-z]+=|<script>|<style`).Find(files["index.html"]); found != nil {
		t.Errorf("index.html has %q", found)
	}
	if found := regexp.MustCompile(`url\(|@import`).Find(files["page.css"]); found != nil {
		t.Errorf("page.css has %q", found)
	}
}
