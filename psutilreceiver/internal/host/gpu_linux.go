package host

import (
	"path"
	"strings"
)

const drmDir = "sys/class/drm"

// gpuFiles are the processors that were found, with their files, which are kept open.
type gpuFiles struct {
	files sysfsReader
	age   int // reads since they were looked for
	found []gpuFile
}

type gpuFile struct {
	id, name                  string
	busy, used, total, asleep sysfsFile
}

// Read gives the processors whose driver shows them in sysfs, by the number of their card: those of amdgpu. One that is suspended, because nothing uses it, is
// left out: to ask it would wake it up. ErrUnsupported where there is none. The slice is valid until the next Read.
func (g *GPUs) Read() ([]GPU, error) {
	if g.age%rediscoverAfter == 0 {
		g.discover()
	}
	g.age++
	if len(g.found) == 0 {
		return nil, ErrUnsupported
	}
	g.samples = g.samples[:0]
	for i := range g.found {
		f := &g.found[i]
		if text, err := g.files.read(&f.asleep); err == nil && string(text) == "suspended" {
			continue
		}
		gpu := GPU{ID: f.id, Name: f.name, Utilization: busyShare(g.files.number(&f.busy))}
		gpu.MemoryUsed, gpu.MemoryTotal = g.files.number(&f.used), g.files.number(&f.total)
		g.samples = append(g.samples, gpu)
	}
	return g.samples, nil
}

// Close closes the files that are kept open. Read must not be called afterwards.
func (g *GPUs) Close() error {
	for i := range g.found {
		f := &g.found[i]
		g.files.close(&f.busy, &f.used, &f.total, &f.asleep)
	}
	g.found = nil
	return nil
}

func (g *GPUs) discover() {
	_ = g.Close()
	if g.files.budget == nil {
		g.files = newSysfsReader(g.host.dir)
	}
	for _, card := range g.host.dir.ReadDir(g.host.Path(drmDir)) {
		if number, ok := strings.CutPrefix(card, "card"); ok && isOrdinal(number) {
			g.add(card)
		}
	}
}

// add adds the processor of a card, if its driver shows anything of it.
func (g *GPUs) add(card string) {
	device := drmDir + "/" + card + "/device"
	if !g.host.exists(device+"/gpu_busy_percent") && !g.host.exists(device+"/mem_info_vram_total") {
		return
	}
	at := func(name string) sysfsFile { return sysfsFile{path: g.host.Path(device + "/" + name)} }
	f := gpuFile{
		busy: at("gpu_busy_percent"), used: at("mem_info_vram_used"), total: at("mem_info_vram_total"), asleep: at("power/runtime_status"),
	}
	f.id = card
	if target := g.host.dir.Readlink(g.host.Path(device)); target != "" {
		f.id = "pci/" + path.Base(target)
	}
	if f.name = firmwareText(word(g.host.dir, at("product_name").path)); f.name == "" {
		f.name = path.Base(g.host.dir.Readlink(g.host.Path(device + "/driver")))
	}
	if f.name == "." || f.name == "/" {
		f.name = card
	}
	g.found = append(g.found, f)
}
