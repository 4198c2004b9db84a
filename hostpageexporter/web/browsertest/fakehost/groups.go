package fakehost

import "fmt"

// Groups is the table of control groups of a time: every second one is a container, the others are services.
func (s *Server) Groups(at int64) map[string]any {
	t := at / 2000 * 2000
	names := []string{"postgres", "nginx", "node", "redis-server", "sshd", "dockerd", "containerd", "systemd-journald", "cron", "python3", "java", "otelcol-psutil"}
	rows := [][]any{}
	for i := range s.options.Groups {
		cpu := round(wave(600+i, t) / float64(1+i))
		memory := float64(800<<20) / float64(1+i)
		unit := fmt.Sprintf("%s.service", names[i%len(names)])
		row := []any{"/system.slice/" + unit, unit, "service", cpu, nil, nil, memory, nil, 0, 1000 * i, 0, unit, nil, nil, nil, nil, nil}
		if i >= len(names) {
			row[0] = fmt.Sprintf("/system.slice/%s-%d", unit, i)
		}
		if i%2 == 0 {
			id := fmt.Sprintf("c%07x", i*7919)
			row = []any{"/docker/" + id, s.name(fmt.Sprintf("shop-%d", i), Markup), "container", cpu, 0.5, 0.0, memory, memory * 2, 0, 0, 0, nil, id, "shop:1", "docker", nil, nil}
		}
		rows = append(rows, row)
	}
	if len(rows) > 0 { // The first is throttled, near its limit, and something in it was killed.
		rows[0][5], rows[0][7], rows[0][10] = 0.4, rows[0][6].(float64)/0.95, 3
	}
	rows = append(rows, []any{"other", "other", "other", 5.0, nil, nil, 1 << 30, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil})
	return object{
		"version": 1, "store": store, "at": at, "t": t, "previous": t - 2000, "next": nil, "tier": 0, "omitted": 0, "rows": rows,
		"columns": []string{
			"path", "name", "kind", "cpu", "cpu_limit", "throttled", "memory", "memory_limit", "read", "write", "oom_kills", "unit", "container", "image",
			"runtime", "namespace", "pod",
		},
	}
}
