package browsertest

import (
	"slices"
	"strings"
	"testing"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/web/browsertest/fakehost"
)

const groupTable = `document.querySelector('table.groups')`

// TestGroups: containers and services are a table that is sorted, says what is wrong, and leads to the processes of each.
func TestGroups(t *testing.T) {
	b := open(t, serve(t, fakehost.Options{CPUs: 2, Disks: 2, Processes: 40, Groups: 30, Hostile: true, Now: fixed}))
	b.until("the groups are there", `document.querySelectorAll('table.groups tbody tr').length === 31`)
	first := eval[[]string](b, `[...`+groupTable+`.querySelectorAll('tbody tr')].find(r => r.cells[8].textContent !== '' && r.cells[9].textContent === '3').innerText.split('\t')`)
	if !slices.Contains(first, "40 %") || !slices.Contains(first, "95 %") || !slices.Contains(first, "3") || !slices.Contains(first, "container") {
		t.Errorf("the first container has %q", first)
	}
	if n := eval[int](b, groupTable+`.querySelectorAll('td.alarm').length`); n != 3 {
		t.Errorf("expected three cells that stand out, got %d", n)
	}
	column := func(i int) []string {
		return eval[[]string](b, `[...`+groupTable+`.querySelectorAll('tbody tr')].map(r => r.cells[`+string(rune('0'+i))+`].textContent)`)
	}
	if names := column(0); names[len(names)-1] != "other" || !slices.Contains(names, fakehost.Markup) {
		t.Errorf("what is not shown is not last, or a name is not text: %q", names)
	}
	eval[any](b, `[...`+groupTable+`.querySelectorAll('thead button')].find(x => x.textContent === 'name').click()`)
	names := column(0)
	if !slices.IsSorted(names[:len(names)-1]) && !strings.Contains(eval[string](b, `location.hash`), "gsort=name") {
		t.Errorf("by name the order is %q at %s", names, eval[string](b, `location.hash`))
	}
	// The second service is nginx: its processes, and no others.
	eval[any](b, `[...`+groupTable+`.querySelectorAll('tbody button')].find(x => x.textContent === 'nginx.service').click()`)
	b.until("the filter is set", `document.querySelector('input[type=search]').value === '=/system.slice/nginx.service'`)
	units := eval[[]string](b, `[...document.querySelectorAll('table.processes tbody tr')].map(r => r.cells[10].textContent)`)
	if len(units) == 0 || slices.ContainsFunc(units, func(u string) bool { return u != "nginx.service" }) {
		t.Errorf("the processes of the service are of %q", units)
	}
	b.noFaults()
}

// TestGroupsOfTheCursor: the table is that of the time that all charts show.
func TestGroupsOfTheCursor(t *testing.T) {
	b := open(t, serve(t, fakehost.Options{CPUs: 2, Disks: 2, Processes: 10, Groups: 4, Now: fixed}))
	b.until("the groups are there", `document.querySelectorAll('table.groups tbody tr').length === 5`)
	eval[any](b, `document.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowLeft', shiftKey: true}))`)
	b.until("it is of the cursor", `document.querySelector('[aria-label="Containers and services"] h2').textContent.endsWith('(cursor)')`)
	b.noFaults()
}

// TestNoGroups: where there are none, nothing of it is loaded.
func TestNoGroups(t *testing.T) {
	b := open(t, serve(t, fakehost.Options{CPUs: 2, Disks: 2, Processes: 10}))
	b.until("it is live", `document.querySelector('.state').textContent.startsWith('● live')`)
	if eval[bool](b, `window.hostPageGroups !== undefined || `+groupTable+` !== null`) {
		t.Error("there is a table of groups without groups")
	}
	b.noFaults()
}
