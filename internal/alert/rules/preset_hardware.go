package rules

import "time"

// hardwarePreset are the preset's rules about sensors and hardware errors. Those of disks are in diskHealthPreset.
func hardwarePreset() []RuleConfig {
	hottest := func(offset float64) map[string]any {
		return map[string]any{"metric": "hw.temperature.limit", "match": map[string]any{"hw.limit_type": "high.critical"}, "offset": offset}
	}
	temperature := newest("temperature", "hw.temperature", nil)
	temperature.GroupBy = []string{"resource", "hw.id", "hw.name"}
	state := func(name string, states ...any) RuleConfig {
		rc := newest(name, "hw.status", map[string]any{"hw.type": anyOf("temperature", "fan", "voltage", "power", "current"), "hw.state": anyOf(states...)})
		rc.GroupBy = []string{"resource", "hw.id", "hw.name", "hw.type"}
		return rc
	}
	const kind = `{{ with .Attr "hw.type" }}{{ . }}{{ else }}sensor{{ end }}`
	errorsOf := func(name, of string, kinds ...any) RuleConfig {
		rc := rising(name, "hw.errors", 15*time.Minute, map[string]any{"hw.type": of, "error.type": anyOf(kinds...)})
		rc.GroupBy = []string{"resource", "hw.id", "hw.name"}
		return rc
	}
	minusOne := -1.0
	mains := turned("power_lost", "hw.power_supply.online")
	mains.Scale, mains.Offset = &minusOne, 1
	return []RuleConfig{
		ladderOf(temperature, valued("temperature"+sensor, "is", ""), above(hottest(-5), hottest(-10), 5*time.Minute), above(hottest(0), hottest(-5), 0)),
		ladderOf(state("sensor_degraded", "degraded"), stated(kind+sensor, "is outside of its bounds", "is within its bounds"), above(0, nil, 5*time.Minute), none),
		ladderOf(state("sensor_failed", "failed"), stated(kind+sensor, "has failed or is in a critical state", "is no longer in a critical state"), none, above(0, nil, time.Minute)),
		ladderOf(errorsOf("memory_errors_corrected", "memory", "corrected"), valued("memory"+sensor, "has corrected", several("error", "in 15 min")), above(10, 2, 0), above(1000, 200, 0)),
		ladderOf(errorsOf("memory_errors_uncorrected", "memory", "uncorrected"), valued("memory"+sensor, "has had", several("error", "that it could not correct in 15 min")), none, above(0, nil, 0)),
		ladderOf(errorsOf("pci_errors_corrected", "pci", "correctable"), valued("PCI device"+sensor, "has corrected", several("error", "in 15 min")), above(1000, 100, 0), none),
		ladderOf(errorsOf("pci_errors", "pci", "nonfatal", "fatal"), valued("PCI device"+sensor, "has had", several("error", "in 15 min")), above(0, nil, 0), above(10, 2, 0)),
		ladderOf(errorsOf("machine_checks", "cpu", "machine_check"), valued("CPUs", "have reported", several("hardware error", "in 15 min")), above(0, nil, 0), above(100, 10, 0)),
		ladderOf(mains, stated("power supply"+sensor, "has lost its mains power", "has mains power again"), turnedLevel, none),
		ladderOf(newest("battery", "hw.battery.charge", nil), is("battery"+sensor, "charged"), below("15%", "20%", time.Minute), below("5%", "10%", time.Minute)),
	}
}
