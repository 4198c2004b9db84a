package host

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// softnetText is the table of CPUs whose totals are so, as a kernel with that many columns writes it.
func softnetText(columns int, cpus map[int][len(softnetCounted)]uint64, order []int) string {
	var text strings.Builder
	for _, number := range order {
		words := make([]uint32, 15)
		for i, column := range softnetCounted {
			words[column] = uint32(cpus[number][i])
		}
		words[softnetCPU] = uint32(number)
		for i, w := range words[:columns] {
			if i > 0 {
				text.WriteByte(' ')
			}
			fmt.Fprintf(&text, "%08x", w)
		}
		text.WriteByte('\n')
	}
	return text.String()
}

// TestSoftnetTotalsGoOn plays random growth on CPUs that go offline and come back, on a kernel that numbers them: the sum grows by what was counted,
// although each number has 32 bits.
func TestSoftnetTotalsGoOn(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 50 {
		s := NewSoftnet(&Host{})
		cpus := make(map[int][len(softnetCounted)]uint64)
		for number := range 4 {
			cpus[number] = [len(softnetCounted)]uint64{uint64(random.Uint32()), uint64(random.Uint32()), 0, 1, uint64(random.Uint32())}
		}
		first := true
		for range 30 {
			order := []int{0}
			for number := 1; number < 4; number++ {
				if first || random.IntN(3) > 0 {
					order = append(order, number)
				}
			}
			for _, number := range order {
				values := cpus[number]
				if !first {
					values[random.IntN(len(values))] += uint64(random.Uint32() / 2)
				}
				cpus[number] = values
			}
			first = false
			total, shown, err := s.parse(softnetFile, []byte(softnetText(15, cpus, order)))
			require.NoError(t, err)
			var want [len(softnetCounted)]int64
			for _, values := range cpus {
				for i, v := range values {
					want[i] += int64(v)
				}
			}
			require.Equal(t, (*softnetValues)(&want).counters(), total)
			require.Len(t, shown, len(order))
			for i, number := range order {
				require.Equal(t, number, shown[i].Number)
				require.Equal(t, int64(cpus[number][0]), shown[i].Processed)
			}
		}
	}
}

// TestSoftnetOfOldKernels have fewer columns.
func TestSoftnetOfOldKernels(t *testing.T) {
	cpus := map[int][len(softnetCounted)]uint64{0: {10, 1, 2, 3, 4}, 1: {20, 0, 0, 5, 6}}
	for columns, want := range map[int]SoftnetCounters{
		9:  {Processed: 30, Dropped: 1, Squeezed: 2, ReceivedRPS: absent, FlowLimited: absent}, // 2.6.32
		10: {Processed: 30, Dropped: 1, Squeezed: 2, ReceivedRPS: 8, FlowLimited: absent},      // 2.6.35
		11: {Processed: 30, Dropped: 1, Squeezed: 2, ReceivedRPS: 8, FlowLimited: 10},          // 3.11
		13: {Processed: 30, Dropped: 1, Squeezed: 2, ReceivedRPS: 8, FlowLimited: 10},          // 5.10
	} {
		s := NewSoftnet(&Host{})
		total, shown, err := s.parse(softnetFile, []byte(softnetText(columns, cpus, []int{0, 1})))
		require.NoError(t, err)
		assert.Equal(t, want, total, columns)
		assert.Len(t, shown, 2)
	}
	// Without numbers of CPUs the sum begins again when one goes.
	s := NewSoftnet(&Host{})
	_, _, err := s.parse(softnetFile, []byte(softnetText(11, cpus, []int{0, 1})))
	require.NoError(t, err)
	total, _, err := s.parse(softnetFile, []byte(softnetText(11, cpus, []int{1})))
	require.NoError(t, err)
	assert.EqualValues(t, 20, total.Processed)
}

func TestSoftnetOfServer(t *testing.T) {
	h := fixtureHost(t, "server-6.x")
	total, cpus, err := NewSoftnet(h).Read()
	require.NoError(t, err)
	assert.Equal(t, int64(0xfffffff0+0x16b703+0x22b100+0x1f0044), total.Processed)
	assert.EqualValues(t, 13, total.Dropped)
	assert.EqualValues(t, 39, total.Squeezed)
	assert.EqualValues(t, 0x4b4+0x58, total.ReceivedRPS)
	assert.Len(t, cpus, 4)
}

func FuzzParseSoftnet(f *testing.F) {
	text, err := os.ReadFile("../../../testdata/hosts/server-6.x/proc/1/net/softnet_stat")
	require.NoError(f, err)
	f.Add(text, text)
	f.Add([]byte("1 2 3\n"), []byte("1 2\n"))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		s := NewSoftnet(&Host{})
		for _, text := range [][]byte{first, second} {
			total, cpus, err := s.parse(softnetFile, text)
			if err != nil && !IsOdd(err) {
				continue
			}
			for _, v := range []int64{total.Processed, total.Dropped, total.Squeezed, total.ReceivedRPS, total.FlowLimited} {
				assert.GreaterOrEqual(t, v, int64(Odd))
			}
			assert.LessOrEqual(t, len(cpus), len(text))
		}
	})
}
