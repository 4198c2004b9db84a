package host

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// wtmpRecord is a record of a type, of a size.
func wtmpRecord(size int, kind uint16, host string, at int64) string {
	r := make([]byte, size)
	binary.NativeEndian.PutUint16(r, kind)
	copy(r[utmpHostAt:], host)
	if size == utmpSizes[1] {
		binary.NativeEndian.PutUint64(r[utmpTime64At:], uint64(at))
	} else {
		binary.NativeEndian.PutUint32(r[utmpTime32At:], uint32(at))
	}
	return string(r)
}

func TestKernelSince(t *testing.T) {
	now := time.Unix(1_767_323_045, 0)
	day := func(n int64) int64 { return now.Unix() - n*86_400 }
	for _, size := range utmpSizes {
		boots := func(of ...any) (text string) {
			for i := 0; i < len(of); i += 2 {
				text += wtmpRecord(size, utmpBoot, of[i].(string), day(int64(of[i+1].(int)))) + wtmpRecord(size, utmpUser, "somewhere", day(1))
			}
			return text
		}
		for name, c := range map[string]struct {
			before, text string
			days         int64 // -1: not known
		}{
			"after another":                {"", boots("6.1", 30, "6.2", 20, "6.2", 5), 20},
			"back to the one before":       {"", boots("6.2", 30, "6.1", 20, "6.2", 5), 5},
			"before the rotation":          {boots("6.1", 60, "6.2", 50), boots("6.2", 5), 50},
			"the other is of the rotation": {boots("6.1", 60), boots("6.2", 5), 5},
			"no other":                     {"", boots("6.2", 20, "6.2", 5), -1},
			"not this one":                 {"", boots("6.1", 20, "6.3", 5), -1},
			"none":                         {"", "", -1},
			"cut off":                      {"", boots("6.1", 30, "6.2", 20)[1:], -1},
			"a clock that was not set":     {"", boots("6.1", 30, "6.2", 20_000), -1},
			"a clock that was ahead":       {"", boots("6.1", 30, "6.2", -1), -1},
		} {
			files := map[string]string{kernelReleaseFile: "6.2\n", kernelVersionFile: "#1\n", "var/log/wtmp": c.text}
			if c.before != "" {
				files["var/log/wtmp.1"] = c.before
			}
			got, err := hostWith(t, files).KernelSince(now)
			if c.days < 0 {
				require.ErrorIs(t, err, ErrUnsupported, name)
				continue
			}
			require.NoError(t, err, name)
			assert.Equal(t, day(c.days), got.Unix(), "%s, %d bytes", name, size)
		}
	}
	_, err := hostWith(t, map[string]string{kernelReleaseFile: "6.2\n", kernelVersionFile: "#1\n"}).KernelSince(now)
	require.ErrorIs(t, err, ErrUnsupported)
}

func FuzzParseBoots(f *testing.F) {
	f.Add([]byte(""))
	f.Add([]byte(wtmpRecord(384, utmpBoot, "6.2", 1)))
	f.Add([]byte(wtmpRecord(400, utmpBoot, "6.2", 1)))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, b := range parseBoots(text) {
			assert.LessOrEqual(t, len(b.release), utmpHostLength)
			_, _ = changedTo(b.release, parseBoots(text))
		}
	})
}
