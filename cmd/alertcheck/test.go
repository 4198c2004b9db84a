package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ruletest"
	"github.com/otelcol-psutil/otelcol-psutil/internal/printable"
)

// testRules runs the tests of the files and says what differs.
func testRules(files []string, stdout, stderr io.Writer) int {
	status := ok
	for _, file := range files {
		tests, rules, err := readTestFile(file)
		if err != nil {
			report(stderr, file, "", err)
			status = failed
			continue
		}
		differing := 0
		for i := range tests.Tests {
			problems := tests.Tests[i].run(rules, tests)
			if len(problems) == 0 {
				continue
			}
			differing++
			fmt.Fprintf(stdout, "%s: %s:\n", file, tests.Tests[i].title(i))
			for _, p := range problems {
				fmt.Fprintln(stdout, indent(p))
			}
		}
		if differing > 0 {
			fmt.Fprintf(stdout, "%s: FAILED, %d of %s\n", file, differing, count(len(tests.Tests), "test"))
			status = failed
			continue
		}
		fmt.Fprintf(stdout, "%s: ok, %s\n", file, count(len(tests.Tests), "test"))
	}
	return status
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }

func (c *testCase) title(i int) string {
	if c.Name != "" {
		return fmt.Sprintf("tests[%d] %q", i, c.Name)
	}
	return fmt.Sprintf("tests[%d]", i)
}

// run runs one test and returns what differs, a text for each expectation.
func (c *testCase) run(rules *rules.Set, file *testFile) []string {
	input, err := c.input(file.config.EvaluationInterval)
	if err != nil {
		return []string{printable.ShortQuotes(err.Error())}
	}
	result, err := ruletest.Run(rules, input)
	if err != nil {
		return []string{printable.ShortQuotes(err.Error())}
	}
	var problems []string
	for i := range c.AlertRuleTest {
		if p := c.AlertRuleTest[i].check(rules, result); p != "" {
			problems = append(problems, p)
		}
	}
	if c.Transitions != nil {
		if p := checkTransitions(c.Transitions, result.Transitions); p != "" {
			problems = append(problems, p)
		}
	}
	return problems
}

// check compares the alerts of one rule that fire at one moment.
func (a *alertTest) check(rules *rules.Set, result *ruletest.Result) string {
	title := fmt.Sprintf("%s at %s", a.AlertName, a.EvalTime)
	if !slices.Contains(rules.Names(), a.AlertName) {
		return fmt.Sprintf("%s: there is no rule of that name", title)
	}
	at, err := parseSpan(a.EvalTime)
	if err != nil {
		return fmt.Sprintf("%s: %s", title, printable.ShortQuotes(err.Error()))
	}
	got := firing(a.AlertName, result, at)
	unexpected := slices.Clone(got)
	var missing, all []string
	for i := range a.ExpAlerts {
		want := &a.ExpAlerts[i]
		all = append(all, want.String())
		if k := slices.IndexFunc(unexpected, want.matches); k >= 0 {
			unexpected = slices.Delete(unexpected, k, k+1)
		} else {
			missing = append(missing, want.String())
		}
	}
	if len(missing) == 0 && len(unexpected) == 0 {
		return ""
	}
	var have []string
	for i := range got {
		have = append(have, got[i].String())
	}
	return fmt.Sprintf("%s:\n  expected: %s\n  got:      %s", title, list(all), list(have))
}

func list(items []string) string {
	if len(items) == 0 {
		return "nothing"
	}
	slices.Sort(items)
	return strings.Join(items, "\n            ")
}

// labels returns what distinguishes the alert, and the severity if it stands among the labels, as promtool's files have it.
func (x *expectedAlert) labels() (labels map[string]string, severity string) {
	labels, severity = map[string]string{}, x.Severity
	for _, m := range []map[string]string{x.ExpLabels, x.Attributes} {
		for k, v := range m {
			if k == "severity" {
				severity = v
				continue
			}
			labels[k] = v
		}
	}
	return labels, severity
}

func (x *expectedAlert) matches(got firingAlert) bool {
	labels, severity := x.labels()
	return maps.Equal(labels, got.labels) && (severity == "" || severity == got.severity) &&
		(x.ExpAnnotations == nil || maps.Equal(x.ExpAnnotations, got.annotations)) && (x.Message == "" || x.Message == got.message)
}

func (x *expectedAlert) String() string {
	labels, severity := x.labels()
	return (&firingAlert{severity: severity, labels: labels, annotations: x.ExpAnnotations, message: x.Message}).String()
}
