// Command hosttop shows, in a terminal, the host that a Collector with the host_page exporter watches. It reads the API of the page over TCP or
// a unix socket. It changes nothing but, when it is asked to, silences and acknowledgements of alerts.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const usage = `hosttop shows the host that a Collector with the host_page exporter watches.

  hosttop [flags] [address]

The address is http://host:port, host:port or unix:///path/of/socket; without one it is http://localhost:9465.

`

type options struct {
	address, header, sort, filter string
	once, tree, groups            bool
	rows, width                   int
	interval                      time.Duration

	// What is done about alerts instead of showing anything.
	acknowledge, silence, endSilence, by, comment string
	silences                                      bool
	length                                        time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "hosttop:", err)
		os.Exit(1)
	}
}

func parse(arguments []string, stderr io.Writer) (options, error) {
	o := options{address: "http://localhost:9465"}
	flags := flag.NewFlagSet("hosttop", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		_, _ = fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	flags.BoolVar(&o.once, "once", false, "print what is now as plain text, and end")
	flags.StringVar(&o.header, "header", "", `header to send, such as "Authorization: Bearer TOKEN"; also from HOSTTOP_HEADER, where other users do not see it`)
	flags.StringVar(&o.sort, "sort", "cpu", "order of the processes: cpu, mem, io, pid or name")
	flags.StringVar(&o.filter, "filter", "", "show only processes with these words in pid, name, user, unit or container; =PATH shows those of a control group")
	flags.BoolVar(&o.tree, "tree", false, "show processes under their parents")
	flags.BoolVar(&o.groups, "groups", false, "show containers and services in place of the processes")
	flags.IntVar(&o.rows, "rows", 20, "number of processes, or groups, that -once prints; 0 prints all")
	flags.IntVar(&o.width, "width", 100, "columns of -once")
	flags.DurationVar(&o.interval, "interval", 2*time.Second, "time between two looks")
	flags.StringVar(&o.acknowledge, "acknowledge", "", "say that you look after an alert that fires: its ID, or the name of its rule")
	flags.StringVar(&o.silence, "silence", "", "keep alerts from being announced: the name of a rule, or alert=ID, or key=value of an attribute, several with commas")
	flags.DurationVar(&o.length, "for", 2*time.Hour, "how long -silence lasts")
	flags.BoolVar(&o.silences, "silences", false, "list the silences in force")
	flags.StringVar(&o.endSilence, "end-silence", "", "end the silence with this ID")
	flags.StringVar(&o.by, "by", person(), "who you are, for -silence and -acknowledge")
	flags.StringVar(&o.comment, "comment", "", "why, for -silence and -acknowledge")
	if err := flags.Parse(arguments); err != nil {
		return o, err
	}
	if o.header == "" {
		o.header = os.Getenv("HOSTTOP_HEADER")
	}
	switch {
	case flags.NArg() > 1:
		return o, fmt.Errorf("expected one address, got %d", flags.NArg())
	case flags.NArg() == 1:
		o.address = flags.Arg(0)
	}
	if _, ok := orders[o.sort]; !ok {
		return o, fmt.Errorf("sort is %q: it must be cpu, mem, io, pid or name", o.sort)
	}
	if o.interval < 200*time.Millisecond {
		return o, fmt.Errorf("interval is %s: it must be at least 200ms", o.interval)
	}
	if o.width < 60 {
		return o, fmt.Errorf("width is %d: it must be at least 60", o.width)
	}
	return o, nil
}

func run(ctx context.Context, arguments []string, stdout, stderr io.Writer) error {
	o, err := parse(arguments, stderr)
	if err != nil {
		return err
	}
	c, err := newClient(o.address, o.header)
	if err != nil {
		return err
	}
	if o.asked() {
		return named(act(ctx, c, &o, stdout), o.by)
	}
	if o.once {
		return once(ctx, c, o, stdout)
	}
	return watch(ctx, c, o)
}

func once(ctx context.Context, c *client, o options, out io.Writer) error {
	s, err := c.look(ctx, nil)
	if err != nil {
		return err
	}
	lines := top(s, o.width)
	lines = append(lines, nil)
	if o.groups {
		rows, left := first(arrangeGroups(s.groups.read(), o.sort), o.rows)
		lines = append(lines, groupLines(s, rows, left, -1, o.width)...)
	} else {
		rows, left := first(arrange(s.processes, arrangement{sort: o.sort, filter: o.filter, tree: o.tree}), o.rows)
		lines = append(lines, processLines(s, rows, left, o.width)...)
	}
	for _, l := range lines {
		if _, err := fmt.Fprintln(out, l.plain()); err != nil {
			return err
		}
	}
	return nil
}

// first is the first n of a list, and how many are left; 0 takes all.
func first[T any](list []T, n int) (some []T, left int) {
	if n <= 0 || len(list) <= n {
		return list, 0
	}
	return list[:n], len(list) - n
}
