// Values over time, as the range route gave them and the stream went on with them.

import type { Hello, Range, Scrape } from './api.ts';
import type { Num } from './format.ts';

export interface Values {
  axis: number;
  /** Mean of a bucket, or the sample itself; p95 of a distribution. */
  avg: Num[];
  min: Num[];
  max: Num[];
  /** Samples in the newest bucket, for its mean. */
  count: number;
}

/** Samples further apart than this many intervals have a gap between them. */
const GAP = 2.5;

export class History {
  store = '';
  step = 0;
  from = 0;
  to = 0;
  /** Time of the newest scrape of any axis. */
  newest = 0;
  readonly times = new Map<number, number[]>();
  readonly series = new Map<number, Values>();
  readonly #interval = new Map<number, number>();
  readonly #streamed = new Map<number, number[]>();

  load(range: Range): void {
    this.store = range.store;
    this.step = range.step;
    this.from = range.from;
    this.to = range.to;
    this.newest = 0;
    this.times.clear();
    this.series.clear();
    for (const g of range.groups) {
      this.times.set(g.axis, g.times);
      for (const s of g.series) {
        const avg = s.avg ?? s.p95 ?? [];
        this.series.set(s.id, { axis: g.axis, avg, min: s.min ?? avg, max: s.max ?? avg, count: 1 });
      }
      const last = g.times.at(-1);
      if (last !== undefined) this.newest = Math.max(this.newest, last + (range.step ? range.step - 1 : 0));
    }
  }

  /** Takes which series the values of the scrapes to come belong to. */
  hello(hello: Hello): void {
    this.#streamed.clear();
    for (const a of hello.axes) {
      this.#streamed.set(a.axis, a.series);
      this.#interval.set(a.axis, a.interval);
    }
  }

  intervalOf(axis: number): number {
    return this.#interval.get(axis) ?? 0;
  }

  /** The shortest interval of scrapes. */
  get shortest(): number {
    const known = [...this.#interval.values()].filter((v) => v > 0);
    return known.length ? Math.min(...known) : 1000;
  }

  push(scrape: Scrape): void {
    const ids = this.#streamed.get(scrape.axis);
    if (!ids) return;
    if (this.step) this.#pushBucket(ids, scrape);
    else this.#pushSample(ids, scrape);
    this.newest = Math.max(this.newest, scrape.t);
    this.to = Math.max(this.to, scrape.t);
  }

  #pushSample(ids: number[], scrape: Scrape): void {
    let times = this.times.get(scrape.axis);
    if (!times) this.times.set(scrape.axis, (times = []));
    const last = times.at(-1);
    if (last !== undefined && scrape.t <= last) return;
    const interval = this.#interval.get(scrape.axis) ?? 0;
    if (last !== undefined && interval > 0 && scrape.t - last > GAP * interval) times.push(Math.round(last + interval));
    times.push(scrape.t);
    const given = new Map<number, Num | Num[]>(ids.map((id, i) => [id, scrape.values[i]]));
    for (const id of ids) this.#ensure(id, scrape.axis);
    for (const [id, s] of this.series) if (s.axis === scrape.axis) append(s, times.length, given.get(id) ?? null);
  }

  #pushBucket(ids: number[], scrape: Scrape): void {
    let times = this.times.get(-1);
    if (!times) this.times.set(-1, (times = []));
    const bucket = Math.floor(scrape.t / this.step) * this.step;
    const last = times.at(-1);
    if (last !== undefined && bucket < last) return;
    if (last !== undefined && bucket - last > this.step * 5000) return;
    for (let t = last === undefined ? bucket : last + this.step; t <= bucket; t += this.step) times.push(t);
    for (const id of ids) this.#ensure(id, -1);
    for (const s of this.series.values()) fill(s, times.length);
    ids.forEach((id, i) => fold(this.series.get(id), times.length - 1, scrape.values[i]));
  }

  #ensure(id: number, axis: number): void {
    if (!this.series.has(id)) {
      const avg: Num[] = [];
      this.series.set(id, { axis, avg, min: this.step ? [] : avg, max: this.step ? [] : avg, count: 0 });
    }
  }

  /** Forgets what is before a time, a quarter at once. */
  trim(from: number): void {
    for (const [axis, times] of this.times) {
      let n = 0;
      while (n < times.length && times[n] < from) n++;
      if (n < times.length / 4 || n < 60) continue;
      times.splice(0, n);
      for (const s of this.series.values()) {
        if (s.axis !== axis) continue;
        for (const a of new Set([s.avg, s.min, s.max])) a.splice(0, n);
      }
    }
  }

  /** Index of the newest point at or before a time; -1 if there is none. */
  index(axis: number, t: number): number {
    const times = this.times.get(axis) ?? [];
    let lo = 0;
    let hi = times.length;
    while (lo < hi) {
      const mid = (lo + hi) >> 1;
      if (times[mid] <= t) lo = mid + 1;
      else hi = mid;
    }
    return lo - 1;
  }

  /** Value of a series at a time; without one, its newest. A series that came seldom answers with its last sample within three intervals. */
  at(id: number, t: number | null, kind: 'avg' | 'min' | 'max' = 'avg'): Num {
    const s = this.series.get(id);
    if (!s) return null;
    const a = s[kind];
    if (t !== null) return a[this.index(s.axis, t)] ?? null;
    for (let i = a.length - 1; i >= Math.max(0, a.length - 3); i--) if (a[i] != null) return a[i];
    return null;
  }

  /** Largest and smallest value, mean and newest of a series in a window. */
  summary(id: number, from: number, to: number): { min: Num; avg: Num; max: Num } {
    const s = this.series.get(id);
    if (!s) return { min: null, avg: null, max: null };
    const end = this.index(s.axis, to);
    let min: Num = null;
    let max: Num = null;
    let sum = 0;
    let n = 0;
    for (let i = Math.max(0, this.index(s.axis, from - 1) + 1); i <= end; i++) {
      const lo = s.min[i];
      const hi = s.max[i];
      const avg = s.avg[i];
      if (lo != null && (min == null || lo < min)) min = lo;
      if (hi != null && (max == null || hi > max)) max = hi;
      if (avg != null) {
        sum += avg;
        n++;
      }
    }
    return { min, avg: n ? sum / n : null, max };
  }
}

function append(s: Values, length: number, v: Num | Num[]): void {
  if (Array.isArray(v) && s.min === s.avg) {
    s.min = s.avg.slice();
    s.max = s.avg.slice();
  }
  fill(s, length);
  const last = length - 1;
  if (Array.isArray(v)) [s.avg[last], s.min[last], s.max[last]] = v;
  else s.avg[last] = v;
  if (!Array.isArray(v) && s.min !== s.avg) s.min[last] = s.max[last] = v;
}

function fill(s: Values, length: number): void {
  if (s.avg.length < length) s.count = 0;
  for (const a of new Set([s.avg, s.min, s.max])) while (a.length < length) a.push(null);
}

function fold(s: Values | undefined, i: number, v: Num | Num[]): void {
  if (!s || v == null) return;
  const [avg, lo, hi] = Array.isArray(v) ? v : [v, v, v];
  if (avg == null) return;
  const distribution = Array.isArray(v);
  const before = s.avg[i];
  s.count++;
  if (before == null) s.avg[i] = avg;
  else s.avg[i] = distribution ? Math.max(before, avg) : before + (avg - before) / Math.max(s.count, 2);
  s.min[i] = Math.min(s.min[i] ?? Infinity, lo ?? avg);
  s.max[i] = Math.max(s.max[i] ?? -Infinity, hi ?? avg);
}
