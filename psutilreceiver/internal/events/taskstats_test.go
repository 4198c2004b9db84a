package events

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// statsText makes the statistics of a thread as a kernel of a version gives them, cut at a size if that is not 0.
func statsText(version uint16, size int, r taskRecord) []byte {
	native := binary.NativeEndian
	// The fields that Linux 6.14 and 6.16 put between.
	by := map[uint16]int{15: 24, 16: 48}[version]
	m := make([]byte, 512+3*by)
	native.PutUint16(m, version)
	native.PutUint32(m[4:], r.exitCode)
	s := m[by:]
	native.PutUint64(s[72:], uint64(r.user+r.system))
	copy(s[80:112], r.name)
	native.PutUint32(s[120:], uint32(r.uid))
	native.PutUint32(s[128:], uint32(r.pid))
	native.PutUint32(s[132:], uint32(r.parent))
	native.PutUint32(s[136:], uint32(r.started.Unix()))
	native.PutUint64(s[144:], uint64(r.lived.Microseconds()))
	native.PutUint64(s[152:], uint64(r.user.Microseconds()))
	native.PutUint64(s[160:], uint64(r.system.Microseconds()))
	native.PutUint64(s[200:], uint64(r.resident>>10))
	native.PutUint64(s[208:], uint64(r.virtual>>10))
	native.PutUint64(s[248:], uint64(r.read))
	native.PutUint64(s[256:], uint64(r.written))
	native.PutUint32(m[368+3*by-by:], uint32(r.tgid))
	if size > 0 {
		m = m[:size]
	}
	return m
}

func attributeOf(kind uint16, value []byte) []byte {
	native := binary.NativeEndian
	m := make([]byte, (4+len(value)+3)&^3)
	native.PutUint16(m, uint16(4+len(value)))
	native.PutUint16(m[2:], kind)
	copy(m[4:], value)
	return m
}

// statsDatagram makes a message of the family 30 about a thread.
func statsDatagram(pid int32, stats []byte) []byte {
	native := binary.NativeEndian
	number := make([]byte, 4)
	native.PutUint32(number, uint32(pid))
	body := attributeOf(4|0x8000, append(append(attributeOf(1, number), attributeOf(6, nil)...), attributeOf(3, stats)...))
	m := make([]byte, 20, 20+len(body))
	native.PutUint32(m, uint32(20+len(body)))
	native.PutUint16(m[4:], 30)
	return append(m, body...)
}

var exited = taskRecord{
	pid: 71, tgid: 70, parent: 7, uid: 1000, exitCode: 0x300, name: "a name", started: time.Unix(1_700_000_000, 0), lived: 3 * time.Second,
	user: 1500 * time.Millisecond, system: 500 * time.Millisecond, resident: 5 << 20, virtual: 9 << 20, read: 4096, written: 8192,
}

// TestTaskRecords holds each field for each form that the kernel's struct has had, whatever comes after what a version has.
func TestTaskRecords(t *testing.T) {
	without := exited
	without.tgid = 0
	old := without
	old.read, old.written = -1, -1
	for name, row := range map[string]struct {
		version uint16
		size    int
		want    taskRecord
	}{
		"Linux 2.6.19": {3, 216, old}, "Linux 4.4": {8, 328, without}, "Linux 5.4": {9, 344, without}, "Linux 5.19": {12, 400, exited},
		"Linux 6.1": {13, 416, exited}, "Linux 6.14": {15, 0, exited}, "Linux 6.16": {16, 0, exited}, "later": {17, 0, exited},
		"cut before the tgid": {14, 368, without},
	} {
		found, ok := parseTaskRecord(71, statsText(row.version, row.size, exited))
		require.True(t, ok, name)
		assert.Equal(t, row.want, found, name)
	}
	_, ok := parseTaskRecord(72, statsText(14, 0, exited))
	assert.False(t, ok, "another thread: a form that is not known")
	_, ok = parseTaskRecord(71, statsText(14, 215, exited))
	assert.False(t, ok, "cut off")
}

func TestStatistics(t *testing.T) {
	var found []taskRecord
	visit := func(r taskRecord) { found = append(found, r) }
	two := append(statsDatagram(71, statsText(14, 432, exited)), statsDatagram(71, statsText(8, 328, exited))...)
	parseStatistics(two, 30, visit)
	require.Len(t, found, 2)
	assert.Equal(t, exited, found[0])
	parseStatistics(two, 31, func(taskRecord) { require.Fail(t, "another family") })
	parseStatistics(statsDatagram(72, statsText(14, 432, exited)), 30, func(taskRecord) { require.Fail(t, "another thread") })
}

// TestExactTimes holds that the times by mode sum to the time on a CPU, as those of /proc do.
func TestExactTimes(t *testing.T) {
	for _, row := range []struct{ run, user, system, wantUser, wantSystem int64 }{
		{0, 4, 6, 4, 6}, {7, 0, 0, 7, 0}, {7, 0, 10, 0, 7}, {7, 10, 0, 7, 0}, {100, 10, 30, 25, 75},
	} {
		user, system := exactTimes(row.run, time.Duration(row.user), time.Duration(row.system))
		assert.Equal(t, []int64{row.wantUser, row.wantSystem}, []int64{int64(user), int64(system)}, "%+v", row)
	}
}

// FuzzStatistics holds that no datagram makes the decoder panic or go on for ever, and that what it gives can be.
func FuzzStatistics(f *testing.F) {
	for _, version := range []uint16{3, 8, 12, 15, 16, 17} {
		f.Add(statsDatagram(71, statsText(version, 0, exited)))
		f.Add(statsDatagram(71, statsText(version, 216, exited)))
	}
	f.Add([]byte{20, 0, 0, 0, 30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0})
	f.Fuzz(func(t *testing.T, datagram []byte) {
		parseStatistics(datagram, 30, func(r taskRecord) {
			if r.pid <= 0 || r.tgid < 0 || r.parent < 0 || len(r.name) > maxComm {
				t.Errorf("%+v", r)
			}
			if r.user < 0 || r.system < 0 || r.lived < 0 || r.resident < 0 || r.virtual < 0 || r.read < -1 || r.written < -1 {
				t.Errorf("%+v", r)
			}
		})
	})
}

// TestUsageOfThreads holds that what a process used is the sum of its threads, whichever exits first, in whatever look, and whether or not the kernel
// tells of their process.
func TestUsageOfThreads(t *testing.T) {
	clock := func(uint64) time.Time { return time.Unix(1, 0) }
	leader := taskRecord{pid: 10, name: "leader", parent: 3, user: 5 * time.Second, resident: 1 << 20, read: 1, exitCode: 0x700}
	first := taskRecord{pid: 11, name: "worker", user: time.Second, system: 2 * time.Second, resident: 4 << 20, read: 10}
	second := taskRecord{pid: 12, name: "worker", user: 3 * time.Second, resident: 2 << 20, read: 100}
	for i, order := range [][]taskRecord{{first, second, leader}, {leader, first, second}, {first, leader, second}} {
		for _, known := range []bool{true, false} {
			for _, looks := range []int{1, 3} {
				all, next := newTold(), newTold()
				for _, r := range order {
					if known {
						r.tgid = 10
					}
					next.end(&r)
					if r.pid != 10 {
						next.message(&processMessage{what: connectorExit, pid: r.pid, tgid: 10})
					}
					if looks > 1 {
						all.add(&next)
						next = newTold()
					}
				}
				all.add(&next)
				name := fmt.Sprint(i, known, looks)
				require.Equal(t, []int32{10}, all.ended(), name)
				e := all.takeEnd(10, clock)
				require.NotNil(t, e.used, name)
				assert.True(t, e.known, name)
				assert.Equal(t, uint32(0x700), e.code, name)
				assert.Equal(t, "leader", e.used.name, name)
				assert.Equal(t, 9*time.Second, e.used.user, name)
				assert.Equal(t, 2*time.Second, e.used.system, name)
				assert.Equal(t, int64(4<<20), e.used.resident, name)
				assert.Equal(t, int64(111), e.used.read, name)
				assert.Empty(t, all.used, name)
			}
		}
	}
}
