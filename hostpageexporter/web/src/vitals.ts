// The line of vital signs: a few numbers that say how the host is, at the cursor or now, each with its course.

import type { Catalog } from './catalog.ts';
import { CPU, cpuCount, FAULTS, meanOf, RESOURCES } from './charts.ts';
import { el, setClass, setText } from './dom.ts';
import { digits, type Num, percent, value } from './format.ts';
import type { History } from './history.ts';
import { type Line, valuesOf } from './lines.ts';
import { view } from './state.ts';
import { theme } from './theme.ts';

interface Sign {
  name: string;
  text: string;
  note?: string;
  /** From 0 to 1, or null where there is no top. */
  share: Num;
  warn?: boolean;
  course?: Num[];
}

export const VITAL_METRICS = [
  ...CPU,
  'system.cpu.load_average.1m',
  'system.memory.usage',
  'system.memory.limit',
  'system.memory.linux.available',
  'system.paging.usage',
  'system.disk.io_time',
  'system.network.io',
  'system.filesystem.usage',
  'system.uptime',
  'system.cpu.logical.count',
  ...RESOURCES.map((r) => `system.${r}.linux.pressure.total`),
  ...FAULTS,
];

export class Vitals {
  readonly root = el('dl', { class: 'vitals', attrs: { 'aria-label': 'vital signs' } });
  readonly #tiles = new Map<string, { box: HTMLElement; value: HTMLElement; note: HTMLElement; canvas: HTMLCanvasElement }>();
  #courses = new Map<string, Num[]>();

  draw(c: Catalog, h: History, full: boolean): void {
    if (full) this.#courses = new Map();
    const signs = [cpu(c, h, full), load(c, h), memory(c, h, full), swap(c, h), disk(c, h), filesystem(c, h), network(c, h), pressure(c, h)];
    for (const s of signs) this.#tile(s, full);
  }

  #tile(s: Sign, full: boolean): void {
    let t = this.#tiles.get(s.name);
    if (!t) {
      t = { box: el('div'), value: el('dd'), note: el('dd', { class: 'note' }), canvas: el('canvas', { attrs: { 'aria-hidden': 'true' } }) };
      t.box.append(el('dt', { text: s.name }), t.value, t.note, t.canvas);
      this.#tiles.set(s.name, t);
      this.root.append(t.box);
    }
    setText(t.value, s.text);
    setText(t.note, s.note ?? '');
    setClass(t.box, 'warned', s.warn ?? false);
    if (full && s.course) this.#courses.set(s.name, s.course);
    if (full) spark(t.canvas, s.share, this.#courses.get(s.name));
    else if (!this.#courses.has(s.name)) spark(t.canvas, s.share, undefined);
  }
}

/** A course as a filled line, or a share as a bar at the foot. */
function spark(canvas: HTMLCanvasElement, share: Num, course: Num[] | undefined): void {
  const width = Math.round(canvas.clientWidth * devicePixelRatio);
  const height = Math.round(canvas.clientHeight * devicePixelRatio);
  if (!width || !height) return;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const ctx = canvas.getContext('2d');
  if (!ctx) return;
  ctx.clearRect(0, 0, width, height);
  ctx.fillStyle = theme.lines[0];
  if (!course || course.length < 2) {
    ctx.globalAlpha = 0.25;
    ctx.fillRect(0, height - 3 * devicePixelRatio, width, 3 * devicePixelRatio);
    ctx.globalAlpha = 1;
    if (share != null) ctx.fillRect(0, height - 3 * devicePixelRatio, width * Math.min(share, 1), 3 * devicePixelRatio);
    return;
  }
  const top = share != null ? 1 : Math.max(...course.map((v) => v ?? 0), 1e-9);
  for (let x = 0; x < width; x++) {
    const from = Math.floor((x / width) * course.length);
    const to = Math.max(from + 1, Math.floor(((x + 1) / width) * course.length));
    let v: Num = null;
    for (let i = from; i < to; i++) if (course[i] != null && (v == null || (course[i] as number) > v)) v = course[i];
    if (v == null) continue;
    const y = Math.max(devicePixelRatio, Math.min(v / top, 1) * height);
    ctx.globalAlpha = 0.35;
    ctx.fillRect(x, height - y, 1, y);
    ctx.globalAlpha = 1;
    ctx.fillRect(x, height - y, 1, devicePixelRatio);
  }
}

function cpu(c: Catalog, h: History, full: boolean): Sign {
  const together = meanOf(c, 'busy');
  const line: Line = together.length ? { label: '', ids: together, combine: 'mean', color: 0 } : { label: '', ids: meanOf(c, 'idle'), combine: 'mean', invert: true, color: 0 };
  const share = mean(line.ids.map((id) => h.at(id, view.cursor)));
  const busy = share != null && line.invert ? Math.max(0, 1 - share) : share;
  return { name: 'CPU', text: percent(busy), note: `of ${cpuCount(c, h)} CPUs`, share: busy ?? 0, course: full ? valuesOf(h, line).max : undefined };
}

function mean(values: Num[]): Num {
  const known = values.filter((v) => v != null);
  return known.length ? known.reduce((a, b) => a + b, 0) / known.length : null;
}

function load(c: Catalog, h: History): Sign {
  const id = c.first('system.cpu.load_average.1m');
  const v = h.at(id, view.cursor);
  const perCPU = v == null || !cpuCount(c, h) ? null : v / cpuCount(c, h);
  return { name: 'load per CPU', text: perCPU == null ? '–' : digits(perCPU), note: v == null ? '' : `load ${digits(v)}`, share: null, course: h.series.get(id)?.avg };
}

function memory(c: Catalog, h: History, full: boolean): Sign {
  const limit = h.at(c.first('system.memory.limit'), view.cursor);
  const used = c.first('system.memory.usage', { 'system.memory.state': 'used' });
  const available = c.first('system.memory.linux.available');
  const free = h.at(available, view.cursor);
  const v = limit == null ? null : free != null ? limit - free : h.at(used, view.cursor);
  const share = v == null || limit == null ? null : v / limit;
  const course = full && limit ? (free != null ? h.series.get(available)?.avg.map((a) => (a == null ? a : 1 - a / limit)) : h.series.get(used)?.avg.map((a) => (a == null ? a : a / limit))) : undefined;
  return { name: 'memory', text: percent(share), note: limit == null ? '' : `of ${value(limit, 'By')}`, share: share ?? 0, course };
}

function swap(c: Catalog, h: History): Sign {
  const sum = (state: string): number => c.series('system.paging.usage', { 'system.paging.state': state }).reduce((n, s) => n + (h.at(s.id, view.cursor) ?? 0), 0);
  const used = sum('used');
  const all = used + sum('free');
  return { name: 'swap', text: all > 0 ? percent(used / all) : 'none', note: all > 0 ? `of ${value(all, 'By')}` : '', share: all > 0 ? used / all : 0 };
}

/** The busiest disk: a mean over disks says nothing. */
function disk(c: Catalog, h: History): Sign {
  let worst = { v: null as Num, name: '', id: -1 };
  for (const s of c.series('system.disk.io_time')) {
    const v = h.at(s.id, view.cursor);
    if (v != null && (worst.v == null || v > worst.v)) worst = { v, name: s.attributes['system.device'] ?? '', id: s.id };
  }
  return { name: 'busiest disk', text: percent(worst.v), note: worst.name, share: worst.v ?? 0, warn: (worst.v ?? 0) > 0.95, course: h.series.get(worst.id)?.avg };
}

/** The fullest filesystem. */
function filesystem(c: Catalog, h: History): Sign {
  let worst = { share: null as Num, name: '' };
  for (const s of c.series('system.filesystem.usage', { 'system.filesystem.state': 'used' })) {
    const used = h.at(s.id, view.cursor);
    const free = h.at(c.sibling('system.filesystem.usage', { ...s.attributes, 'system.filesystem.state': 'free' }), view.cursor);
    if (used == null || free == null || used + free === 0) continue;
    const share = used / (used + free);
    if (worst.share == null || share > worst.share) worst = { share, name: s.attributes['system.filesystem.mountpoint'] ?? '' };
  }
  return { name: 'fullest filesystem', text: percent(worst.share), note: worst.name, share: worst.share ?? 0, warn: (worst.share ?? 0) > 0.9 };
}

function network(c: Catalog, h: History): Sign {
  const ids = c.series('system.network.io').filter((s) => s.attributes['network.interface.name'] !== 'lo').map((s) => s.id);
  const known = ids.map((id) => h.at(id, view.cursor)).filter((v) => v != null);
  const errors = FAULTS.flatMap((m) => c.series(m)).reduce((n, s) => n + (h.at(s.id, view.cursor, 'max') ?? 0), 0);
  const course = valuesOf(h, { label: '', ids, combine: 'sum', color: 0 }).avg;
  return { name: 'network', text: known.length ? value(known.reduce((a, b) => a + b, 0), 'By/s') : '–', note: errors > 0 ? `▲ ${digits(errors)} errors/s` : '', warn: errors > 0, share: null, course };
}

/** The resource that tasks wait for most. */
function pressure(c: Catalog, h: History): Sign {
  let worst = { v: null as Num, name: '', id: -1 };
  for (const r of RESOURCES) {
    const id = c.first(`system.${r}.linux.pressure.total`, { 'system.linux.pressure.stall_type': 'some' });
    const v = h.at(id, view.cursor);
    if (v != null && (worst.v == null || v > worst.v)) worst = { v, name: r, id };
  }
  return { name: 'pressure', text: percent(worst.v), note: worst.v ? `for ${worst.name}` : '', share: worst.v ?? 0, course: h.series.get(worst.id)?.avg };
}
