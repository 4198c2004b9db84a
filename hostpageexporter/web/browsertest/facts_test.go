package browsertest

import (
	"slices"
	"strings"
	"testing"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/web/browsertest/fakehost"
)

const faultRows = `[...document.querySelectorAll('table.faults tr')].map(r => [...r.cells].map(c => c.textContent).join('|'))`

// TestFaults: what the kernel counts as gone wrong is listed, with what it is of, the faults before what is only worth a look.
func TestFaults(t *testing.T) {
	b := open(t, serve(t, fakehost.Options{CPUs: 2, Disks: 2, Processes: 10, Faults: true, Hostile: true, Now: fixed})+"#span=1m")
	b.until("the faults are there", faultRows+`.length === 5`)
	rows := eval[[]string](b, faultRows)
	if !slices.Contains(rows, "▲ ZFS pool is not online|"+fakehost.Markup+" degraded|") || !slices.Contains(rows, "▲ clock is off||1 s") {
		t.Errorf("the faults are %q", rows)
	}
	if !slices.ContainsFunc(rows, func(r string) bool {
		return strings.HasPrefix(r, "▲ UDP: datagrams lost|receive_buffer|") && strings.HasSuffix(r, "in this window")
	}) {
		t.Errorf("no lost datagrams in %q", rows)
	}
	if !strings.HasPrefix(rows[3], "·") || !strings.HasPrefix(rows[4], "·") || slices.ContainsFunc(rows, func(r string) bool { return strings.Contains(r, "snap") || strings.Contains(r, "no_port") }) {
		t.Errorf("the order is %q", rows)
	}
	b.noFaults()
}

// TestNoFaults: of a host that is well there is one quiet line.
func TestNoFaults(t *testing.T) {
	b := open(t, serve(t, fakehost.Options{CPUs: 2, Disks: 2, Processes: 10, Facts: true, Now: fixed}))
	b.until("it says so", `document.querySelector('[aria-label=Faults] .note')?.textContent === '✓ none of the 6 that are counted'`)
	if rows := eval[[]string](b, faultRows); len(rows) > 0 {
		t.Errorf("listed are %q", rows)
	}
	b.noFaults()
}
