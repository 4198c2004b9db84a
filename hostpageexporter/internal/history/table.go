package history

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
)

// Usage is what a process, or a group of them, took at a moment. What is not known is NaN.
type Usage struct {
	CPU      float64 // CPUs: 1 is one busy.
	Children float64 // CPUs that children took which have ended.
	Memory   float64 // Bytes.
	Read     float64 // Bytes a second.
	Write    float64
	Threads  float64
}

// Row is a process in a table.
type Row struct {
	Process
	Usage
}

// Group is what a receiver sums up.
type Group struct {
	Name  string
	Count int64
	Usage
}

// Table is the processes of a moment.
type Table struct {
	// Time is when, 0 if there is no table. Previous and Next are the times of those beside it, 0 if there is none.
	Time, Previous, Next int64
	Tier                 int
	Rows                 []Row
	Groups               []Group
	Unattributed         float64 // CPUs that belong to no process; NaN if it is not known.
	CPUs                 int64   // How many the host has, 0 if that is not known.
	Omitted              int
}

const (
	// maxRows bounds the rows of a table, maxGroups its groups.
	maxRows   = 1000
	maxGroups = 50
	// cpuUnit is the unit of CPUs in a stored table.
	cpuUnit = 1e-5
)

// putNumber appends a number that is not negative in some unit; 0 stands for not known.
func putNumber(b []byte, v, unit float64) []byte {
	v /= unit
	if math.IsNaN(v) || v < 0 || v > 1<<62 {
		return binary.AppendUvarint(b, 0)
	}
	return binary.AppendUvarint(b, uint64(math.Round(v))+1)
}

func (u *Usage) encode(b []byte) []byte {
	b = putNumber(b, u.CPU, cpuUnit)
	b = putNumber(b, u.Children, cpuUnit)
	b = putNumber(b, u.Memory, 1)
	b = putNumber(b, u.Read, 1)
	b = putNumber(b, u.Write, 1)
	return putNumber(b, u.Threads, 1)
}

// tableReader reads what encode wrote. Only the store writes it, so it is trusted.
type tableReader struct{ b []byte }

func (r *tableReader) integer() uint64 {
	v, n := binary.Uvarint(r.b)
	r.b = r.b[max(n, 0):]
	return v
}

func (r *tableReader) number(unit float64) float64 {
	if v := r.integer(); v > 0 {
		return float64(v-1) * unit
	}
	return math.NaN()
}

func (r *tableReader) usage() Usage {
	return Usage{
		CPU: r.number(cpuUnit), Children: r.number(cpuUnit), Memory: r.number(1), Read: r.number(1), Write: r.number(1), Threads: r.number(1),
	}
}

func (r *tableReader) text() string {
	n := min(r.integer(), uint64(len(r.b)))
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

// encodeTable writes a table; rows are numbered by their identities.
func encodeTable(t *Table, numbers []uint32) []byte {
	b := make([]byte, 0, 64+len(t.Rows)*20)
	b = putNumber(b, t.Unattributed, cpuUnit)
	b = binary.AppendUvarint(b, uint64(t.CPUs))
	b = binary.AppendUvarint(b, uint64(t.Omitted))
	b = binary.AppendUvarint(b, uint64(len(t.Groups)))
	for i := range t.Groups {
		g := &t.Groups[i]
		b = binary.AppendUvarint(b, uint64(len(g.Name)))
		b = append(b, g.Name...)
		b = binary.AppendUvarint(b, uint64(max(g.Count, 0)))
		b = g.encode(b)
	}
	b = binary.AppendUvarint(b, uint64(len(t.Rows)))
	for i := range t.Rows {
		b = binary.AppendUvarint(b, uint64(numbers[i]))
		b = t.Rows[i].encode(b)
	}
	return b
}

// decodeTable is the inverse of encodeTable.
func decodeTable(b []byte, ids *identities[Process]) Table {
	r := tableReader{b}
	t := Table{Unattributed: r.number(cpuUnit), CPUs: int64(r.integer()), Omitted: int(r.integer())}
	for range r.integer() {
		g := Group{Name: r.text(), Count: int64(r.integer())}
		g.Usage = r.usage()
		t.Groups = append(t.Groups, g)
	}
	for range r.integer() {
		id := ids.byNumber[uint32(r.integer())]
		u := r.usage()
		if id != nil {
			t.Rows = append(t.Rows, Row{Process: id.who, Usage: u})
		}
	}
	return t
}

// Busy is all the CPU that a table's rows and groups took, as far as it is known.
func (t *Table) Busy() float64 {
	sum := 0.0
	add := func(u *Usage) {
		for _, v := range []float64{u.CPU, u.Children} {
			if !math.IsNaN(v) {
				sum += v
			}
		}
	}
	for i := range t.Rows {
		add(&t.Rows[i].Usage)
	}
	for i := range t.Groups {
		add(&t.Groups[i].Usage)
	}
	return sum
}

// first returns which rows a table of fewer rows has.
func (t *Table) first(n int) []int {
	return firstRows(len(t.Rows), n,
		func(i int) float64 { return orLeast(t.Rows[i].CPU) + max(orLeast(t.Rows[i].Children), 0) },
		func(i int) float64 { return orLeast(t.Rows[i].Memory) },
		func(i int) float64 { return orLeast(t.Rows[i].Read) + orLeast(t.Rows[i].Write) })
}

// firstRows chooses n of some rows: half of them those that took most CPU, the others most memory and I/O.
func firstRows(rows, n int, cpu, memory, io func(int) float64) []int {
	all := make([]int, rows)
	for i := range all {
		all[i] = i
	}
	if len(all) <= n {
		return all
	}
	chosen := map[int]bool{}
	choose := func(upTo int, value func(int) float64) {
		slices.SortStableFunc(all, func(a, b int) int { return cmp.Compare(value(b), value(a)) })
		for _, i := range all {
			if len(chosen) >= upTo {
				return
			}
			chosen[i] = true
		}
	}
	choose((n+1)/2, cpu)
	choose((3*n+3)/4, memory)
	choose(n, io)
	out := make([]int, 0, n)
	for i := range rows {
		if chosen[i] {
			out = append(out, i)
		}
	}
	return out
}

// orLeast is a number by which rows are put in order; what is not known comes last.
func orLeast(v float64) float64 {
	if math.IsNaN(v) {
		return -1
	}
	return v
}
