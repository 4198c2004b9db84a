// Command alertcheck works on the rules of the alert processor and connector without a Collector: it validates them, and the storages
// of Collector configurations with them, runs tests of rules on written-down series, explains what rules make of recorded metrics, and sends test
// alerts on the channels of the notify exporter.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/otelcol-psutil/otelcol-psutil/internal/printable"
)

const usage = `alertcheck works on the rules of the alert processor and connector.

  alertcheck rules FILE...                      validate rules: rules files, or Collector configurations, and there the storages too;
                                                --strict in front of the files makes errors of warnings
  alertcheck test FILE...                       run rule tests
  alertcheck explain --rules FILE OTLP.jsonl... replay recorded metrics and print every transition; - is standard input
  alertcheck notify --config FILE --channel NAME
                                                send a test alert on a channel of the notify exporter, and say what the server answered

Exit status: 0 when all is well, 1 when something is wrong with what was checked, 2 when the command line is.`

// Exit statuses.
const (
	ok     = 0
	failed = 1
	misuse = 2
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run is main with its surroundings as parameters.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	stdout, stderr = printable.Writer(stdout), printable.Writer(stderr) // Some of it is text of others.
	if len(args) == 0 {
		fmt.Fprintln(stderr, usage)
		return misuse
	}
	command, args := args[0], args[1:]
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprintln(stderr, usage) }
	var rulesFile, component, config, channel string
	var strict bool
	switch command {
	case "rules":
		flags.BoolVar(&strict, "strict", false, "warnings are errors")
	case "test":
	case "explain":
		flags.StringVar(&rulesFile, "rules", "", "rules file or Collector configuration")
		flags.StringVar(&component, "component", "", "the alert component of the configuration, when it has several")
	case "notify":
		flags.StringVar(&config, "config", "", "Collector configuration")
		flags.StringVar(&channel, "channel", "", "the channel to try")
		flags.StringVar(&component, "component", "", "the notify exporter of the configuration, when it has several")
	case "help", "-h", "--help":
		fmt.Fprintln(stdout, usage)
		return ok
	default:
		fmt.Fprintf(stderr, "unknown command %q\n\n%s\n", command, usage)
		return misuse
	}
	if err := flags.Parse(args); err != nil {
		return misuse
	}
	files := flags.Args()
	if command == "notify" {
		if config == "" || channel == "" || len(files) > 0 {
			fmt.Fprintln(stderr, usage)
			return misuse
		}
		return tryChannel(config, component, channel, stdout, stderr)
	}
	if len(files) == 0 || command == "explain" && rulesFile == "" {
		fmt.Fprintln(stderr, usage)
		return misuse
	}
	switch command {
	case "rules":
		return checkRules(files, strict, stdout, stderr)
	case "test":
		return testRules(files, stdout, stderr)
	default:
		if err := explain(rulesFile, component, files, stdin, stdout); err != nil {
			fmt.Fprintln(stderr, printable.ShortQuotes(err.Error()))
			return failed
		}
		return ok
	}
}
