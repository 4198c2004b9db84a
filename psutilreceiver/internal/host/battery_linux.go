package host

import (
	"bytes"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

// powerSupply holds the properties of a power supply that matter here, in the units of its uevent file: µWh or µAh, µW or µA, s.
// Numbers are -1 when the driver does not report them.
type powerSupply struct {
	kind, scope, status, model string

	present, capacity int64 // capacity in percent

	energyNow, energyFull, powerNow   int64
	chargeNow, chargeFull, currentNow int64 // for drivers that count charge instead of energy
	timeToEmpty, timeToFull           int64
}

// parsePowerSupply reads lines such as POWER_SUPPLY_ENERGY_NOW=41200000. Lines that are not understood are skipped: drivers
// differ in what they report and how.
func parsePowerSupply(text []byte) powerSupply {
	p := powerSupply{
		present: absent, capacity: absent, energyNow: absent, energyFull: absent, powerNow: absent,
		chargeNow: absent, chargeFull: absent, currentNow: absent, timeToEmpty: absent, timeToFull: absent,
	}
	for len(text) > 0 {
		var l []byte
		l, text = proctext.Line(text)
		key, value, _ := bytes.Cut(l, []byte{'='})
		name, ok := bytes.CutPrefix(key, []byte("POWER_SUPPLY_"))
		if !ok {
			continue
		}
		if dst := p.textOf(name); dst != nil {
			*dst = string(bytes.TrimSpace(value))
			continue
		}
		dst := p.numberOf(name)
		if dst == nil {
			continue
		}
		v, ok := parseReading(value)
		if ok && (dst == &p.currentNow || dst == &p.powerNow) {
			v = max(v, -v) // Some drivers give what flows out of a battery as negative.
		}
		if ok && v >= 0 {
			*dst = v
		}
	}
	return p
}

func (p *powerSupply) textOf(name []byte) *string {
	switch string(name) {
	case "TYPE":
		return &p.kind
	case "SCOPE":
		return &p.scope
	case "STATUS":
		return &p.status
	case "MODEL_NAME":
		return &p.model
	}
	return nil
}

func (p *powerSupply) numberOf(name []byte) *int64 {
	switch string(name) {
	case "PRESENT":
		return &p.present
	case "CAPACITY":
		return &p.capacity
	case "ENERGY_NOW":
		return &p.energyNow
	case "ENERGY_FULL":
		return &p.energyFull
	case "POWER_NOW":
		return &p.powerNow
	case "CHARGE_NOW":
		return &p.chargeNow
	case "CHARGE_FULL":
		return &p.chargeFull
	case "CURRENT_NOW":
		return &p.currentNow
	case "TIME_TO_EMPTY_NOW":
		return &p.timeToEmpty
	case "TIME_TO_FULL_NOW":
		return &p.timeToFull
	}
	return nil
}

// isBattery tells whether it is a battery of the host itself that is in its bay.
func (p *powerSupply) isBattery() bool {
	return p.kind == "Battery" && p.scope != "Device" && p.present != 0
}

// isContent tells whether a battery that holds full can hold now. Full is what was measured last: a battery may take somewhat more.
func isContent(now, full int64) bool {
	return now >= 0 && full > 0 && float64(now) <= 1.1*float64(full)
}

func isPercentage(v int64) bool { return v >= 0 && v <= 100 }

// needsCapacity tells whether the charge can't be told by uevent.
func (p *powerSupply) needsCapacity() bool {
	return !isPercentage(p.capacity) && !isContent(p.energyNow, p.energyFull) && !isContent(p.chargeNow, p.chargeFull)
}

// battery is what is told of the battery. Numbers that can't be are passed over: then the next source counts, or nothing is known.
func (p *powerSupply) battery(id, name string) Battery {
	b := Battery{ID: id, Name: name, Charge: absent, TimeLeft: absent}
	// Energy if the driver reports it, else charge: the ratio and the time come out alike. The ratio is finer than the percentage.
	now, full, flow := p.energyNow, p.energyFull, p.powerNow
	if !isContent(now, full) {
		now, full, flow = p.chargeNow, p.chargeFull, p.currentNow
	}
	known := isContent(now, full)
	switch {
	case known:
		b.Charge = min(float64(now)/float64(full), 1)
	case isPercentage(p.capacity):
		b.Charge = float64(p.capacity) / 100
	}
	const hour = 3600
	switch p.status {
	case "Charging":
		b.State = BatteryCharging
		if p.timeToFull > 0 {
			b.TimeLeft = float64(p.timeToFull)
		} else if known && flow > 0 {
			b.TimeLeft = max(float64(full)-float64(now), 0) / float64(flow) * hour
		}
	case "Discharging":
		b.State = BatteryDischarging
		if p.timeToEmpty > 0 {
			b.TimeLeft = float64(p.timeToEmpty)
		} else if known && flow > 0 {
			b.TimeLeft = float64(now) / float64(flow) * hour
		}
	}
	return b
}
