package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkRules checks a file of a thousand rules.
func BenchmarkRules(b *testing.B) {
	var text strings.Builder
	text.WriteString("rules:\n")
	for i := range 1000 {
		fmt.Fprintf(&text, "  - {name: r%d, metric: system.cpu.utilization, match: {cpu.mode: iowait}, severity: warning, above: %d%%, for: 1m}\n", i, i%90+1)
	}
	file := filepath.Join(b.TempDir(), "rules.yaml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if status := run([]string{"rules", file}, nil, io.Discard, io.Discard); status != ok {
			b.Fatalf("status %d", status)
		}
	}
}
