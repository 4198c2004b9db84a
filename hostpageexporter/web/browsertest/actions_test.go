package browsertest

import (
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/web/browsertest/fakehost"
)

// TestSilenceAndAcknowledge: what a person does about an alert on the page reaches the server, and what is in force is shown and can be ended.
func TestSilenceAndAcknowledge(t *testing.T) {
	host := fakehost.New(fakehost.Options{CPUs: 2, Disks: 2, Processes: 10, Actions: true, Hostile: true, Page: os.DirFS("../dist")})
	server := httptest.NewServer(host)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	b := open(t, server.URL+"/")
	b.until("actions are possible", `window.hostPageActions !== undefined`)
	eval[any](b, `document.querySelector('.firing .chip').click()`)
	b.until("the alert has controls", `document.querySelector('.detail .actions') !== null`)
	controls := `document.querySelector('.detail .actions')`
	click := func(name string) {
		eval[any](b, `[...`+controls+`.querySelectorAll('button')].find(b => b.textContent === '`+name+`').click()`)
	}
	said := controls + `.querySelector('[role=status]').textContent`
	click("silence")
	b.until("it says what is missing", said+`.startsWith('say who asks for it')`)

	eval[any](b, `(([by, why]) => { by.value = 'anna'; why.value = '<b>disk</b>'; })(`+controls+`.querySelectorAll('input'))`)
	click("silence")
	b.until("it is silenced", said+` === 'silenced'`)
	b.until("the silence is listed", `document.querySelectorAll('[aria-label=silences] tbody tr').length === 1`)
	silences := host.Silences()
	if len(silences) != 1 || silences[0]["by"] != "anna" || silences[0]["for"] != "2h" || silences[0]["alert"] == nil {
		t.Errorf("the server was asked for %v", silences)
	}
	if row := eval[string](b, `document.querySelector('[aria-label=silences] tbody tr').textContent`); !strings.Contains(row, "anna") || !strings.Contains(row, "<b>disk</b>") {
		t.Errorf("the silence is shown as %q", row)
	}
	eval[any](b, controls+`.querySelectorAll('select')[0].value = 'rule'`)
	click("silence")
	b.until("both are listed", `document.querySelectorAll('[aria-label=silences] tbody tr').length === 2`)
	if last := host.Silences()[1]; last["rule"] == nil || last["alert"] != nil {
		t.Errorf("for all of a rule the server was asked for %v", last)
	}
	eval[any](b, `document.querySelector('[aria-label=silences] button').click()`)
	b.until("one is left", `document.querySelectorAll('[aria-label=silences] tbody tr').length === 1`)

	click("acknowledge")
	b.until("it is acknowledged", said+` === 'acknowledged'`)
	if got := host.Acknowledged(); len(got) != 1 || got[0] == "" {
		t.Errorf("acknowledged are %v", got)
	}
	b.noFaults()
}

// TestNoActions: where the server takes none, nothing of it is loaded.
func TestNoActions(t *testing.T) {
	b := open(t, serve(t, fakehost.Options{CPUs: 2, Disks: 2, Processes: 10}))
	b.until("it is live", `document.querySelector('.state').textContent.startsWith('● live')`)
	eval[any](b, `document.querySelector('.firing .chip').click()`)
	b.until("the alert is shown", `!document.querySelector('.detail').hidden`)
	if eval[bool](b, `window.hostPageActions !== undefined || document.querySelector('.actions') !== null`) {
		t.Error("there are controls that can't work")
	}
	b.noFaults()
}
