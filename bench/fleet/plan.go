package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// alertOf names an alert by its rule and host.
type alertOf struct{ rule, host string }

// What a host needs before its trouble and after it, in intervals, so that every alert fires and resolves within the run.
const (
	cyclesBefore  = cyclesOfWindow + 1
	cyclesTrouble = 2 * cyclesOfWindow
	cyclesAfter   = cyclesOfWindow + 4
)

// plan puts n of the hosts in trouble, one after the other over the run, each by the next of the symptoms that the rules see. It returns
// the alerts that there must be.
func plan(hosts []*host, n int, rules []rule, interval, duration time.Duration, start time.Time) (map[alertOf]bool, error) {
	spare := int(duration/interval) - cyclesBefore - cyclesTrouble - cyclesAfter
	if spare < 0 {
		return nil, fmt.Errorf("a run of %v is too short: it takes %d intervals at least", duration, cyclesBefore+cyclesTrouble+cyclesAfter)
	}
	n = min(n, len(hosts))
	var seen []int // The symptoms.
	for _, r := range rules {
		if !slices.Contains(seen, r.symptom) {
			seen = append(seen, r.symptom)
		}
	}
	expected := map[alertOf]bool{}
	for j := range n {
		h := hosts[j*len(hosts)/n]
		from := start.Add(h.phase + time.Duration(cyclesBefore+j*spare/n)*interval - interval/2)
		h.trouble = trouble{symptom: seen[j%len(seen)], from: from, to: from.Add(cyclesTrouble * interval)}
		for _, r := range rules {
			if r.symptom == h.trouble.symptom {
				expected[alertOf{r.name, h.name}] = true
			}
		}
	}
	return expected, nil
}

// account is what the records say of the alerts.
type account struct {
	expected, fired, resolved int
	faults                    []string
	// Times from the deciding point to the arrival of its record, in order; and from when time decided.
	byPoint, byTime []time.Duration
}

// judge compares the records with the alerts that there must be: each fires once and resolves once, and nothing else is said.
func judge(records []record, expected map[alertOf]bool, ids map[string]string) *account {
	a := &account{expected: len(expected)}
	said := map[alertOf][]string{}
	alertIDs, uids := map[string]alertOf{}, map[string]bool{}
	for _, r := range records {
		key := alertOf{r.rule, r.host}
		switch {
		case r.event != "alert.state_change":
			a.fault("an %s record", r.event)
			continue
		case uids[r.uid]:
			a.fault("%v: record %s came twice", key, r.uid)
		case ids[r.host] != r.hostID:
			a.fault("%v: its host.id %q is not that of the host", key, r.hostID)
		case !expected[key]:
			a.fault("%v: %s, though nothing is wrong", key, r.transition)
		}
		if other, known := alertIDs[r.alert]; known && other != key {
			a.fault("%v and %v have one alert.id", key, other)
		}
		alertIDs[r.alert], uids[r.uid] = key, true
		said[key] = append(said[key], r.transition)
		delay := r.arrived.Sub(r.decided)
		if r.reason == "absent" && r.transition == "fire" {
			a.byTime = append(a.byTime, delay)
		} else {
			a.byPoint = append(a.byPoint, delay)
		}
	}
	for key := range expected {
		switch strings.Join(said[key], " ") {
		case "fire resolve":
			a.fired++
			a.resolved++
		case "fire":
			a.fired++
			a.fault("%v: it never resolved", key)
		default:
			a.fault("%v: %q instead of a fire and a resolve", key, said[key])
		}
	}
	slices.Sort(a.byPoint)
	slices.Sort(a.byTime)
	return a
}

func (a *account) fault(format string, args ...any) {
	a.faults = append(a.faults, fmt.Sprintf(format, args...))
}

// quantile is the value of nearest rank; of nothing it is 0.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
