package psutilreceiver

import "time"

// devices is a source of devices that come and go.
type devices[T any] struct {
	recorder
	read    func(now time.Time) ([]T, error)
	name    func(*T) (name string, identity uint64)
	closing func() error

	rows  []pointRow[T] // of what is chosen
	known map[string]*knownDevice
	reads uint64
}

// knownDevice is a device with a series for each row. One that has gone is kept until its series have been exported: if
// it returns before, they go on.
type knownDevice struct {
	identity uint64
	read     uint64 // number of the last read that has shown it
	gone     bool
	series   []*sampledSeries
}

func newDevices[T any](d *devices[T], rows []pointRow[T], rec recorder) *devices[T] {
	d.recorder, d.known = rec, make(map[string]*knownDevice)
	for _, row := range rows {
		if row.sampling == samplingNever {
			continue
		}
		if m, _ := rec.chosen(func(mb *builder) { row.zero(mb, new(T)) }); m != nil {
			d.rows = append(d.rows, row)
		}
	}
	return d
}

// sample records what could be read. Only a read without an error shows which devices have gone.
func (d *devices[T]) sample(now time.Time) error {
	found, err := d.read(now)
	if err != nil && len(found) == 0 {
		return err
	}
	d.output.set.Lock()
	defer d.output.set.Unlock()
	d.reads++
	for i := range found {
		d.record(&found[i], d.at(now))
	}
	if err == nil && len(d.known) > len(found) {
		d.forget()
	}
	return nil
}

// record takes what was read of a device. One that is new, or back, or another one under the same name, begins with a baseline.
func (d *devices[T]) record(item *T, at time.Duration) {
	name, identity := d.name(item)
	k, ok := d.known[name]
	if !ok || k.gone && !k.resume() {
		k = d.learn(name, item)
	}
	k.read = d.reads
	if k.identity != identity {
		k.identity = identity
		k.begin()
	}
	for i, x := range k.series {
		x.record(d.rows[i].value(item), at)
	}
}

// begin makes the next totals baselines.
func (k *knownDevice) begin() {
	for _, x := range k.series {
		x.counter.Forget()
	}
}

// resume continues the series of a device that is back, and returns false if they have been forgotten. Those of one device are forgotten at the
// same time.
func (k *knownDevice) resume() bool {
	for _, x := range k.series {
		if !x.samples.Resume() {
			return false
		}
	}
	k.gone = false
	k.begin()
	return true
}

// learn begins the series of a new device.
func (d *devices[T]) learn(name string, item *T) *knownDevice {
	k := &knownDevice{}
	for _, row := range d.rows {
		k.series = append(k.series, d.series(func(mb *builder) { row.zero(mb, item) }))
	}
	d.known[name] = k
	return k
}

// forget ends the series of devices that the read has not shown.
func (d *devices[T]) forget() {
	for name, k := range d.known {
		switch {
		case k.read == d.reads:
		case !k.gone:
			k.gone = true
			for _, x := range k.series {
				x.samples.End()
			}
		case k.series[0].samples.Forgotten():
			delete(d.known, name)
		}
	}
}

func (d *devices[T]) close() error { return d.closing() }
