package ruletest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// day makes the series of one day of a machine, a value each quarter of a minute.
type day struct {
	random *rand.Rand
	names  []string
	series map[string]*Series
	values map[string]*strings.Builder
	totals map[string]float64
}

const (
	dayInterval = 15 * time.Second
	dayLength   = 24 * time.Hour
)

func newDay() *day {
	return &day{random: rand.New(rand.NewPCG(1, 2)), series: map[string]*Series{}, values: map[string]*strings.Builder{}, totals: map[string]float64{}}
}

func (d *day) put(selector, unit string, gauge bool, v float64) {
	b := d.values[selector]
	if b == nil {
		b = &strings.Builder{}
		d.names, d.values[selector], d.series[selector] = append(d.names, selector), b, &Series{Series: selector, Unit: unit, Gauge: gauge}
	}
	fmt.Fprintf(b, "%g ", v)
}

// is adds a value, and counts adds so many a second to a counter.
func (d *day) is(selector, unit string, v float64) { d.put(selector, unit, true, v) }

func (d *day) counts(selector, unit string, perSecond float64) {
	d.totals[selector] += perSecond * dayInterval.Seconds()
	d.put(selector, unit, false, d.totals[selector])
}

// about is a value with noise of a tenth.
func (d *day) about(v float64) float64 { return v * (0.9 + 0.2*d.random.Float64()) }

func (d *day) run(t *testing.T, preset any) []string {
	t.Helper()
	cfg := rules.DefaultConfig()
	cfg.Preset = preset
	set, err := rules.Compile(cfg)
	require.NoError(t, err)
	test := Test{Interval: dayInterval, EvaluationInterval: dayInterval}
	for _, name := range d.names {
		s := *d.series[name]
		s.Values = strings.TrimSpace(d.values[name].String())
		test.Series = append(test.Series, s)
	}
	result, err := Run(set, test)
	require.NoError(t, err)
	var out []string
	for _, x := range result.Transitions {
		out = append(out, fmt.Sprintf("%s %s %s", x.At.Truncate(time.Hour), x.Event.Rule, x.Event.Transition))
	}
	return out
}

// moment is what a machine does at one time.
type moment struct {
	busy, iowait, steal, cpuPressure, ioPressure float64 // Shares of 1.
	load                                         float64 // For each CPU.
	memory, disk                                 float64 // Shares of 1.
	faults, switches                             float64 // A second.
	diskBusy, latency, queue                     float64
	network                                      float64 // Bytes a second.
	down                                         bool    // The interface.
	reboot                                       float64
	throttled, groupThrottled                    float64
}

const dayCPUs = 4

// add adds what the psutil receiver says of a moment.
func (d *day) add(at time.Duration, m *moment) {
	busy := min(0.999, d.about(m.busy))
	d.is(`system.cpu.utilization{cpu.mode="iowait"}`, "1", min(m.iowait, 1-busy))
	d.is(`system.cpu.utilization{cpu.mode="idle"}`, "1", max(0, 1-busy-m.iowait-m.steal))
	d.is(`system.cpu.utilization{cpu.mode="steal"}`, "1", m.steal)
	d.is(`system.cpu.logical.count`, "{cpu}", dayCPUs)
	d.is(`system.cpu.load_average.15m`, "{thread}", d.about(m.load)*dayCPUs)
	d.counts(`system.cpu.context_switches`, "{context_switch}", d.about(m.switches)*dayCPUs)
	d.counts(`system.cpu.linux.thermal_throttle.events{system.cpu.linux.thermal_throttle.scope="package"}`, "{event}", m.throttled)
	d.is(`system.cpu.linux.pressure.5m{system.linux.pressure.stall_type="some"}`, "1", m.cpuPressure)
	d.is(`system.io.linux.pressure.5m{system.linux.pressure.stall_type="full"}`, "1", m.ioPressure)
	d.is(`system.memory.linux.pressure.5m{system.linux.pressure.stall_type="full"}`, "1", 0.01)
	d.is(`system.memory.utilization{system.memory.state="used"}`, "1", m.memory)
	d.is(`system.memory.linux.available`, "By", (1-m.memory)*16e9)
	d.is(`system.memory.limit`, "By", 16e9)
	d.is(`system.paging.utilization{system.paging.state="used",system.device="/dev/sda2"}`, "1", 0.12)
	d.counts(`system.paging.faults{system.paging.fault.type="major"}`, "{fault}", d.about(m.faults))
	d.counts(`system.paging.operations{system.paging.direction="in",system.paging.fault.type="major"}`, "{operation}", d.about(m.faults)/10)
	const fs = `system.device="/dev/sda1",system.filesystem.mountpoint="/",system.filesystem.type="ext4"`
	for state, share := range map[string]float64{"used": m.disk * 0.95, "free": (1 - m.disk) * 0.95, "reserved": 0.05} {
		d.is(`system.filesystem.usage{system.filesystem.state="`+state+`",`+fs+`}`, "By", share*100e9)
		d.is(`system.filesystem.utilization{system.filesystem.state="`+state+`",`+fs+`}`, "1", share)
	}
	inodes := 400e3 + 300e3*m.disk // Files go with what they hold.
	d.is(`system.filesystem.inodes.usage{system.filesystem.state="used",`+fs+`}`, "{inode}", inodes)
	d.is(`system.filesystem.inodes.usage{system.filesystem.state="free",`+fs+`}`, "{inode}", 1.3e6-inodes)
	d.is(`system.filesystem.read_only{`+fs+`}`, "1", 0)
	d.is(`system.filesystem.error{`+fs+`}`, "1", 0)
	d.is(`system.filesystem.read_only{system.device="/dev/loop0",system.filesystem.mountpoint="/snap",system.filesystem.type="squashfs"}`, "1", 1)
	operations := 5 + m.diskBusy*200
	d.counts(`system.disk.io_time{system.device="sda"}`, "s", m.diskBusy)
	d.counts(`system.disk.operations{system.device="sda",disk.io.direction="read"}`, "{operation}", operations)
	d.counts(`system.disk.operation_time{system.device="sda",disk.io.direction="read"}`, "s", operations*d.about(m.latency))
	d.counts(`system.disk.weighted_io_time{system.device="sda"}`, "s", m.queue)
	up, bounced := 1.0, 0.0
	if m.down {
		up, bounced = 0, 1
	}
	d.is(`system.network.interface.up{network.interface.name="eth0"}`, "1", up)
	d.is(`system.network.interface.up{network.interface.name="docker0"}`, "1", 0)
	d.is(`system.network.interface.speed{network.interface.name="eth0"}`, "bit/s", 1e9)
	d.counts(`system.network.io{network.interface.name="eth0",network.io.direction="receive"}`, "By", m.network*up)
	d.counts(`system.network.errors{network.interface.name="eth0",network.io.direction="receive"}`, "{error}", bounced)
	d.counts(`system.network.packet.dropped{network.interface.name="eth0",network.io.direction="receive"}`, "{packet}", 0.5)
	d.counts(`system.network.interface.carrier_changes{network.interface.name="eth0"}`, "{change}", bounced/15)
	d.counts(`system.network.tcp.segments{network.io.direction="transmit"}`, "{segment}", 20+m.network/1000)
	d.counts(`system.network.tcp.retransmits`, "{segment}", 0.1+m.network/300000+bounced*5)
	d.counts(`system.network.tcp.resets.sent`, "{segment}", d.about(3))
	d.is(`system.clock.offset`, "s", 0.002*(d.random.Float64()-0.5))
	d.is(`system.clock.synchronized`, "1", 1)
	d.is(`system.linux.entropy.available`, "bit", 256)
	d.is(`system.linux.reboot_required`, "1", m.reboot)
	d.is(`system.uptime`, "s", 4e6+at.Seconds())
	d.is(`system.process.count{process.state="defunct"}`, "{process}", float64(d.random.IntN(5)))
	d.is(`hw.power_supply.online{hw.id="power_supply/AC",hw.name="AC"}`, "1", 1)
	d.addServices(m)
	d.is(`system.thread.count`, "{thread}", d.about(600))
	d.is(`system.process.limit`, "{thread}", 32768)
}

// addServices adds what systemd and control groups say: a container that is at its CPU limit while it builds, and near its memory limit for moments.
func (d *day) addServices(m *moment) {
	const container = `resource.linux.cgroup.path="/docker/c1",resource.container.name="ci"`
	const unit = `resource.systemd.unit.name="backup.service"`
	d.counts(`container.cpu.throttling_data.periods{`+container+`}`, "{period}", 10)
	d.counts(`container.cpu.throttling_data.throttled_periods{`+container+`}`, "{period}", m.groupThrottled*10)
	d.is(`container.memory.limit.utilization{`+container+`}`, "1", m.memory)
	d.counts(`container.memory.linux.events{linux.cgroup.memory.event="oom_kill",`+container+`}`, "{event}", 0)
	for state, value := range map[string]float64{"failed": 0, "active": 1} {
		d.is(`systemd.unit.state{systemd.unit.active_state="`+state+`",`+unit+`}`, "1", value)
	}
	for state, value := range map[string]float64{"running": 1, "degraded": 0, "maintenance": 0} {
		d.is(`systemd.system.state{systemd.system.state="`+state+`"}`, "1", value)
	}
	restarts := 0.0
	if m.reboot > 0 {
		restarts = 0.00005 // Some in a day: upgrades, and a service that ends itself.
	}
	d.counts(`systemd.service.restarts{`+unit+`}`, "{restart}", restarts)
}

// within tells whether a time of the day is in a span that begins at start.
func within(at, start, span time.Duration) bool { return at >= start && at < start+span }

// quiet is what happens on a machine every day: cron at each hour, a backup at night over its link, an upgrade, a slow growth of its disk.
func (d *day) quiet(at time.Duration) moment {
	m := moment{
		busy: 0.03, iowait: 0.01, load: 0.05, cpuPressure: 0.01, ioPressure: 0.01, memory: 0.35, disk: 0.55 + 0.01*at.Hours()/24, faults: 5, switches: 500,
		diskBusy: 0.02, latency: 0.004, queue: 0.1, network: 20e3,
	}
	if at%time.Hour < 45*time.Second { // Cron.
		m.busy, m.load, m.cpuPressure = 1, 0.6, 0.3
	}
	if within(at, 2*time.Hour, 70*time.Minute) { // The backup.
		m.busy, m.iowait, m.load, m.ioPressure = 0.3, 0.45, 1, 0.75
		m.diskBusy, m.latency, m.queue, m.network, m.faults = 1, 0.03, 8, 118e6, 300
	}
	if within(at, 6*time.Hour, 6*time.Minute) { // The upgrade.
		m.busy, m.iowait, m.load, m.faults, m.diskBusy, m.latency, m.ioPressure = 0.9, 0.1, 1.2, 2500, 0.9, 0.05, 0.4
	}
	if at > 6*time.Hour {
		m.reboot, m.disk = 1, m.disk+0.012
	}
	return m
}

// build is what a machine does that compiles: all CPUs for 12 minutes of each half hour by day, links that take memory for a minute, containers that start
// up, a disk that fills and is cleaned, a restart of the interface, and from 13:00 on a build of three hours.
func (d *day) build(at time.Duration) moment {
	m := d.quiet(at)
	long := within(at, 13*time.Hour, 3*time.Hour)
	if building := within(at, 8*time.Hour, 14*time.Hour) && at%(30*time.Minute) < 12*time.Minute; building || long {
		m.busy, m.iowait, m.load, m.cpuPressure = 1.2, 0, 1.6, 0.65
		m.memory, m.faults, m.switches, m.diskBusy, m.latency, m.throttled = 0.7, 200, 9000, 0.4, 0.01, 0.05
		if !long {
			m.groupThrottled = 0.8
		}
		m.disk += 0.15 * float64(at%(30*time.Minute)) / float64(30*time.Minute)
		if at%(10*time.Minute) > 9*time.Minute {
			m.memory = 0.96
		}
	}
	if at%(47*time.Minute) < time.Minute { // Containers start.
		m.busy, m.faults, m.switches = max(m.busy, 0.95), 1500, 20000
	}
	m.down = within(at, 10*time.Hour, 30*time.Second)
	return m
}

// TestADayWithoutFalseAlarms plays the day of a quiet machine and of a busy one to the preset.
func TestADayWithoutFalseAlarms(t *testing.T) {
	t.Parallel()
	play := func(of func(*day, time.Duration) moment) *day {
		d := newDay()
		for at := time.Duration(0); at < dayLength; at += dayInterval {
			m := of(d, at)
			d.add(at, &m)
		}
		return d
	}
	t.Run("quiet", func(t *testing.T) {
		t.Parallel()
		assert.Empty(t, play((*day).quiet).run(t, "host"))
	})
	t.Run("busy", func(t *testing.T) {
		t.Parallel()
		d := play((*day).build)
		assert.Equal(t, []string{"13h0m0s cpu fire", "16h0m0s cpu resolve"}, shortened(d.run(t, "host")), "all CPUs for three hours, and nothing else")
		preset := rules.PresetConfig{Host: &rules.HostPresetConfig{Disable: []string{"cpu"}}}
		assert.Empty(t, d.run(t, preset), "where it is meant to be so")
	})
}

// shortened leaves out the steps of a ladder between the fire and the resolve.
func shortened(transitions []string) (out []string) {
	for _, x := range transitions {
		if strings.HasSuffix(x, " fire") || strings.HasSuffix(x, " resolve") {
			out = append(out, x)
		}
	}
	return out
}
