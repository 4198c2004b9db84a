package harness

import (
	"encoding/json"
	"strings"
)

// LogLine is a line that a Collector has logged.
type LogLine struct {
	// Level is debug, info, warn or error.
	Level string
	// Message is the text, without the place in the code and without the fields.
	Message string
	// Component and Kind are the ID and the kind of the component that has logged it, such as otlp_grpc/alerts and exporter; empty for none.
	Component, Kind string
}

// LogLines gives the lines that a Collector has logged with the encoding console, which is the default. What else it has printed, as the lines of a
// stack, is left out.
func LogLines(output string) (lines []LogLine) {
	for text := range strings.Lines(output) {
		columns := strings.Split(strings.TrimSuffix(text, "\n"), "\t")
		if len(columns) < 3 {
			continue
		}
		line := LogLine{Level: columns[1]}
		switch line.Level {
		case "debug", "info", "warn", "error":
		default:
			continue
		}
		rest := columns[2:]
		var fields struct {
			ID   string `json:"otelcol.component.id"`
			Kind string `json:"otelcol.component.kind"`
		}
		if last := rest[len(rest)-1]; len(rest) > 1 && json.Unmarshal([]byte(last), &fields) == nil {
			line.Component, line.Kind, rest = fields.ID, fields.Kind, rest[:len(rest)-1]
		}
		if len(rest) > 1 && strings.Contains(rest[0], ".go:") {
			rest = rest[1:]
		}
		line.Message = strings.Join(rest, "\t")
		lines = append(lines, line)
	}
	return lines
}
