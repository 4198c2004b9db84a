package process

import "github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"

// # CPU time of processes that no scrape saw
//
// When a process has been waited for, the kernel adds what it used, itself and by the children it had waited for, to its parent's cutime and
// cstime. A process that came and went between two scrapes is seen only there; of one that was seen before it went, the last stretch is.
// What is there of the rest has been counted already, and is subtracted: for each process that is gone, its own time and its children's
// time, both as last seen. That is its debt. A debt falls on the nearest surviving ancestor; what an ancestor's increase cannot pay falls on
// the increases of the others in the order of the scan, which begins with init, since orphans are handed to init or to a subreaper.
// What is left over is charged to the next scrape, and to that alone: the parent may have been read just before it waited for the child.
//
// For scrapes that see all processes at one instant this gives, per scrape and for user and system time alike,
//
//	sum of reaped time = max(0, sum of the increases of children's times - sum of debts)
//
// and so own time and reaped time together never exceed what was used, and are exactly what was used if every exited process was waited for:
// time in living processes and their children's times grows by nothing but use. What is lost is the time of children that were not waited
// for, because their parent ignores SIGCHLD or is gone with them. It shows as unattributed.

// cpuTimes is user and system time in µs.
type cpuTimes [2]uint64

// settleReaped finds ReapedUser and ReapedSystem for every process alive. It runs after the processes' own deltas are known and before the
// dead are forgotten.
func (t *Tracker) settleReaped() {
	var unpaid cpuTimes // debts of this scrape that no increase has paid yet
	for _, p := range t.previous {
		if p.stamp == t.stamp || !p.settled {
			continue
		}
		debt := cpuTimes{p.Total[read.CPUUser] + p.children.User, p.Total[read.CPUSystem] + p.children.System}
		if heir := t.survivor(p); heir != nil {
			heir.debt.add(debt)
		} else {
			unpaid.add(debt)
		}
	}
	for _, p := range t.live {
		gain := p.settleChildren()
		for i := range gain {
			paid := min(gain[i], p.debt[i])
			gain[i] -= paid
			unpaid[i] += p.debt[i] - paid
		}
		p.debt = cpuTimes{}
		p.Delta[read.ReapedUser], p.Delta[read.ReapedSystem] = gain[0], gain[1]
	}
	old := t.carried
	for _, p := range t.live {
		for i, c := range [...]read.Counter{read.ReapedUser, read.ReapedSystem} {
			gain := p.Delta[c]
			gain -= pay(&old[i], gain)
			gain -= pay(&unpaid[i], gain)
			p.Delta[c] = gain
			p.Total[c] += gain
		}
	}
	t.carried = unpaid
}

// survivor returns the nearest ancestor of a process that is gone, by the parents last seen.
func (t *Tracker) survivor(p *Process) *Process {
	for range maxAncestors {
		parent := t.parentOf(p)
		if parent == nil || parent == p {
			return nil
		}
		if parent.stamp == t.stamp {
			return parent
		}
		p = parent
	}
	return nil
}

// parentOf returns the parent last seen of a process.
func (t *Tracker) parentOf(p *Process) *Process {
	parent := t.byPID[p.PPID]
	if parent == nil || parent.Start <= p.Start {
		return parent
	}
	// A process that began after its child is not the parent but the next to have its pid.
	for _, q := range t.previous {
		if q.PID == p.PPID && q.Start <= p.Start {
			return q
		}
	}
	return nil
}

// maxAncestors bounds the walk to an ancestor. Parents seen at different instants might form a ring.
const maxAncestors = 64

// settleChildren returns the increase of the children's times since the previous scrape, and remembers the times.
func (p *Process) settleChildren() cpuTimes {
	if p.Have&read.FieldChildren == 0 {
		return cpuTimes{}
	}
	last, known := p.children, p.known&read.FieldChildren != 0
	p.children.User, p.children.System = max(last.User, p.Children.User), max(last.System, p.Children.System)
	p.known |= read.FieldChildren
	if !known && !p.newborn {
		return cpuTimes{}
	}
	return cpuTimes{p.children.User - last.User, p.children.System - last.System}
}

func (a *cpuTimes) add(b cpuTimes) {
	a[0] += b[0]
	a[1] += b[1]
}

// pay takes as much of the debt as gain allows and returns it.
func pay(debt *uint64, gain uint64) uint64 {
	paid := min(*debt, gain)
	*debt -= paid
	return paid
}

// unattributed keeps the CPU time of the host that no process accounts for.
type unattributed struct {
	host, attributed uint64 // µs since the first scrape
	lastHost         uint64
	known            bool
	total            uint64
}

// settle adds one scrape; host is 0 if the host's time is not known this time. The two sides are sampled by different clocks of the kernel and
// at different instants, so the difference may sink for a while; the total keeps the highest that it was, which never falls and lets no error
// build up.
func (u *unattributed) settle(host, attributed uint64) {
	if u.known {
		u.attributed += attributed
	}
	if host == 0 {
		return
	}
	if u.known && host > u.lastHost {
		u.host += host - u.lastHost
	}
	u.lastHost, u.known = host, true
	if u.host > u.attributed {
		u.total = max(u.total, u.host-u.attributed)
	}
}
