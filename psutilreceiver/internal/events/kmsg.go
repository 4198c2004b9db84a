package events

import (
	"bytes"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

// killed is a process that the kernel killed for lack of memory, as its log says.
type killed struct {
	pid        int64
	name       string // as the kernel keeps it, 15 bytes at most
	virtual    int64  // bytes; -1 where the line has none
	resident   int64  // bytes
	uid        int64  // -1 where the line has none
	adjustment int64  // oom_score_adj; valid if adjusted
	adjusted   bool
	constraint string // what there was too little of: memory of the host, of a control group, of a cpuset or of a memory policy
	group      string // control group of the process
	limited    string // control group whose limit was reached
	limit      int64  // of that group, in bytes; -1 if unknown

	sinceBoot time.Duration // when the message was written, by the clock of the log, which stands still while the host is suspended
}

// oomParser finds kills in the kernel's log. A kill is told of in several messages; what is before the last of them is kept until that comes. The
// forms are those of Linux 3.10 to 6.x.
type oomParser struct {
	next killed // what is known of the kill that comes next
	of   int64  // pid that group is of; 0 for whichever comes
}

// Constraints, by the words of the kernel.
var constraints = map[string]string{
	"CONSTRAINT_NONE":          "host",
	"CONSTRAINT_MEMCG":         "cgroup",
	"CONSTRAINT_CPUSET":        "cpuset",
	"CONSTRAINT_MEMORY_POLICY": "memory_policy",
}

func (p *oomParser) reset() { p.next, p.of = killed{limit: -1}, 0 }

// record reads a record of /dev/kmsg: prefix,sequence,microseconds,flags;message, and lines of its dictionary. It returns a kill if this was its last
// message. What is not the kernel's own is passed over: whoever may write to the log could say anything.
func (p *oomParser) record(record []byte) (killed, bool) {
	head, message, found := bytes.Cut(record, []byte{';'})
	if !found {
		return killed{}, false
	}
	message, _, _ = bytes.Cut(message, []byte{'\n'})
	prefix, head, _ := bytes.Cut(head, []byte{','})
	_, head, _ = bytes.Cut(head, []byte{','})
	micros, _, _ := bytes.Cut(head, []byte{','})
	level, ok := proctext.Uint(prefix)
	at, ok2 := proctext.Uint(micros)
	const levels = 8
	const most = uint64(1<<63-1) / 1000
	if !ok || !ok2 || level >= levels || at > most {
		return killed{}, false
	}
	k, done := p.message(message)
	k.sinceBoot = time.Duration(at) * time.Microsecond
	return k, done
}

// message reads the text of a message of the kernel.
func (p *oomParser) message(text []byte) (killed, bool) {
	switch {
	case bytes.Contains(text, []byte(" invoked oom-killer: ")):
		p.reset()
	case bytes.HasPrefix(text, []byte("oom-kill:constraint=")):
		p.summary(text[len("oom-kill:constraint="):])
	case bytes.HasPrefix(text, []byte("memory: usage ")):
		if limit, ok := kilobytes(text, "limit "); ok {
			p.next.limit = limit
		}
	case bytes.HasPrefix(text, []byte("Task in ")): // Before 4.19.
		if group, limited, ok := bytes.Cut(text[len("Task in "):], []byte(" killed as a result of limit of ")); ok {
			p.next.constraint, p.next.group, p.next.limited, p.of = "cgroup", string(group), string(limited), 0
		}
	case isKill(text):
		return p.kill(text)
	}
	return killed{}, false
}

// isKill tells whether a message is the one about a process that was killed. There are messages of the kernel that quote what users wrote, such as the
// path of a program, so that the words must be where the kernel has them.
func isKill(text []byte) bool {
	before, _, found := bytes.Cut(text, []byte("Killed process "))
	switch {
	case !found:
		return false
	case len(before) == 0, string(before) == "Out of memory: ", string(before) == "Memory cgroup out of memory: ",
		string(before) == "Out of memory (oom_kill_allocating_task): ":
		return true
	default:
		return false
	}
}

// summary reads the line that Linux has since 4.19, from after "oom-kill:constraint=". The names of groups and of the task may have commas in them,
// so it goes by the keys around them.
func (p *oomParser) summary(text []byte) {
	word, _, _ := bytes.Cut(text, []byte{','})
	if c := constraints[string(word)]; c != "" {
		p.next.constraint = c
	}
	p.next.limited = between(text, ",oom_memcg=", ",task_memcg=")
	p.next.group, p.of = "", 0
	end := bytes.LastIndex(text, []byte(",pid="))
	if end < 0 {
		return
	}
	p.next.group = between(text[:end], ",task_memcg=", ",task=")
	digits, _, _ := bytes.Cut(text[end+len(",pid="):], []byte{','})
	if pid, ok := proctext.Int(digits); ok {
		p.of = pid
	}
}

// between is what is between the first of a key and the last of the one after it, "" if one is not there.
func between(text []byte, key, after string) string {
	_, rest, ok := bytes.Cut(text, []byte(key))
	if end := bytes.LastIndex(rest, []byte(after)); ok && end >= 0 {
		return string(rest[:end])
	}
	return ""
}

// kill reads the line about the process that was killed. Its name may have anything in it, so the numbers are looked for from the end.
func (p *oomParser) kill(text []byte) (killed, bool) {
	before, rest, _ := bytes.Cut(text, []byte("Killed process "))
	sizes := bytes.LastIndex(rest, []byte("total-vm:"))
	if sizes < 0 {
		return killed{}, false
	}
	digits, name, ok := bytes.Cut(rest[:sizes], []byte(" ("))
	end := bytes.LastIndexByte(name, ')')
	pid, valid := proctext.Int(digits)
	if !ok || !valid || pid <= 0 || end < 0 {
		return killed{}, false
	}
	k := p.next
	k.pid, k.name, k.uid = pid, string(name[:end]), -1
	if p.of != 0 && p.of != pid {
		k.group = "" // That of another process of a group that is killed as a whole.
	}
	if k.constraint == "" {
		k.constraint = "host"
		if bytes.HasPrefix(before, []byte("Memory cgroup")) {
			k.constraint = "cgroup"
		}
	}
	if k.constraint != "cgroup" {
		k.limit, k.limited = -1, ""
	}
	k.readSizes(rest[sizes:], name[end+1:])
	return k, true
}

// readSizes reads the numbers of a kill, and the user from before them, where Linux had it once.
func (k *killed) readSizes(sizes, before []byte) {
	k.virtual, k.resident = -1, -1
	if v, ok := kilobytes(sizes, "total-vm:"); ok {
		k.virtual = v
	}
	for _, key := range []string{"anon-rss:", "file-rss:", "shmem-rss:"} {
		if v, ok := kilobytes(sizes, key); ok {
			k.resident = max(k.resident, 0) + v
		}
	}
	for _, u := range []struct {
		text []byte
		key  string
	}{{sizes, "UID:"}, {before, "UID "}} {
		if v, ok := numberAfter(u.text, u.key); ok && v >= 0 {
			k.uid = v
		}
	}
	k.adjustment, k.adjusted = numberAfter(sizes, "oom_score_adj:")
}

// kilobytes gives the bytes of a number of kB after a key.
func kilobytes(text []byte, key string) (int64, bool) {
	const most = 1 << 50 // kB, far more than any memory
	v, ok := numberAfter(text, key)
	return v << 10, ok && v >= 0 && v < most
}

// numberAfter gives the number after a key, which ends before anything that is no digit.
func numberAfter(text []byte, key string) (int64, bool) {
	_, rest, ok := bytes.Cut(text, []byte(key))
	if !ok {
		return 0, false
	}
	digits, negative := bytes.CutPrefix(rest, []byte{'-'})
	end := 0
	for end < len(digits) && digits[end] >= '0' && digits[end] <= '9' {
		end++
	}
	v, ok := proctext.Int(digits[:end])
	if negative {
		v = -v
	}
	return v, ok
}
