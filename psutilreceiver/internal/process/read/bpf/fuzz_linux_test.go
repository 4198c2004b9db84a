//go:build linux && (amd64 || arm64)

package bpf

import (
	"testing"
	"unsafe"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// aligned copies bytes to where records are aligned, as the kernel's are.
func aligned(data []byte) []byte {
	words := make([]uint64, (len(data)+7)/8+1)
	return append(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), 8*len(words))[:0], data...)
}

// FuzzRecords decodes any bytes as what the iterator has written, twice, as in two scans: each step takes some of them, and no counter falls.
func FuzzRecords(f *testing.F) {
	record := programsProcess{Size: shortRecord, Pid: 7, Start: 1e9, Threads: 2}
	f.Add(append([]byte(nil), unsafe.Slice((*byte)(unsafe.Pointer(&record)), shortRecord)...))
	record.Size, record.FullName[0], record.Special = longRecord, 'x', 0xff
	long := unsafe.Slice((*byte)(unsafe.Pointer(&record)), longRecord)
	f.Add(append(append([]byte(nil), long...), long...))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		written := aligned(data)
		r := &Reader{programs: &programs{}, processes: make(map[int32]*process), pageSize: 4096, ended: newEnds()}
		for range 2 {
			r.scan++
			record, rest := nextRecord(written)
			for left := len(written); record != nil; record, rest = nextRecord(rest) {
				if len(rest) >= left {
					t.Fatalf("%d bytes are left of %d", len(rest), left)
				}
				left = len(rest)
				var before process
				if p := r.processes[int32(record.Pid)]; p != nil && p.start == record.Start {
					before = *p
				}
				p := r.update(record)
				for i := range p.io {
					if p.io[i] < before.io[i] {
						t.Fatalf("I/O fell from %v to %v", before.io, p.io)
					}
				}
				if p.times.user < before.times.user || p.times.system < before.times.system {
					t.Fatalf("times fell from %v to %v", before.times, p.times)
				}
				var s read.Sample
				record.fill(&s, p.times, &p.io, r.pageSize)
				if len(s.Comm()) > 64 {
					t.Fatalf("a name of %d bytes", len(s.Comm()))
				}
			}
		}
		if most := len(written) / int(shortRecord); len(r.processes) > most {
			t.Fatalf("%d processes of %d bytes", len(r.processes), len(written))
		}
	})
}

// FuzzEnds decodes any bytes as what the ring gives, cut as the first byte of each piece says. Of what is accounted for nothing is lost, and it is bounded.
func FuzzEnds(f *testing.F) {
	e := programsEnded{Pid: 7, Parent: 1, Start: 1e9}
	piece := unsafe.Slice((*byte)(unsafe.Pointer(&e)), unsafe.Sizeof(e))
	f.Add(append(append([]byte{0}, piece...), append([]byte{1}, piece...)...))
	f.Add([]byte{2, 3, 4})
	f.Fuzz(func(t *testing.T, data []byte) {
		ended := newEnds()
		var processes, told uint64
		for len(data) > 0 {
			choice := data[0]
			size := min(len(data)-1, int(unsafe.Sizeof(e)))
			if choice&2 != 0 {
				size = min(size, int(choice))
			}
			end := decodeEnd(data[1 : 1+size])
			data = data[1+size:]
			if end == nil {
				continue
			}
			var p *process
			if choice&1 != 0 {
				p = &process{}
			}
			ended.add(end, p)
			processes++
		}
		if uint64(len(ended.seen)+len(ended.unseen)) > processes {
			t.Fatalf("%d and %d ends of %d", len(ended.seen), len(ended.unseen), processes)
		}
		for _, x := range ended.seen {
			told += x.Processes
		}
		for _, x := range ended.unseen {
			told += x.Processes
		}
		if told != processes {
			t.Fatalf("%d ends told of, of %d", told, processes)
		}
	})
}
