package read

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/proctest"
)

// TestMemoryIsStatmsWhereItIsRead: the resident set of stat is approximate, so the exact one is taken where it costs nothing.
func TestMemoryIsStatmsWhereItIsRead(t *testing.T) {
	h := proctest.NewHost(t)
	h.Process(1, "approximate", 1, map[string]string{"statm": "700 600 500 0 0 0 0\n"})
	h.Process(2, "no statm", 1, nil)
	page := uint64(os.Getpagesize())
	r := readerOf(t, h)
	for _, c := range []struct {
		want                               Fields
		virtual, resident, without, shared uint64
	}{
		{want: FieldMemory, virtual: 4096, resident: 2 * page, without: 2 * page},
		{want: FieldMemory | FieldShared, virtual: 700 * page, resident: 600 * page, without: 2 * page, shared: 500 * page},
	} {
		all := scan(t, r, c.want)
		assert.Equal(t, c.virtual, all[1].Levels[Virtual])
		assert.Equal(t, c.resident, all[1].Levels[Resident])
		assert.Equal(t, c.shared, all[1].Levels[Shared])
		assert.Equal(t, c.without, all[2].Levels[Resident], "a file that is missing costs nothing of stat's")
	}
}
