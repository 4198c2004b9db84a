package harness

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestLogLinesTellWhoSaysWhat(t *testing.T) {
	output := "2026-01-02T03:04:05.678Z\twarn\tbuilders/builders.go:40\t\"a\" is b\t{\"resource\": {\"x\": \"y\"}, \"otelcol.component.id\": \"alert\", \"otelcol.component.kind\": \"connector\"}\n" +
		"2026-01-02T03:04:05.678Z\terror\ta tab\tin it\n" +
		"\tmain.main\n\t\t/src/main.go:3\n" +
		"printed\n" +
		"2026-01-02T03:04:05.678Z\tinfo\tno fields"
	assert.Equal(t, []LogLine{
		{Level: "warn", Message: `"a" is b`, Component: "alert", Kind: "connector"},
		{Level: "error", Message: "a tab\tin it"},
		{Level: "info", Message: "no fields"},
	}, LogLines(output))
}
