package main

import "time"

// history is what two gateways have said.
type history struct {
	records [2][]record
	// home is the gateway that spoke first of a host, before the loss.
	home map[string]int
	// before counts the alerts before the loss that came from the first gateway alone, the second alone, and both.
	before [3]int
	// shared counts the alerts that both gateways have spoken of, in the course of time, under one alert.id.
	shared int
	// silences counts the records of hosts said to be silent, which none was, by gateway and transition.
	silences [2]map[string]int
}

func (p *pair) history(kill time.Time) (*history, error) {
	h := &history{home: map[string]int{}, silences: [2]map[string]int{{}, {}}}
	said := map[string][2]bool{} // By alert.id.
	early := map[string][2]bool{}
	for i, s := range p.sinks {
		records, err := s.all()
		if err != nil {
			return nil, err
		}
		h.records[i] = records
		for _, r := range records {
			if r.rule == silence {
				h.silences[i][r.transition+" "+r.reason]++
			}
			if r.rule != "memory" {
				continue
			}
			at := said[r.alert]
			at[i] = true
			said[r.alert] = at
			if r.arrived.Before(kill) {
				at := early[r.alert]
				at[i] = true
				early[r.alert] = at
				h.home[r.host] = i
			}
		}
	}
	for _, at := range early {
		switch at {
		case [2]bool{true, false}:
			h.before[0]++
		case [2]bool{false, true}:
			h.before[1]++
		default:
			h.before[2]++
		}
	}
	for _, at := range said {
		if at[0] && at[1] {
			h.shared++
		}
	}
	return h, nil
}

// of lists what a gateway has said of a host by one rule.
func (h *history) of(gateway int, rule, host string) (transitions []string) {
	for _, r := range h.records[gateway] {
		if r.rule == rule && r.host == host {
			t := r.transition
			if r.reason == "stale" {
				t += "(stale)"
			}
			transitions = append(transitions, t)
		}
	}
	return transitions
}

// firedAt is when the fire of a gateway for a host arrived.
func (h *history) firedAt(gateway int, host string) time.Time {
	for _, r := range h.records[gateway] {
		if r.rule == "memory" && r.host == host && r.transition == "fire" {
			return r.arrived
		}
	}
	return time.Time{}
}

// checkHost checks what holds of any alert: one alert.id at both gateways, an episode at each, with one end.
func (a *account) checkHost(h *history, host string) {
	ids, episodes, uids := map[string]bool{}, map[string]int{}, map[string]bool{}
	for gateway, records := range h.records {
		for _, r := range records {
			if r.rule != "memory" || r.host != host {
				continue
			}
			ids[r.alert] = true
			if at, known := episodes[r.episode]; known && at != gateway {
				a.fault("%s: both gateways speak of episode %s", host, r.episode)
			}
			episodes[r.episode] = gateway
			if uids[r.uid] {
				a.fault("%s: record %s came twice", host, r.uid)
			}
			uids[r.uid] = true
		}
	}
	if len(ids) != 1 {
		a.fault("%s: %d alert.ids of one alert", host, len(ids))
	}
}
