package events

import (
	"cmp"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/cgroup"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// killEnds hears from the kernel which processes ended by SIGKILL, which is how it kills for lack of memory. So the victim of a kill is known that was never
// seen, or has grown since: with the most memory that it had.
type killEnds struct {
	root       string
	connector  *connector  // nil if it can't be used
	statistics *statistics // nil if they can't be used

	mu   sync.Mutex
	next told                // what comes, under the lock
	died map[int32]namedPath // of those that ended by SIGKILL, read while they wait for their parent; under the lock
	err  error               // of what is heard, under the lock
}

// namedPath is the name of a process and the control groups that it is in.
type namedPath struct{ name, groups string }

// sigkill is SIGKILL in a status of wait(2).
const sigkill = 9

// listenForKills returns nil if neither the process connector nor the task statistics can be used.
func listenForKills(root string) *killEnds {
	if !hasProcfs(root) {
		return nil
	}
	k := &killEnds{root: root, next: newTold(), died: map[int32]namedPath{}}
	if c, err := openConnector(root); err == nil {
		if k.connector = c; c.listen(k.hear, k.fail) != nil {
			_ = c.close()
			k.connector = nil
		}
	}
	if s, err := openStatistics(root); err == nil {
		if k.statistics = s; s.listen(k.hearEnd, k.fail) != nil {
			_ = s.close()
			k.statistics = nil
		}
	}
	if k.connector == nil && k.statistics == nil {
		return nil
	}
	return k
}

func (k *killEnds) hear(m processMessage) {
	if m.what != connectorExit {
		return
	}
	killed := m.pid == m.tgid && endedByKill(m.exitCode)
	var of namedPath
	if killed {
		of = namedPath{commOf(k.root, m.pid), groupsOf(k.root, m.pid)}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case killed && len(k.died) < maxBetween:
		k.died[m.pid] = of
	case m.pid == m.tgid:
		return
	}
	k.next.message(&m)
}

func (k *killEnds) hearEnd(r taskRecord) {
	if !endedByKill(r.exitCode) {
		return // Neither the first thread of a victim, nor another one of it.
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.next.end(&r)
}

func endedByKill(status uint32) bool { return status&0x7f == sigkill }

func (k *killEnds) fail(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.err = err
}

// take returns the processes that ended by SIGKILL since the last call, the largest first, with what was known of them before. The error says that there
// may be others.
func (k *killEnds) take(known map[read.Key]sizedProcess) (ended []sizedProcess, err error) {
	var errs []error
	if k.connector != nil {
		errs = append(errs, k.connector.drain(k.hear))
	}
	if k.statistics != nil {
		errs = append(errs, k.statistics.drain(k.hearEnd))
	}
	k.mu.Lock()
	t, died := newTold(), k.died
	t.add(&k.next)
	full := k.next.isFull()
	errs = append(errs, k.err)
	k.next, k.died, k.err = newTold(), map[int32]namedPath{}, nil
	k.mu.Unlock()
	if full {
		errs = append(errs, errors.New("too many processes ended between two looks to remember"))
	}

	pids := t.ended()
	if len(pids) == 0 {
		return nil, errors.Join(errs...)
	}
	seen := make(map[int32]sizedProcess, len(known))
	for key, p := range known {
		seen[key.PID] = p
	}
	for _, pid := range pids {
		e := t.takeEnd(pid, func(uint64) time.Time { return time.Time{} })
		if !e.known || !endedByKill(e.code) {
			continue
		}
		before, of := seen[pid], died[pid]
		p := sizedProcess{pid: pid, name: cmp.Or(of.name, before.name), resident: before.resident, group: before.group, best: before.best}
		if path := cgroup.MemoryPath(of.groups); path != "" && path != "/" { // Version 1 puts who has ended into the root.
			p.group, p.best = path, cgroup.ParsePath([]byte(of.groups))
		}
		if e.used != nil {
			p.name, p.resident = cmp.Or(e.used.name, p.name), max(p.resident, e.used.resident)
		}
		ended = append(ended, p)
	}
	slices.SortFunc(ended, largestFirst)
	return ended, errors.Join(errs...)
}

func largestFirst(a, b sizedProcess) int {
	return cmp.Or(cmp.Compare(b.resident, a.resident), cmp.Compare(a.pid, b.pid))
}

func (k *killEnds) close() error {
	var errs []error
	if k.connector != nil {
		errs = append(errs, k.connector.close())
	}
	if k.statistics != nil {
		errs = append(errs, k.statistics.close())
	}
	return errors.Join(errs...)
}

// findEnded finds the victims of kills among the processes that ended by SIGKILL, the largest first: of a kill in a group one that was in it, else one of
// which that is not known. Where there are no more of them than kills it is certain who the victims are.
func findEnded(kills []inferredKill, ended []sizedProcess) {
	taken := make([]bool, len(ended))
	find := func(k *inferredKill, may func(*sizedProcess) bool) {
		for j := range ended {
			if k.victim == nil && !taken[j] && may(&ended[j]) {
				taken[j], k.victim = true, &ended[j]
			}
		}
	}
	isIn := func(k *inferredKill, p *sizedProcess) bool {
		return k.group != nil && cgroup.IsIn(p.group, k.group.path)
	}
	for i := range kills {
		find(&kills[i], func(p *sizedProcess) bool { return p.group != "" && isIn(&kills[i], p) })
	}
	for i := range kills {
		find(&kills[i], func(p *sizedProcess) bool { return p.group == "" || kills[i].group == nil })
	}
	for i := range kills {
		k := &kills[i]
		if k.victim == nil {
			continue
		}
		alike, eligible := 0, 0
		for j := range kills {
			if kills[j].group == nil || k.group == nil || kills[j].group.path == k.group.path {
				alike++
			}
		}
		for j := range ended {
			if p := &ended[j]; k.group == nil || p.group == "" || isIn(k, p) {
				eligible++
			}
		}
		k.certain = eligible <= alike
	}
}
