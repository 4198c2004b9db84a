// The guest command is the test's hand in the virtual machine. As `guest serve` it takes requests from a serial port, runs commands, and
// records what the kernel says; its other subcommands are loads and servers that the tests start with it.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "guest:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("usage: guest serve PORT DRIVE | burn THREADS DURATION | orphans COUNT DURATION | nfs FOLDER ADDRESS | mountnfs ADDRESS MOUNTPOINT")
	}
	switch name, args := args[0], args[1:]; {
	case name == "serve" && len(args) == 2:
		return serve(args[0], args[1])
	case name == "burn" && len(args) == 2:
		return burn(args[0], args[1])
	case name == "orphans" && len(args) == 2:
		return orphans(args[0], args[1])
	case name == "nfs" && len(args) == 2:
		return serveNFS(args[0], args[1])
	case name == "mountnfs" && len(args) == 2:
		return mountNFS(args[0], args[1])
	}
	return fmt.Errorf("unknown subcommand %q", args)
}
