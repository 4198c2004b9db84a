package rules

import "time"

// networkPreset are the preset's rules about interfaces and protocols.
func networkPreset() []RuleConfig {
	perInterface := map[string]any{"network.interface.name": map[string]any{"not_regex": `lo`}}
	traffic := rateOver("network_saturated", "system.network.io", nil)
	traffic.GroupBy = []string{"resource", "network.interface.name"}
	speed := func(share float64) map[string]any {
		return map[string]any{"metric": "system.network.interface.speed", "scale": share}
	}
	minusOne := -1.0
	down := turned("interface_down", "system.network.interface.up")
	down.Match, down.Scale, down.Offset = perInterface, &minusOne, 1
	bond := newest("bond_degraded", "system.network.bond.interfaces", map[string]any{"system.network.bond.interface.state": "down"})
	entries := newest("conntrack", "system.network.conntrack.count", nil)
	limit := func(metric string, share float64) map[string]any {
		return map[string]any{"metric": metric, "scale": share}
	}
	segments := func(metric, direction string) SelectorConfig {
		s := SelectorConfig{Metric: metric}
		if direction != "" {
			s.Match = map[string]any{"network.io.direction": direction}
		}
		return s
	}
	retransmits := quotient("tcp_retransmits", segments("system.network.tcp.retransmits", ""), segments("system.network.tcp.segments", "transmit"))
	retransmits.Window, retransmits.Aggregate = 10*time.Minute, "increase"
	tcpMemory := newest("tcp_memory", "system.network.tcp.memory.usage", nil)
	udp := rateOver("udp_errors", "system.network.udp.errors", map[string]any{"error.type": anyOf("receive_buffer", "send_buffer", "memory")})
	softnet := rateOver("softnet_drops", "system.network.softnet.dropped", nil)
	softnet.GroupBy, softnet.GroupAggregate = []string{"resource"}, "sum"
	nfs := quotient("nfs_retransmits", SelectorConfig{Metric: "nfs.client.rpc.retransmit.count"}, SelectorConfig{Metric: "nfs.client.rpc.count"})
	nfs.Window, nfs.Aggregate = 10*time.Minute, "increase"
	const minutes = 10 * time.Minute
	return []RuleConfig{
		ladderOf(rising("network_errors", "system.network.errors", minutes, nil), valued("interface"+port, "has had", several("error", "in 10 min")),
			above(600, 60, 5*time.Minute), above(60000, 6000, 5*time.Minute)),
		ladderOf(rateOver("network_drops", "system.network.packet.dropped", nil), valued("interface"+port, "drops", "packets"),
			above(20, 5, 15*time.Minute), above(1000, 200, 15*time.Minute)),
		ladderOf(traffic, valued("interface"+port, "carries", ""), above(speed(0.9), speed(0.7), 2*time.Hour), none),
		ladderOf(down, stated("interface"+port, "has lost its link", "has its link again"), turnedLevel, none),
		ladderOf(bond, valued(`bond{{ with .Attr "system.network.bond.name" }} {{ . }}{{ end }}`, "has", several("interface", "without a link")), above(0, nil, time.Minute), none),
		ladderOf(rising("link_flapping", "system.network.interface.carrier_changes", minutes, perInterface), valued("link of interface"+port, "has come or gone", several("time", "in 10 min")),
			above(9, 3, 0), none),
		ladderOf(entries, valued("firewall", "tracks", "connections"), above(limit("system.network.conntrack.limit", 0.8), limit("system.network.conntrack.limit", 0.7), minutes),
			above(limit("system.network.conntrack.limit", 0.95), limit("system.network.conntrack.limit", 0.85), time.Minute)),
		ladderOf(retransmits, valued("TCP", "sends", "of its segments again"), above("5%", "2%", 15*time.Minute), above("20%", "10%", 15*time.Minute)),
		ladderOf(rateOver("tcp_listen_overflows", "system.network.tcp.listen.overflows", nil), valued("full listen queues", "turn", "connections away"),
			above(0.1, 0.02, 5*time.Minute), above(10, 2, 5*time.Minute)),
		ladderOf(rateOver("tcp_resets", "system.network.tcp.resets.sent", nil), valued("TCP", "resets", "connections"),
			above(200, 100, 15*time.Minute), none),
		ladderOf(tcpMemory, valued("TCP", "uses", "of buffers"), above(limit("system.network.tcp.memory.limit", 0.8), limit("system.network.tcp.memory.limit", 0.6), 5*time.Minute),
			above(limit("system.network.tcp.memory.limit", 0.95), limit("system.network.tcp.memory.limit", 0.85), time.Minute)),
		ladderOf(udp, valued("UDP", "loses", "datagrams for lack of buffers"), above(10, 2, minutes), above(1000, 200, minutes)),
		ladderOf(softnet, valued("CPUs", "drop", "packets that they have no time for"), above(1, 0.1, minutes), above(1000, 200, minutes)),
		ladderOf(nfs, valued("NFS", "sends", "of its requests again"), above("5%", "2%", minutes), above("20%", "10%", minutes)),
	}
}
