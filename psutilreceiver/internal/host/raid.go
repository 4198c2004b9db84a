package host

import (
	"bytes"
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

const mdstatFile = "proc/mdstat"

// ArrayState is what an array of disks can do.
type ArrayState int

// The states of arrays.
const (
	ArrayOK       ArrayState = iota // complete
	ArrayDegraded                   // has its data, and lacks disks
	ArrayFailed                     // not started, or lacks more disks than its level can do without
)

// SyncAction is what an array is doing with its disks.
type SyncAction int

// The actions that the kernel names in /proc/mdstat. A repair is called a resync there.
const (
	SyncNone     SyncAction = iota
	SyncCheck               // compares the disks
	SyncRecovery            // fills a new disk
	SyncReshape             // changes the number of disks, the level or the layout
	SyncResync              // makes the disks equal
)

// syncActions are the names of the actions.
var syncActions = map[string]SyncAction{"check": SyncCheck, "recovery": SyncRecovery, "reshape": SyncReshape, "resync": SyncResync}

// Array is an array of disks that the kernel itself makes: md(4). A number is -1 where the kernel does not report it, Odd where it could not be read.
type Array struct {
	Name  string // of its device, as md0
	ID    string // unique on the host: md/md0
	State ArrayState
	// Active disks hold the data, or parity of it; failed ones are still listed; spare ones wait, or are being filled.
	Active, Failed, Spare int64
	Required              int64 // disks of the complete array
	Sync                  SyncAction
	Progress              float64 // of Sync, 0 to 1; 0 while it waits for its turn
	Speed                 int64   // of Sync, bytes a second; -1 while it waits
}

// Arrays reads the arrays into list, from /proc/mdstat, and returns it. Containers, which only hold the metadata of other arrays, are left out.
// ErrUnsupported where the kernel has no such arrays, and on other systems.
func (h *Host) Arrays(list []Array) ([]Array, error) {
	text, err := h.read(mdstatFile)
	if err != nil {
		return list[:0], optional(err)
	}
	return parseMdstat(text, list[:0], &h.names)
}

// Mismatches is how many sectors the last check of an array found to differ, from /sys/block/<name>/md/mismatch_cnt; -1 where the kernel does not
// say, as for levels without redundancy.
func (h *Host) Mismatches(array string) int64 {
	text, err := h.readOnce("sys/block/"+array+"/md/mismatch_cnt", nil)
	if err != nil {
		return absent
	}
	number, _ := proctext.Field(text)
	if v, ok := proctext.Int(number); ok {
		return v
	}
	return absent
}

// mdArray is an array while its lines are read.
type mdArray struct {
	Array
	level               string
	inactive, broken    bool
	container           bool
	listed, unavailable int64 // disks of its first line, and those of them that are no place of the array: failed, spare, journal
	copies              int64 // of the data, in raid10
	required, inSync    int64 // of [n/m]; -1 without
}

// parseMdstat reads the arrays. Each has a line that begins with its name, and further ones that begin with blanks.
func parseMdstat(text []byte, list []Array, known *names) ([]Array, error) {
	odd := oddValues{file: mdstatFile}
	var a mdArray
	open, whole := false, false
	end := func() {
		if open && !a.container {
			array := a.finish()
			if !slices.ContainsFunc(list, func(other Array) bool { return other.Name == array.Name }) { // A line that is there twice is one.
				list = append(list, array)
			}
		}
		open = false
	}
	for rest := text; len(rest) > 0; {
		var l []byte
		l, rest = proctext.Line(rest)
		name, words := proctext.Field(l)
		switch {
		case len(name) == 0:
		case proctext.IsBlank(l[0]):
			if open {
				a.addLine(l, &odd)
			}
		case string(name) == "Personalities", string(name) == "unused":
			end()
			whole = true
		default:
			end()
			colon, words := proctext.Field(words)
			if string(colon) != ":" {
				if !whole {
					return list[:0], malformed(mdstatFile, text)
				}
				if string(name) != "read_ahead" { // Of Linux 2.4.
					odd.add(l)
				}
				continue
			}
			a = newMDArray(name, known)
			open = a.parseFirstLine(words)
			if !open {
				odd.add(l)
			}
		}
	}
	end()
	if !whole {
		return list[:0], malformed(mdstatFile, text)
	}
	return list, odd.err
}

func newMDArray(name []byte, known *names) mdArray {
	var id [64]byte
	return mdArray{
		Array:    Array{Name: known.of(name), ID: known.of(append(append(id[:0], "md/"...), name...)), Speed: absent},
		required: absent, inSync: absent,
	}
}

// parseFirstLine reads such as: active raid1 sdb1[1] sda1[0](F). It reports false if that is no array.
func (a *mdArray) parseFirstLine(words []byte) bool {
	state, words := proctext.Field(words)
	switch string(state) {
	case "active":
	case "inactive":
		a.inactive = true
	case "broken":
		a.broken = true
	default:
		return false
	}
	for {
		var w []byte
		if w, words = proctext.Field(words); len(w) == 0 {
			return true
		}
		at := bytes.IndexByte(w, '[')
		switch {
		case at > 0:
			a.addDisk(w[at:])
		case w[0] == '(':
			a.broken = a.broken || bytes.HasPrefix(w, []byte("(broken"))
		case a.level == "" && a.listed == 0:
			a.level = levelOf(w)
		}
	}
}

// levels are the levels that are treated each in its way, as constant strings, so that a scrape allocates none.
var levels = [...]string{"raid0", "raid1", "raid4", "raid5", "raid6", "raid10", "linear", "multipath", "faulty"}

func levelOf(w []byte) string {
	for _, l := range levels {
		if string(w) == l {
			return l
		}
	}
	return "other"
}

// addDisk counts a disk by what follows its name: [2](S).
func (a *mdArray) addDisk(flags []byte) {
	a.listed++
	switch {
	case bytes.Contains(flags, []byte("(F)")):
		a.Failed++
		a.unavailable++
	case bytes.Contains(flags, []byte("(S)")), bytes.Contains(flags, []byte("(R)")):
		a.Spare++
		a.unavailable++
	case bytes.Contains(flags, []byte("(J)")):
		a.unavailable++
	}
}

// addLine reads what the lines below the first have: the numbers of disks, the kind of metadata, the progress.
func (a *mdArray) addLine(l []byte, odd *oddValues) {
	for words, last := l, []byte(nil); ; {
		var w []byte
		if w, words = proctext.Field(words); len(w) == 0 {
			return
		}
		switch {
		case bytes.HasPrefix(w, []byte("external:")):
			kind := w[len("external:"):]
			a.container = len(kind) > 0 && kind[0] != '/' && kind[0] != '-'
		case w[0] == '[' && bytes.IndexByte(w, '/') > 0:
			if !a.addCounts(w) {
				odd.add(l)
			}
		case bytes.HasSuffix(w, []byte("-copies")):
			if n, ok := proctext.Int(last); ok && n > 0 && n < 1<<10 {
				a.copies = max(a.copies, 1) * n
			}
		case a.Sync == SyncNone:
			a.addAction(w, words, l, odd)
		}
		last = w
	}
}

// addCounts reads [4/3]: the disks of the complete array, and those of them that have their data.
func (a *mdArray) addCounts(w []byte) bool {
	inside, _, ok := bytes.Cut(w[1:], []byte{']'})
	n, m, _ := bytes.Cut(inside, []byte{'/'})
	required, okRequired := proctext.Int(n)
	inSync, okInSync := proctext.Int(m)
	ok = ok && okRequired && okInSync && inSync <= required && required < 1<<20
	if !ok {
		required, inSync = Odd, Odd
	}
	a.required, a.inSync = required, inSync
	return ok
}

// addAction reads such as: recovery = 12.6% (37043392/292945152) finish=127.5min speed=33440K/sec, or resync=DELAYED.
func (a *mdArray) addAction(w, rest, line []byte, odd *oddValues) {
	name, state, joined := bytes.Cut(w, []byte{'='})
	action, ok := syncActions[string(name)]
	if !ok {
		return
	}
	if joined && len(state) > 0 { // DELAYED, PENDING or REMOTE.
		a.Sync = action
		return
	}
	if equals, after := proctext.Field(rest); !joined && string(equals) == "=" {
		rest = after
	} else if !joined {
		return
	}
	a.Sync, a.Progress = action, Odd
	for {
		var f []byte
		if f, rest = proctext.Field(rest); len(f) == 0 {
			break
		}
		switch {
		case f[0] == '(' && f[len(f)-1] == ')':
			done, all, _ := bytes.Cut(f[1:len(f)-1], []byte{'/'})
			d, okDone := proctext.Int(done)
			n, okAll := proctext.Int(all)
			if okDone && okAll && n > 0 && d <= n {
				a.Progress = float64(d) / float64(n)
			}
		case bytes.HasPrefix(f, []byte("speed=")):
			kibibytes, _ := bytes.CutSuffix(f[len("speed="):], []byte("K/sec"))
			a.Speed = Odd
			if v, ok := proctext.Int(kibibytes); ok && v < 1<<40 {
				a.Speed = v * 1024
			}
		}
	}
	if a.Progress == Odd || a.Speed == Odd {
		odd.add(line)
	}
}

// finish tells what the lines together mean.
func (a *mdArray) finish() Array {
	places := a.listed - a.unavailable
	switch {
	case a.inactive:
		a.Active, a.Required = 0, absent // The kernel lists all its disks as spare ones.
	case a.required != absent:
		a.Active, a.Required = a.inSync, a.required
		if a.inSync >= 0 {
			a.Spare += max(places-a.inSync, 0) // They are being filled.
		}
	default: // A level without redundancy.
		a.Active, a.Required = places, a.listed-a.Spare
	}
	switch {
	case a.inactive, a.broken, a.Active >= 0 && a.Active < a.needed():
		a.State = ArrayFailed
	case a.Required >= 0 && a.Active < a.Required:
		a.State = ArrayDegraded
	}
	return a.Array
}

// needed is how many disks the array cannot do without. Of raid10 it is how many there must be in the best case.
func (a *mdArray) needed() int64 {
	switch a.level {
	case "raid0", "linear", "faulty":
		return a.Required
	case "raid4", "raid5":
		return max(a.Required-1, 1)
	case "raid6":
		return max(a.Required-2, 1)
	case "raid10":
		copies := max(a.copies, 2)
		return max((a.Required+copies-1)/copies, 1)
	default:
		return 1
	}
}
