package host
import ("testing";"os")
func BenchmarkZZ(b *testing.B) {
	for _, n := range []string{"proc/self/mountinfo","proc/diskstats","proc/net/dev","proc/net/tcp","sys/class/net/eth0/ifindex","sys/class/block/vda/diskseq","sys/class/net/eth0/speed"} {
	b.Run(n, func(b *testing.B) {
	h, _ := New("")
	for b.Loop() { h.Begin(); h.read(n) }
	})
	b.Run("os/"+n, func(b *testing.B) {
	for b.Loop() { os.ReadFile("/"+n) }
	})
	}
	var st [1]attribute
	h, _ := New("")
	st[0] = h.attribute("sys/class/block/vda/diskseq")
	b.Run("attr", func(b *testing.B) { for b.Loop() { st[0].number() } })
}
