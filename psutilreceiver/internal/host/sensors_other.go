//go:build !linux

package host

import (
	"context"

	"github.com/shirou/gopsutil/v3/host"
)

// Temperatures gives the sensors that have a reading. ErrUnsupported on macOS in a build without cgo; Windows reports only
// administrators.
func (h *Host) Temperatures(limits bool) ([]Temperature, error) {
	found, err := host.SensorsTemperaturesWithContext(context.Background())
	if err != nil && len(found) == 0 {
		return nil, portable("reading the temperatures", err)
	}
	ids := make(uniqueIDs)
	var temperatures []Temperature
	for _, f := range found {
		// Gopsutil reads every key that some Mac has, and gives 0 for those that this one lacks.
		if f.Temperature == 0 || !plausible(f.Temperature) {
			continue
		}
		t := Temperature{ID: ids.of(f.SensorKey), Name: f.SensorKey, Celsius: f.Temperature, Limits: noLimits}
		if limits && f.High > 0 {
			t.Limits.Max = f.High
		}
		if limits && f.Critical > 0 {
			t.Limits.Critical = f.Critical
		}
		temperatures = append(temperatures, t)
	}
	if len(temperatures) == 0 {
		return nil, ErrUnsupported
	}
	return temperatures, nil
}

// Fans is ErrUnsupported: gopsutil does not have it.
func (h *Host) Fans(bool) ([]Fan, error) { return nil, ErrUnsupported }

// Batteries is ErrUnsupported: gopsutil does not have it.
func (h *Host) Batteries() ([]Battery, error) { return nil, ErrUnsupported }

// Sensors is ErrUnsupported: gopsutil does not have it.
func (h *Host) Sensors(SensorKind, bool) ([]Sensor, error) { return nil, ErrUnsupported }

// SensorStatuses is ErrUnsupported: gopsutil does not have it.
func (h *Host) SensorStatuses() ([]SensorStatus, error) { return nil, ErrUnsupported }

// PowerSupplies is ErrUnsupported: gopsutil does not have it.
func (h *Host) PowerSupplies() ([]PowerSupply, error) { return nil, ErrUnsupported }
