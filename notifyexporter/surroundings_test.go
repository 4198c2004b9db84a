package notifyexporter

import (
	"bytes"
	"context"
	"image/png"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertcontext"
)

// remembering is a describer that knows one host.
type remembering struct {
	host  string
	asked []alertcontext.Alert
}

func (r *remembering) Describe(_ context.Context, a alertcontext.Alert) (alertcontext.Context, bool) {
	if a.Resource["host.name"] != r.host {
		return alertcontext.Context{}, false
	}
	r.asked = append(r.asked, a)
	c := alertcontext.Context{
		Metric: "system.filesystem.utilization", Unit: "1", From: a.Until.Add(-time.Hour), Until: a.Until,
		Processes: []alertcontext.Process{
			{Name: "postgres", Pid: 812, CPU: 1.82, Memory: 3.1 * (1 << 30)},
			{Name: "rsync", Pid: 4711, CPU: 0.31, Memory: math.NaN()},
			{Name: "otelcol-psutil", Pid: 1, CPU: 0.004, Memory: 60 << 20},
			{Name: "sshd", Pid: 2, CPU: 0, Memory: 1 << 20},
		},
		Moved: []alertcontext.Change{{Metric: "system.disk.io", Part: "sda write", Unit: "By/s", Before: 120_000, After: 88_000_000}},
	}
	for i := range 60 {
		v := 0.71 + 0.154*math.Pow(float64(i)/59, 3)
		if i >= 6 && i < 12 {
			v = math.NaN()
		}
		c.Values = append(c.Values, v)
	}
	return c, true
}

// A message says what was around the alert: the last hour, and the processes that took the most.
func TestSurroundings(t *testing.T) {
	t.Parallel()
	known := &remembering{host: "remembered"}
	defer alertcontext.Offer(known)()
	b := newBench(t, "group_wait: 0s\nchannels: {mail: {"+hook+"}}\n")
	fire := disk("remembered")
	b.tell(fire)
	b.pass(time.Second)
	b.tell(fire.resolved(10 * time.Minute))
	b.pass(time.Second)
	sent := b.on["mail"].take()
	require.Len(t, sent, 2)
	golden(t, "surroundings.txt", shown(sent))
	require.Len(t, known.asked, 2)
	a := known.asked[0]
	assert.Equal(t, "system.filesystem.utilization", a.Metric)
	assert.Equal(t, map[string]string{"system.filesystem.mountpoint": "/data"}, a.Group)
	assert.True(t, a.Started.Equal(began))
	assert.False(t, a.LowIsBad)

	pictures, err := sent[0].pictures()
	require.NoError(t, err)
	require.Len(t, pictures, 1)
	img, err := png.Decode(bytes.NewReader(pictures[0]))
	require.NoError(t, err)
	assert.Equal(t, chartWidth, img.Bounds().Dx())
	assert.Less(t, len(pictures[0]), 20<<10)
	s := openSender(t, `type: email, server: "mail.example.com:25", from: a@example.com, to: [b@example.com]`).(*emailSender)
	out, err := s.mail(sent[0])
	require.NoError(t, err)
	var text bytes.Buffer
	_, err = out.WriteTo(&text)
	require.NoError(t, err)
	for _, part := range []string{"multipart/related", "multipart/alternative", "Content-Id: <last-hour-1.png>", "cid:last-hour-1.png", "image/png"} {
		assert.Contains(t, text.String(), part)
	}
	assert.NotContains(t, text.String(), "attachment", "it is shown within the text")

	chat := sent[0].marked(slackMarkup, 3500)
	assert.Contains(t, chat, "*Last hour:* ▁")
	assert.Contains(t, chat, "postgres 182 % CPU, 3.1 GiB")
}

// Nobody waits for a describer, and a storm asks none.
func TestADescriberThatHangs(t *testing.T) {
	t.Parallel()
	m := &message{items: []item{{entry: entry{About: about{Metric: "m"}}, notices: []notice{{}}}}, Storm: true}
	(&notifier{}).describe(t.Context(), m, 0)
	assert.Nil(t, m.items[0].around)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m.Storm = false
	(&notifier{}).describe(ctx, m, 0)
	assert.Nil(t, m.items[0].around)
}

// Each sign of a sparkline is the largest value of its time; gaps are spaces.
func TestSparkline(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	for _, row := range []struct {
		values []float64
		want   string
	}{
		{nil, ""},
		{[]float64{nan, nan}, ""},
		{[]float64{1}, "▁"},
		{[]float64{5, 5, 5}, "▁▁▁"},
		{[]float64{0, 1, 2, 3, 4, 5, 6, 7}, "▁▂▃▄▅▆▇█"},
		{[]float64{0, nan, 7}, "▁ █"},
		{[]float64{-1, math.Inf(1), 1}, "▁ █"},
	} {
		assert.Equal(t, row.want, sparkline(row.values))
	}
	assert.Len(t, []rune(sparkline(make([]float64, 1000))), sparkWidth)
}

// A chart is drawn of whatever values there are.
func TestChart(t *testing.T) {
	t.Parallel()
	nan, threshold := math.NaN(), 0.5
	for _, values := range [][]float64{{0, 1}, {1, 1, 1}, {nan, 1, nan}, {nan, 1, 2, nan, 3}, {-1e300, 1e300}, make([]float64, 5000)} {
		for _, line := range []*float64{nil, &threshold} {
			out, err := chart(values, line)
			require.NoError(t, err)
			_, err = png.Decode(bytes.NewReader(out))
			require.NoError(t, err)
		}
	}
	for _, values := range [][]float64{nil, {1}, {nan, nan}} {
		out, err := chart(values, nil)
		require.NoError(t, err)
		assert.Nil(t, out)
	}
}
