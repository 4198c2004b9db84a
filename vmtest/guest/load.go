package main

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// burn keeps so many threads busy for a while.
func burn(threads, duration string) error {
	n, err := strconv.Atoi(threads)
	if err != nil {
		return err
	}
	d, err := time.ParseDuration(duration)
	if err != nil {
		return err
	}
	runtime.GOMAXPROCS(n)
	end := time.Now().Add(d)
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			for time.Now().Before(end) {
				for i := range 1 << 16 {
					_ = i * i
				}
			}
		})
	}
	wg.Wait()
	return nil
}

// orphans starts so many children, one after the other, that each burn for a while and that nobody waits for: the kernel reaps them, for
// SIGCHLD is ignored, and their time is in nobody's children's time.
func orphans(count, each string) error {
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	// Go's runtime keeps a handler for SIGCHLD, so that the shell, which has none, does it.
	script := `trap '' CHLD; i=0; while [ $i -lt ` + strconv.Itoa(n) + ` ]; do "$0" burn 1 ` + each + ` & sleep ` + seconds(each) + `; i=$((i+1)); done`
	cmd := exec.Command("/bin/sh", "-c", script, "/guest")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd.Run()
}

func seconds(duration string) string {
	d, err := time.ParseDuration(duration)
	if err != nil {
		return "1"
	}
	return strconv.FormatFloat(d.Seconds(), 'f', -1, 64)
}
