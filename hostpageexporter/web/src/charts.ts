// The charts of the page: which metrics each shows, and how.

import type { Catalog } from './catalog.ts';
import type { History } from './history.ts';
import type { Line } from './lines.ts';
import type { ChartView } from './panel.ts';

/** Each CPU, and the mean over all that the exporter makes of them. */
export const CPU = ['system.cpu.utilization', 'host_page.cpu.utilization'];
const [EACH, MEAN] = CPU;
const READ_WRITE = '— read  ┄ write';
const IN_OUT = '— in  ┄ out';
const SOME_FULL = '— some  ┄ full';
const CPU_NUMBER = 'cpu.logical_number';
const MODES: [string, number][] = [
  ['user', 0],
  ['nice', 2],
  ['system', 1],
  ['iowait', 3],
  ['interrupt', 4],
  ['steal', 5],
];
const MEMORY: [string, number][] = [
  ['used', 0],
  ['buffers', 3],
  ['cached', 2],
];

/** A line for each value of an attribute. */
export function byAttribute(c: Catalog, metric: string, key: string, where: Record<string, string> = {}): Line[] {
  return c.groups(metric, key, where).map(([label, list], color) => ({ label, ids: list.map((s) => s.id), combine: 'sum', color }));
}

/** Two lines for each value of an attribute, in one colour: the first direction solid, the other dashed. */
export function byDirection(c: Catalog, metric: string, key: string, direction: string, names: [string, string][]): Line[] {
  return c.groups(metric, key).flatMap(([v, list], i) =>
    names.map(([way, short], n): Line => ({
      label: `${v} ${short}`,
      group: v,
      ids: list.filter((s) => s.attributes[direction] === way).map((s) => s.id),
      combine: 'sum',
      color: i,
      dash: n ? [4, 3] : [],
    })),
  );
}

/** The series of which the mean is that of a mode over all CPUs. */
export function meanOf(c: Catalog, mode: string): number[] {
  return c.series(c.has(MEAN) ? MEAN : EACH, { 'cpu.mode': mode }).map((s) => s.id);
}

/** Number of CPUs. */
export function cpuCount(c: Catalog, h: History): number {
  return h.at(c.first('system.cpu.logical.count'), null) ?? c.values(EACH, CPU_NUMBER).length;
}

function only(metric: string, label: string, color: number): (c: Catalog) => Line {
  return (c) => ({ label, ids: c.series(metric).map((s) => s.id).slice(0, 1), color });
}

export const cpuByMode: ChartView[] = [
  {
    name: 'modes',
    metrics: CPU,
    kind: 'stack',
    unit: '1',
    top: () => 1,
    lines: (c) => MODES.map(([mode, color]) => ({ label: mode, ids: meanOf(c, mode), combine: 'mean', color })),
    peak: (c) => ({ label: 'peak', ids: c.series(MEAN, { 'cpu.mode': 'busy' }).map((s) => s.id), color: 0 }),
  },
  {
    name: 'load',
    metrics: ['system.cpu.load_average.1m', 'system.cpu.load_average.5m', 'system.cpu.load_average.15m'],
    kind: 'lines',
    unit: '{thread}',
    lines: (c) => ['1m', '5m', '15m'].map((m, i) => only(`system.cpu.load_average.${m}`, m, i)(c)),
  },
  {
    name: 'switches',
    metrics: ['system.cpu.context_switches', 'system.cpu.interrupts', 'system.cpu.soft_interrupts', 'system.process.created'],
    kind: 'lines',
    unit: '{event}/s',
    lines: (c) =>
      ['system.cpu.context_switches', 'system.cpu.interrupts', 'system.cpu.soft_interrupts', 'system.process.created'].map((m, i) =>
        only(m, m.replace(/^system\.(cpu\.)?/, '').replace(/[._]/g, ' '), i)(c),
      ),
  },
];

export const cpuRows: ChartView[] = [
  {
    name: 'busy',
    metrics: [EACH],
    kind: 'heat',
    unit: '1',
    lines: (c) =>
      c.series(EACH, { 'cpu.mode': 'idle' })
        .map((s): Line => {
          const waits = c.sibling(EACH, { ...s.attributes, 'cpu.mode': 'iowait' });
          return { label: s.attributes[CPU_NUMBER] ? `cpu ${s.attributes[CPU_NUMBER]}` : 'all CPUs', ids: waits < 0 ? [s.id] : [s.id, waits], combine: 'sum', invert: true, color: 0 };
        })
        .sort((a, b) => a.label.localeCompare(b.label, 'en', { numeric: true })),
  },
];

export const memory: ChartView[] = [
  {
    name: 'state',
    metrics: ['system.memory.usage', 'system.memory.limit'],
    kind: 'stack',
    unit: 'By',
    top: memoryLimit,
    lines: (c) => MEMORY.map(([state, color]) => ({ label: state, ids: c.series('system.memory.usage', { 'system.memory.state': state }).map((s) => s.id), color })),
  },
  {
    name: 'kernel',
    metrics: ['system.memory.linux.slab.usage', 'system.memory.linux.dirty', 'system.memory.linux.writeback', 'system.memory.linux.committed'],
    kind: 'lines',
    unit: 'By',
    lines: (c) => [
      ...byAttribute(c, 'system.memory.linux.slab.usage', 'system.memory.linux.slab.state').map((l) => ({ ...l, label: `slab ${l.label}` })),
      only('system.memory.linux.dirty', 'dirty', 2)(c),
      only('system.memory.linux.writeback', 'writeback', 3)(c),
      only('system.memory.linux.committed', 'committed', 4)(c),
    ],
  },
  {
    name: 'swap',
    metrics: ['system.paging.usage'],
    kind: 'lines',
    unit: 'By',
    lines: (c) => byAttribute(c, 'system.paging.usage', 'system.device', { 'system.paging.state': 'used' }),
  },
  {
    name: 'faults',
    metrics: ['system.paging.faults', 'system.paging.operations'],
    kind: 'lines',
    unit: '{fault}/s',
    lines: (c) => [
      ...byAttribute(c, 'system.paging.faults', 'system.paging.fault.type'),
      ...byAttribute(c, 'system.paging.operations', 'system.paging.direction').map((l) => ({ ...l, label: `page ${l.label}`, color: l.color + 2 })),
    ],
  },
];

function memoryLimit(c: Catalog, h: History): number | undefined {
  return h.at(c.first('system.memory.limit'), null) ?? undefined;
}

export const RESOURCES = ['cpu', 'memory', 'io', 'irq'];

export const pressure: ChartView[] = [
  {
    name: 'now',
    metrics: RESOURCES.map((r) => `system.${r}.linux.pressure.total`),
    kind: 'lines',
    unit: '1',
    least: 0.1,
    lines: (c) => pressureLines(c, 'total'),
    key: SOME_FULL,
  },
  {
    name: '1 min',
    metrics: RESOURCES.map((r) => `system.${r}.linux.pressure.1m`),
    kind: 'lines',
    unit: '1',
    least: 0.1,
    lines: (c) => pressureLines(c, '1m'),
    key: SOME_FULL,
  },
];

function pressureLines(c: Catalog, over: string): Line[] {
  return RESOURCES.flatMap((r, i) =>
    ['some', 'full'].map((kind): Line => ({
      label: `${r} ${kind}`,
      group: r,
      ids: c.series(`system.${r}.linux.pressure.${over}`, { 'system.linux.pressure.stall_type': kind }).map((s) => s.id),
      color: i,
      dash: kind === 'full' ? [4, 3] : [],
    })),
  );
}

const DISK: [string, string][] = [
  ['read', 'read'],
  ['write', 'write'],
];

export const disks: ChartView[] = [
  { name: 'bytes', metrics: ['system.disk.io'], kind: 'lines', unit: 'By/s', least: 1e5, lines: (c) => byDirection(c, 'system.disk.io', 'system.device', 'disk.io.direction', DISK), key: READ_WRITE },
  { name: 'busy', metrics: ['system.disk.io_time'], kind: 'lines', unit: '1', top: () => 1, lines: (c) => byAttribute(c, 'system.disk.io_time', 'system.device') },
  {
    name: 'ops',
    metrics: ['system.disk.operations'],
    kind: 'lines',
    unit: '{operation}/s',
    least: 10,
    lines: (c) => byDirection(c, 'system.disk.operations', 'system.device', 'disk.io.direction', DISK),
    key: READ_WRITE,
  },
  {
    name: 'wait',
    metrics: ['system.disk.operation_time', 'system.disk.operations'],
    kind: 'lines',
    unit: 's',
    least: 0.001,
    lines: (c) =>
      byDirection(c, 'system.disk.operation_time', 'system.device', 'disk.io.direction', DISK).map((l) => ({ ...l, per: l.ids.map((id) => sameSeries(c, id, 'system.disk.operation_time', 'system.disk.operations')) })),
    key: READ_WRITE,
  },
];

/** The series of another metric that has the same attributes. */
function sameSeries(c: Catalog, id: number, of: string, other: string): number {
  const s = c.series(of).find((x) => x.id === id);
  return s ? c.sibling(other, s.attributes) : -1;
}

const NET: [string, string][] = [
  ['receive', 'in'],
  ['transmit', 'out'],
];
const NAME = 'network.interface.name';
const WAY = 'network.io.direction';
export const FAULTS = ['system.network.errors', 'system.network.packet.dropped'];

function faults(c: Catalog): Line[] {
  return FAULTS.flatMap((m) =>
    byAttribute(c, m, NAME).map((l): Line => ({ ...l, label: `${l.label} ${m.endsWith('errors') ? 'errors' : 'dropped'}`, color: 5, fault: true })),
  );
}

export const network: ChartView[] = [
  { name: 'bytes', metrics: ['system.network.io', ...FAULTS], kind: 'lines', unit: 'By/s', least: 1e4, lines: (c) => byDirection(c, 'system.network.io', NAME, WAY, NET), faults, key: IN_OUT },
  { name: 'packets', metrics: ['system.network.packet.count'], kind: 'lines', unit: '{packet}/s', least: 10, lines: (c) => byDirection(c, 'system.network.packet.count', 'system.device', WAY, NET), key: IN_OUT },
  { name: 'errors', metrics: FAULTS, kind: 'lines', unit: '{error}/s', least: 1, lines: faults },
  {
    name: 'sockets',
    metrics: ['system.network.connection.count'],
    kind: 'lines',
    unit: '{connection}',
    least: 10,
    lines: (c) => byAttribute(c, 'system.network.connection.count', 'network.connection.state'),
  },
];

/** Any metric, a line for each of its series. */
export function anyMetric(name: string): ChartView {
  return {
    name,
    metrics: [name],
    kind: 'lines',
    unit: '',
    lines: (c) => c.series(name).map((s, i) => ({ label: Object.values(s.attributes).join(' ') || name, ids: [s.id], color: i })),
  };
}
