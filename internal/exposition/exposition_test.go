package exposition

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	families, err := Parse(strings.NewReader("# TYPE a counter\na{b=\"c\"} 1\n{\"d.e\",f=\"g\"} 2\n"))
	require.NoError(t, err)
	require.Len(t, families, 2)
	assert.InDelta(t, 1, families["a"].GetMetric()[0].GetCounter().GetValue(), 0)
	assert.InDelta(t, 2, families["d.e"].GetMetric()[0].GetUntyped().GetValue(), 0)

	_, err = Parse(strings.NewReader("a 1\nb x\n"))
	require.ErrorContains(t, err, "line 2")
	broken := errors.New("connection reset")
	_, err = Parse(iotest.ErrReader(broken))
	require.ErrorIs(t, err, broken)
}

// typed are the lines before a sample that decide how the parser takes its labels.
var typed = []string{"", "# TYPE h histogram\n", "# TYPE h gaugehistogram\n", "# TYPE h summary\n", "# TYPE h counter\n", "# HELP h x\n", "h 1\n"}

// nameless are samples in braces in which the name of a metric is missing, or not where it must be.
var nameless = []string{
	"{}", "{} 1", "{,} 1", "{e=\"\"} ", "{e=\"f\"} 1", "{e=\"f\",} 1", "{e=\"f\",\"h\"} 1", "{le=\"1\"} 1", "{quantile=\"0.5\"} 1", "{e=\"f\",\"h\",g=\"i\"} 1", "{e}", "{e} 1",
	"{\"\"} 1", "{\"\",e=\"f\"} 1", "{", "{\"h\"", "{\"h\"}", "{\"h\",}", "{\"h\",\"h\"} 1", "{\"h\",e} 1", "h{\"h\"} 1", "h{\"i\",e=\"f\"} 1", "h{,} 1",
}

// TestNoTextEndsTheCollector holds that a sample without a name is an error, or none, but never a panic.
func TestNoTextEndsTheCollector(t *testing.T) {
	for _, before := range typed {
		for _, sample := range nameless {
			for _, end := range []string{"", "\n", "\nh 1\n"} {
				text := before + sample + end
				require.NotPanics(t, func() {
					if families, err := Parse(strings.NewReader(text)); err == nil {
						assert.NotContains(t, families, "", "%q", text)
					}
				}, "%q", text)
			}
		}
	}
	for _, text := range []string{"{}\n", "# TYPE h histogram\n{e=\"\"} "} {
		families, err := Parse(strings.NewReader(text))
		require.Error(t, err, "%q", text)
		assert.Empty(t, families)
	}
}

func FuzzParse(f *testing.F) {
	for _, before := range typed {
		for _, sample := range nameless {
			f.Add(before + sample + "\n")
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		families, err := Parse(strings.NewReader(text))
		if err != nil {
			return
		}
		for name, family := range families {
			require.Equal(t, name, family.GetName())
			require.NotEmpty(t, name)
		}
	})
}
