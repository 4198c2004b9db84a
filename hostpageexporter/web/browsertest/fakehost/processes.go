package fakehost

import "fmt"

// Processes is the process table of a time.
func (s *Server) Processes(at int64) map[string]any {
	t := at / 2000 * 2000
	names := []string{"postgres", "nginx", "node", "redis-server", "sshd", "dockerd", "containerd", "systemd-journald", "cron", "python3", "java", "otelcol-psutil"}
	users := []string{"root", "postgres", "www-data", "app", "nobody"}
	rows := [][]any{{1, 0, int64(1_766_000_000_000), "systemd", "root", nil, 0.002, 0, 12 << 20, 0, 4096, 1, "init.scope", nil}}
	sum := 0.002
	for i := range s.options.Processes {
		pid := 200 + 37*i
		parent := 1
		if i > 8 && i%3 > 0 {
			parent = 200 + 37*(i/3)
		}
		name := names[i%len(names)]
		if i == 2 {
			name = s.name("stress", Markup)
		}
		cpu := 0.0
		if i%4 != 3 {
			w := wave(400+i, t)
			cpu = round(w * w * w * 2.2 / float64(1+i/3))
		}
		sum += cpu
		var container any
		if i%7 == 0 {
			container = fmt.Sprintf("c%07x", i*7919)
		}
		io := 0
		if i%5 == 0 {
			io = int(3e6 * wave(500+i, t) / float64(1+i))
		}
		memory := int(float64(900<<20) * (0.2 + 0.8*hash(i, 9)) / float64(1+i/2))
		rows = append(rows, []any{pid, parent, int64(1_766_000_000_000) + int64(i)*86_000_000, name, users[i%len(users)], nil, cpu, 0, memory, io / 3, io, 1 + i%40, fmt.Sprintf("%s.service", names[i%len(names)]), container})
	}
	total := round(sum + 0.031 + 0.004)
	return object{
		"version": 1, "store": store, "at": at, "t": t, "previous": t - 2000, "next": nil, "tier": 0,
		"columns": []string{"pid", "parent", "created", "name", "user", "state", "cpu", "children", "memory", "read", "write", "threads", "unit", "container"},
		"rows":    rows,
		"groups":  []object{{"name": "other", "count": 214, "cpu": 0.031, "children": 0, "memory": 812345678, "read": 0, "write": 0, "threads": 300}},
		// What the CPUs did is what the processes took, so that the sums of the page can be tried.
		"unattributed": 0.004, "total": object{"cpu": total, "cpus": s.options.CPUs}, "omitted": 0,
	}
}

func (s *Server) alerts() object {
	now := s.now()
	alert := func(episode, rule, severity, metric string, value, threshold float64, started int64, ended any, attributes object) object {
		state := "firing"
		if ended != nil {
			state = "resolved"
		}
		return object{
			"id": "id-" + rule, "episode": episode, "rule": rule, "severity": severity, "state": state, "reason": "threshold", "metric": metric, "unit": "1",
			"value": value, "threshold": threshold, "comparison": ">", "started": started, "ended": ended, "updated": started,
			"message": s.name(rule+" is over its threshold", Markup), "attributes": attributes, "labels": object{}, "annotations": object{}, "resource": object{},
			"transitions": []object{{"t": started, "transition": "fire", "state": "firing", "severity": severity, "value": value, "threshold": threshold}}, "transitions_dropped": 0,
		}
	}
	return object{
		"version": 1, "from": now - 86_400_000, "to": now, "firing": []string{"e1", "e2"}, "notices": []object{}, "dropped": 0,
		"alerts": []object{
			alert("e1", "cpu", "critical", "system.cpu.utilization", 0.97, 0.95, now-42_000, nil, object{}),
			alert("e2", "disk", "warning", "system.filesystem.usage", 0.863, 0.85, now-1_900_000, nil, object{"system.filesystem.mountpoint": s.mount(1)}),
			alert("e3", "cpu", "critical", "system.cpu.utilization", 0.99, 0.95, now-700_000, now-500_000, object{}),
			alert("e4", "memory", "warning", "system.memory.usage", 0.91, 0.9, now-640_000, now-200_000, object{}),
		},
	}
}

func (s *Server) changes() object {
	now := s.now()
	return object{
		"version": 1, "at": now, "before": object{"from": now - 660_000, "to": now - 60_000}, "after": object{"from": now - 60_000, "to": now}, "table": now / 2000 * 2000,
		"series":    []object{{"id": 1, "score": 14.2, "before": 0.11, "after": 0.93}, {"id": 2, "score": 6.1, "before": 0.01, "after": 0.05}},
		"processes": []object{{"pid": 274, "created": now, "name": s.name("stress", Markup), "user": "root", "cpu_before": nil, "cpu_after": 1.93, "memory_before": nil, "memory_after": 2097152}},
	}
}
