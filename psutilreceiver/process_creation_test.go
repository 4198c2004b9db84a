package psutilreceiver

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

func TestCreationTimeIsISO8601ToTheHundredthOfASecond(t *testing.T) {
	s := new(processScraper)
	random := rand.New(rand.NewPCG(1, 2))
	times := []time.Time{
		time.Unix(0, 0), time.Unix(0, 9_999_999), time.Unix(0, 10_000_000), time.Unix(0, 999_999_999),
		time.Date(2024, 2, 29, 23, 59, 59, 990_000_000, time.UTC), time.Date(1999, 12, 31, 23, 59, 59, 5, time.UTC),
	}
	for range 10_000 {
		times = append(times, time.Unix(random.Int64N(5_000_000_000), random.Int64N(1_000_000_000)))
	}
	for _, at := range times {
		assert.Equal(t, at.UTC().Format("2006-01-02T15:04:05.00Z"), s.creationTime(pcommon.NewTimestampFromTime(at)))
	}
}
