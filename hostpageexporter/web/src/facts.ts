// What is wrong with the host below its usage: a list of the faults that it counts and of states that should not be, quiet while there are none.
// A script of its own, which the page loads where the host has any of these metrics.

import type { get as Get, Meta, Range } from './api.ts';
import { el, setText } from './dom.ts';
import { digits, percent } from './format.ts';
import type { View } from './state.ts';

interface Fact {
  metric: string;
  name: string;
  /** Only the series whose attributes are so. */
  where?: (a: Record<string, string>) => boolean;
  /** It is worth a look, but no fault. */
  note?: boolean;
  /** Of a level: whether it is to be shown, by default where it is not 0. */
  when?: (v: number) => boolean;
  text?: (v: number) => string;
}

const state = (key: string, ...good: string[]) => (a: Record<string, string>) => !good.includes(a[key]);
const IMAGES = /squashfs|iso9660|erofs|cramfs|udf/;

const FACTS: Fact[] = [
  { metric: 'systemd.unit.failed', name: 'failed units' },
  { metric: 'systemd.unit.state', name: 'failed', where: (a) => a['systemd.unit.active_state'] === 'failed', text: () => '' },
  { metric: 'system.filesystem.error', name: 'filesystem does not answer', text: () => '' },
  { metric: 'system.filesystem.read_only', name: 'filesystem is read-only', where: (a) => !IMAGES.test(a['system.filesystem.type'] ?? ''), note: true, text: () => '' },
  { metric: 'system.filesystem.linux.ext4.errors', name: 'ext4 errors' },
  { metric: 'system.linux.md.disks', name: 'failed disks of a RAID', where: (a) => a['system.linux.md.disk.state'] === 'failed' },
  { metric: 'system.linux.md.sync.progress', name: 'RAID synchronises', note: true, when: () => true, text: percent },
  { metric: 'system.zfs.pool.state', name: 'ZFS pool is not online', where: state('system.zfs.pool.state', 'online'), text: () => '' },
  { metric: 'system.btrfs.errors', name: 'btrfs errors' },
  { metric: 'system.btrfs.device.missing', name: 'missing devices of btrfs' },
  { metric: 'hw.status', name: 'hardware is not well', where: state('hw.state', 'ok'), text: () => '' },
  { metric: 'hw.errors', name: 'hardware errors' },
  { metric: 'system.memory.linux.hardware_corrupted', name: 'bytes of broken memory' },
  { metric: 'system.cpu.linux.thermal_throttle.events', name: 'CPU slowed down by heat' },
  { metric: 'system.linux.task.hung', name: 'hung tasks' },
  { metric: 'system.clock.synchronized', name: 'clock is not synchronised', note: true, when: (v) => v === 0, text: () => '' },
  { metric: 'system.clock.offset', name: 'clock is off', when: (v) => Math.abs(v) > 0.01, text: (v) => `${digits(v)} s` },
  { metric: 'system.network.bond.interfaces', name: 'interfaces of a bond that are down', where: (a) => a['system.network.bond.interface.state'] === 'down' },
  { metric: 'system.network.interface.carrier_changes', name: 'link up or down' },
  { metric: 'system.network.tcp.listen.overflows', name: 'TCP: accept queue was full' },
  { metric: 'system.network.tcp.listen.drops', name: 'TCP: new connections dropped' },
  { metric: 'system.network.tcp.syn_queue.overflows', name: 'TCP: SYN queue was full' },
  { metric: 'system.network.tcp.memory.pressures', name: 'TCP: short of memory' },
  { metric: 'system.network.tcp.retransmits', name: 'TCP: segments sent again', note: true },
  { metric: 'system.network.tcp.connection.resets', name: 'TCP: connections reset', note: true },
  { metric: 'system.network.tcp.timeouts', name: 'TCP: timeouts', note: true },
  { metric: 'system.network.udp.errors', name: 'UDP: datagrams lost', where: state('error.type', 'no_port') },
  { metric: 'system.network.softnet.dropped', name: 'packets dropped before the protocol' },
  { metric: 'system.network.softnet.squeezed', name: 'packets had to wait for a CPU', note: true },
  { metric: 'system.linux.reboot_required', name: 'a reboot is required', note: true, text: () => '' },
];
const EVERY = 10_000;
const MOST_ROWS = 100;

interface Line {
  fact: Fact;
  of: string;
  text: string;
}

/** What there is to tell of the answer of a window. */
function lines(meta: Meta, range: Range): Line[] {
  const courses = new Map(range.groups.flatMap((g) => g.series.map((s) => [s.id, { times: g.times, values: s.avg ?? [] }] as const)));
  const resources = (meta as Meta & { resources?: Record<string, string>[] }).resources ?? [];
  const out: Line[] = [];
  for (const fact of FACTS) {
    for (const m of meta.metrics) {
      if (m.name !== fact.metric) continue;
      for (const s of m.series) {
        const attributes: Record<string, string> = {};
        m.attributes.forEach((k, i) => s.values[i] != null && (attributes[k] = s.values[i]));
        const course = courses.get(s.id);
        if (!course || (fact.where && !fact.where(attributes))) continue;
        let v: number | null | undefined = null;
        if (m.kind === 'counter') {
          // The values are rates: together with their distances they are how many there were.
          v = course.values.reduce<number>((n, x, i) => n + (i && x ? (x * (course.times[i] - course.times[i - 1])) / 1000 : 0), 0);
          v = Math.round(v);
        } else v = course.values.findLast((x) => x != null);
        if (v == null || !(fact.when ? fact.when(v) : v !== 0)) continue;
        const unit = resources[s.resource]?.['systemd.unit.name'];
        const of = [unit, ...Object.entries(attributes).filter(([k]) => !/\.type$|hw\.id|uuid|active_state/.test(k) || k === 'error.type').map(([, x]) => x)];
        out.push({ fact, of: of.filter(Boolean).join(' '), text: fact.text ? fact.text(v) : `${digits(v)}${m.kind === 'counter' ? ' in this window' : ''}` });
      }
    }
  }
  return out.sort((a, b) => Number(a.fact.note ?? false) - Number(b.fact.note ?? false));
}

/** Shows the list, and returns its element; null where the host has none of the metrics. */
function facts(view: View, get: typeof Get, meta: () => Meta | undefined): HTMLElement {
  const body = el('tbody');
  const note = el('span', { class: 'note' });
  const box = el('div', { class: 'scroll', attrs: { tabindex: '0', role: 'region', 'aria-label': 'table of faults' } }, el('table', { class: 'faults' }, body));
  let timer = 0;
  const load = async (): Promise<void> => {
    const m = meta();
    if (!m || document.hidden) return;
    const names = FACTS.map((f) => f.metric).filter((n) => m.metrics.some((x) => x.name === n));
    try {
      const range = await get<Range>('api/range', { series: names.join(','), from: Math.floor(view.start), to: Math.ceil(view.end) + 1, width: 300 });
      const all = lines(m, range);
      setText(note, all.some((l) => !l.fact.note) ? '' : `✓ none of the ${names.length} that are counted`);
      body.replaceChildren(
        ...all.slice(0, MOST_ROWS).map((l) =>
          el('tr', {}, el('td', { class: l.fact.note ? '' : 'alarm', text: `${l.fact.note ? '·' : '▲'} ${l.fact.name}` }), el('td', { class: 'name', text: l.of }), el('td', { class: 'number', text: l.text })),
        ),
      );
      box.hidden = all.length === 0;
    } catch (e) {
      setText(note, String(e));
    }
  };
  const soon = (): void => {
    clearTimeout(timer);
    timer = window.setTimeout(() => void load(), 300);
  };
  view.onWindow(soon);
  if (view.frozen === null) setInterval(() => view.live && void load(), EVERY);
  soon();
  return el('section', { class: 'card', attrs: { 'aria-label': 'Faults' } }, el('div', { class: 'head' }, el('h2', { text: 'Faults' }), note), box);
}

declare global {
  interface Window {
    hostPageFacts?: typeof facts;
  }
}

window.hostPageFacts = facts;
