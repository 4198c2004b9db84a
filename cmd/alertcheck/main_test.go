package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files")

// alertcheck runs the command with the test data as its working directory.
func alertcheck(t *testing.T, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	t.Chdir("testdata")
	var out, errs bytes.Buffer
	status = run(args, strings.NewReader(stdin), &out, &errs)
	return status, out.String(), errs.String()
}

func assertGolden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(got), 0o600))
	}
	want, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

func TestGolden(t *testing.T) {
	for _, c := range []struct {
		name   string
		args   []string
		status int
	}{
		{"rules", []string{"rules", "host.rules.yaml", "settings.yaml", "collector.yaml", "no-alerts.yaml"}, ok},
		{
			"rules-broken",
			[]string{"rules", "broken.rules.yaml", "typo.rules.yaml", "renamed.rules.yaml", "renamed-value.rules.yaml", "broken-collector.yaml", "missing.yaml", "host.rules.yaml", "storages.yaml"},
			failed,
		},
		{"test", []string{"test", "host.test.yaml", "instance.test.yaml", "collector.test.yaml", "fleet.test.yaml"}, ok},
		{"test-forms", []string{"test", "forms.test.yaml"}, ok},
		{"rules-forms", []string{"rules", "forms.rules.yaml"}, ok},
		{"test-differing", []string{"test", "differing.test.yaml", "host.rules.yaml", "instance.test.yaml"}, failed},
		{"explain", []string{"explain", "--rules", "host.rules.yaml", "host.jsonl"}, ok},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, stdout, stderr := alertcheck(t, "", c.args...)
			assert.Equal(t, c.status, status)
			assertGolden(t, c.name+".golden", "== output\n"+stdout+"== errors\n"+stderr)
		})
	}
}

// TestREADME runs the test that the README shows, and holds its replay to be one.
func TestREADME(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	block := func(begin string) string {
		_, rest, found := strings.Cut(string(readme), "\n```"+begin)
		require.True(t, found, begin)
		text, _, _ := strings.Cut(rest, "\n```")
		return text
	}
	rules, err := filepath.Abs("testdata/host.rules.yaml")
	require.NoError(t, err)
	status, stdout, _ := alertcheck(t, "", "test", write(t, strings.Replace(block("yaml\n"), "host.rules.yaml", rules, 1)))
	assert.Equal(t, ok, status, stdout)
	replayed, err := os.ReadFile("explain.golden")
	require.NoError(t, err)
	for line := range strings.Lines(block("\n$ alertcheck explain --rules host.rules.yaml host.jsonl\n")) {
		assert.Contains(t, string(replayed), strings.TrimSuffix(line, "\n"))
	}
}

// write writes a file of its own for the test.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// A Collector configuration is read as the Collector reads it.
func TestVariablesOfCollectorConfigurations(t *testing.T) {
	const config = `
exporters: {otlp: {endpoint: "${env:ALERTCHECK_UNSET}", headers: {a: "$${b}"}}}
processors:
  alert:
    evaluation_interval: ${env:ALERTCHECK_INTERVAL:-1m}
    rules:
      - {name: "${ALERTCHECK_NAME}", metric: m, threshold: "${env:ALERTCHECK_BOUND}", severity: "${yaml:warning}", message: "${env:ALERTCHECK_NONE:-}"}
`
	t.Run("in the environment, as defaults, as YAML", func(t *testing.T) {
		t.Setenv("ALERTCHECK_NAME", "007")
		t.Setenv("ALERTCHECK_BOUND", "80%")
		path := write(t, config)
		status, stdout, stderr := alertcheck(t, "", "rules", path)
		assert.Equal(t, ok, status, stderr)
		assert.Equal(t, path+": processors::alert: 1 rule\n", stdout)
		doc, err := readDocument(path)
		require.NoError(t, err)
		require.Len(t, doc.sources, 1)
		assert.Equal(t, "007", doc.sources[0].config.Rules[0].Name, "text stays what was written")
		assert.Equal(t, time.Minute, doc.sources[0].config.EvaluationInterval)
	})
	t.Run("not set", func(t *testing.T) {
		status, _, stderr := alertcheck(t, "", "rules", write(t, config))
		assert.Equal(t, failed, status)
		assert.Contains(t, stderr, "rules[0]: name is required")
	})
	t.Run("of a scheme that nobody knows", func(t *testing.T) {
		status, _, stderr := alertcheck(t, "", "rules", write(t, "processors: {alert: {preset: \"${vault:x}\"}}"))
		assert.Equal(t, failed, status)
		assert.Contains(t, stderr, `: resolving: scheme "vault" is not supported`)
	})
	t.Run("a file that is not there", func(t *testing.T) {
		status, _, stderr := alertcheck(t, "", "rules", write(t, "processors: {alert: {preset: \"${file:/nowhere/x}\"}}"))
		assert.Equal(t, failed, status)
		assert.Contains(t, stderr, "resolving: ")
	})
	t.Run("rules files have none", func(t *testing.T) {
		path := write(t, "rules: [{name: x, metric: m, threshold: \"${env:ALERTCHECK_BOUND}\", severity: warning}]")
		status, _, stderr := alertcheck(t, "", "rules", path)
		assert.Equal(t, failed, status)
		assert.Contains(t, stderr, `threshold "${env:ALERTCHECK_BOUND}": expected a number`)
	})
}

func TestExplainOfHistograms(t *testing.T) {
	path := write(t, "rules: [{name: x, metric: m, statistic: max, threshold: 1, severity: warning}]")
	const line = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","exponentialHistogram":{"aggregationTemporality":1,"dataPoints":[` +
		`{"timeUnixNano":"1767225600000000000","count":"2","scale":5,"min":1,"max":3,"positive":{"offset":-1,"bucketCounts":["1","1"]}}]}}]}]}]}`
	status, stdout, stderr := alertcheck(t, line, "explain", "--rules", path, "-")
	assert.Equal(t, ok, status, stderr)
	assert.Contains(t, stdout, `2026-01-01T00:00:00Z  x{}  fire       warning   3 (threshold > 1)  reason threshold  "x: max of m is 3 (> 1)"`)
}

// Alerts of several hosts look alike but for their resource.
func TestExplainNamesTheHost(t *testing.T) {
	rules := write(t, `
rules:
  - {name: load, metric: m, threshold: 1, severity: warning}
  - {name: any_load, metric: m, group_by: [], threshold: 1, severity: warning}
silences: [{match: {host.name: c}, to: 2027-01-01T00:00:00Z}]
`)
	line := func(host, second, value string) string {
		return `{"resourceMetrics":[{"resource":{"attributes":[{"key":"host.name","value":{"stringValue":"` + host + `"}},` +
			`{"key":"service.instance.id","value":{"stringValue":"7"}}]},"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[` +
			`{"timeUnixNano":"17672256` + second + `000000000","asDouble":` + value + `}]}}]}]}]}` + "\n"
	}
	const at, later = "00", "10"
	input := line("a", at, "3") + line("b", at, "3") + line("c", at, "3") + line("d", at, "3") + line("b", later, "0")
	status, stdout, stderr := alertcheck(t, input, "explain", "--rules", rules, "-")
	assert.Equal(t, ok, status, stderr)
	for _, want := range []string{
		`load{host.name="a"}  fire`, `load{host.name="b"}  fire`, `load{host.name="d"}  fire`, `load{host.name="b"}  resolve`, `any_load{}  fire`,
		`still firing: load{host.name="a"} warning since`, `still firing: load{host.name="d"} warning since`, `still firing: any_load{} warning since`,
		`still firing: load{host.name="c"} warning since`, // The silenced one, of which there is no record.
	} {
		assert.Equal(t, 1, strings.Count(stdout, want), "%s in\n%s", want, stdout)
	}
}

func TestExplainReadsStandardInput(t *testing.T) {
	recorded, err := os.ReadFile(filepath.Join("testdata", "host.jsonl"))
	require.NoError(t, err)
	lines := strings.SplitAfter(string(recorded), "\n")
	status, stdout, stderr := alertcheck(t, strings.Join(lines[:6], "")+"\n"+`{"resourceLogs":[]}`, "explain", "--rules", "host.rules.yaml", "-")
	assert.Equal(t, ok, status, stderr)
	assert.Contains(t, stdout, "end: 6 lines")
	assert.Contains(t, stdout, `still firing: disk{host.name="db1", system.filesystem.mountpoint="/"} critical since 2026-01-01T00:02:30Z`)
}

func TestExplainErrors(t *testing.T) {
	point := func(nano string) string {
		return `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[{"timeUnixNano":"` + nano + `","asDouble":1}]}}]}]}]}` + "\n"
	}
	for _, c := range []struct{ name, input, rules, want string }{
		{"no JSON", "{", "host.rules.yaml", "-: line 1: "},
		{"no metrics", "\n\n", "host.rules.yaml", "no metrics in the input"},
		{
			"a clock that was wrong", point("1") + point("1767225600000000000"), "host.rules.yaml",
			"-: line 2: time leaps from 1970-01-01T00:00:00Z to 2026-01-01T00:00:00Z",
		},
		{"broken rules", "", "broken.rules.yaml", "broken.rules.yaml: rules[1]: name is required"},
		{"no component", "", "no-alerts.yaml", "no-alerts.yaml: no alert processor or connector in this configuration"},
		{"several components", "", "collector.yaml", "collector.yaml: which component? There are processors::alert/edge, connectors::alert"},
		{"no such rules", "", "missing.yaml", "missing.yaml: reading: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, _, stderr := alertcheck(t, c.input, "explain", "--rules", c.rules, "-")
			assert.Equal(t, failed, status)
			assert.True(t, strings.HasPrefix(stderr, c.want), stderr)
		})
	}
	t.Run("no such recording", func(t *testing.T) {
		status, _, stderr := alertcheck(t, "", "explain", "--rules", "collector.yaml", "--component", "alert", "missing.jsonl")
		assert.Equal(t, failed, status)
		assert.True(t, strings.HasPrefix(stderr, "missing.jsonl: opening: "), stderr)
	})
}

func TestMisuse(t *testing.T) {
	for _, args := range [][]string{{}, {"rulez"}, {"rules"}, {"test"}, {"explain", "x.jsonl"}, {"explain", "--rules", "x.yaml"}, {"rules", "--nope"}} {
		var out, errs bytes.Buffer
		assert.Equal(t, misuse, run(args, nil, &out, &errs), args)
		assert.Contains(t, errs.String(), "alertcheck rules FILE...")
		assert.Empty(t, out.String())
	}
	var out, errs bytes.Buffer
	assert.Equal(t, ok, run([]string{"help"}, nil, &out, &errs))
	assert.Equal(t, usage+"\n", out.String())
}

func TestParseSpan(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"0": 0, "0m": 0, "90s": 90 * time.Second, "1h30m": 90 * time.Minute, "2m59s999ms": 2*time.Minute + 59*time.Second + 999*time.Millisecond,
		"1d": 24 * time.Hour, "1w": 168 * time.Hour, "1y": 8760 * time.Hour,
	} {
		got, err := parseSpan(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "5", "m", "-1m", "1.5h", "1x", "1m ", "99999999999s", "2000000000y"} {
		_, err := parseSpan(text)
		require.Error(t, err, text)
	}
}

func FuzzParseSpan(f *testing.F) {
	for _, s := range []string{"0", "1h30m", "2m59s999ms", "1d", "9223372036854775807y", "ms", "1mm"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseSpan(text)
		assert.GreaterOrEqual(t, d, time.Duration(0))
		if err != nil {
			assert.Zero(t, d)
		}
	})
}

func TestTestFileErrors(t *testing.T) {
	const rules = "rules: [{name: r, metric: m, threshold: 1, severity: warning}]\n"
	for _, c := range []struct{ name, text, want string }{
		{"no tests", rules, "no tests"},
		{"unknown key", rules + "tests: [{promql_expr_test: []}]", "promql_expr_test"},
		{"rules twice", rules + "collector_config: collector.yaml\ntests: [{}]", "collector_config brings its own rules"},
		{"no such rules", "rule_files: [nowhere/*.yaml]\ntests: [{}]", "matched no file"},
		{"interval", rules + "tests: [{interval: soon}]", `interval: expected a duration such as 1h30m, got "soon"`},
		{"no interval", rules + "tests: [{interval: 0}]", "interval must be > 0"},
		{"values", rules + "tests: [{input_series: [{series: m, values: 1 two}]}]", `input_series[0]: parsing "two": expected a number`},
		{"series", rules + "tests: [{input_series: [{series: 'm{', values: 1}]}]", `parsing series "m{"`},
		{"eval_time", rules + "tests: [{alert_rule_test: [{eval_time: x, alertname: r}]}]", "alert_rule_test[0]: eval_time: expected a duration"},
		{"interval without a unit", rules + "tests: [{interval: 30}]", "interval: a duration has a unit, as in 30s"},
		{"eval_time without a unit", rules + "tests: [{alert_rule_test: [{eval_time: 5, alertname: r}]}]", "eval_time: a duration has a unit, as in 5s"},
		{"at without a unit", rules + "tests: [{transitions: [{at: 1.5}]}]", "transitions[0]: at: a duration has a unit, as in 1.5s"},
		{"settings without a unit", "evaluation_interval: 30\n" + rules + "tests: [{}]", "evaluation_interval is 30: a duration has a unit, as in 30s"},
		{"at", rules + "tests: [{transitions: [{at: x}]}]", "transitions[0]: at: expected a duration"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, stdout, stderr := alertcheck(t, "", "test", write(t, c.text))
			assert.Equal(t, failed, status)
			assert.Contains(t, stdout+stderr, c.want)
		})
	}
}

// A file that is nested without end is refused at once: to decode it would take minutes.
func TestDeepFiles(t *testing.T) {
	const depth = 3000
	for name, text := range map[string]string{
		"lists":             "rules: " + strings.Repeat("[", depth) + strings.Repeat("]", depth),
		"maps":              "rules: " + strings.Repeat("{a: ", depth) + "1" + strings.Repeat("}", depth),
		"a config":          "connectors: {alert: {rules: " + strings.Repeat("{a: ", depth) + "1" + strings.Repeat("}", depth) + "}}",
		"a file of another": "connectors: {alert: {rules: '${file:deep.yaml}'}}",
		"a variable":        "connectors: {alert: {rules: '${env:DEEP}'}}",
		"a text":            "connectors: {alert: {rules: '${yaml:" + strings.Repeat("[", depth) + strings.Repeat("]", depth) + "}'}}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			t.Setenv("DEEP", strings.Repeat("{a: ", depth)+"1"+strings.Repeat("}", depth))
			require.NoError(t, os.WriteFile("deep.yaml", []byte(strings.Repeat("{a: ", depth)+"1"+strings.Repeat("}", depth)), 0o600))
			require.NoError(t, os.WriteFile("file.yaml", []byte(text), 0o600))
			for _, command := range []string{"rules", "test"} {
				if command == "test" && strings.Contains(text, "connectors") {
					continue
				}
				var out, errs bytes.Buffer
				assert.Equal(t, failed, run([]string{command, "file.yaml"}, strings.NewReader(""), &out, &errs))
				assert.Contains(t, errs.String()+out.String(), "nested")
			}
		})
	}
}
