// Lines of a chart: which series they are made of, and their values.

import type { History } from './history.ts';
import type { Num } from './format.ts';

export interface Line {
  label: string;
  /** Lines of one group stand together in the legend, under this name. */
  group?: string;
  ids: number[];
  /** How several series become one line; without it there is one series. */
  combine?: 'mean' | 'sum';
  /** The line is 1 less the series: busy of idle. */
  invert?: boolean;
  /** The line is the series divided by these. */
  per?: number[];
  color: number;
  dash?: number[];
  /** Anything but 0 is a fault, and marked as one. */
  fault?: boolean;
}

export interface LineValues {
  axis: number;
  avg: Num[];
  min: Num[];
  max: Num[];
  /** Whether min and max are those of the samples, and worth a band. */
  band: boolean;
}

const EMPTY: LineValues = { axis: -1, avg: [], min: [], max: [], band: false };

export function valuesOf(history: History, line: Line): LineValues {
  const parts = line.ids.map((id) => history.series.get(id)).filter((s) => s !== undefined);
  const first = parts[0];
  if (!first) return EMPTY;
  if (line.per) return ratio(history, line);
  if (parts.length === 1) {
    if (!line.invert) return { axis: first.axis, avg: first.avg, min: first.min, max: first.max, band: first.min !== first.avg };
    return { axis: first.axis, avg: inverted(first.avg), min: inverted(first.max), max: inverted(first.min), band: first.min !== first.avg };
  }
  const avg = combined(parts.map((p) => p.avg), line.combine === 'mean');
  const shown = line.invert ? inverted(avg) : avg;
  return { axis: first.axis, avg: shown, min: shown, max: shown, band: false };
}

function inverted(a: Num[]): Num[] {
  return a.map((v) => (v == null ? v : Math.max(0, 1 - v)));
}

/** Sum or mean of those that have a value; null where none has. */
function combined(arrays: Num[][], mean: boolean): Num[] {
  const out: Num[] = new Array(Math.max(...arrays.map((a) => a.length)));
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    let n = 0;
    for (const a of arrays) {
      const v = a[i];
      if (v != null) {
        sum += v;
        n++;
      }
    }
    out[i] = n === 0 ? null : mean ? sum / n : sum;
  }
  return out;
}

function ratio(history: History, line: Line): LineValues {
  const a = valuesOf(history, { ...line, per: undefined });
  const b = valuesOf(history, { ...line, ids: line.per ?? [], per: undefined });
  const avg = a.avg.map((v, i) => {
    const d = b.avg[i];
    return v == null || d == null ? null : d > 0 ? v / d : 0;
  });
  return { axis: a.axis, avg, min: avg, max: avg, band: false };
}

export interface Columns {
  times: number[];
  lines: LineValues[];
}

/** Puts lines of several time axes on one. Where an axis has no sample, `undefined` stands, through which a line is drawn. */
export function align(history: History, lines: LineValues[]): Columns {
  const axes = new Set(lines.filter((l) => l.avg.length).map((l) => l.axis));
  if (axes.size <= 1) {
    const [axis] = axes;
    return { times: axis === undefined ? [] : (history.times.get(axis) ?? []), lines };
  }
  const times = [...new Set([...axes].flatMap((a) => history.times.get(a) ?? []))].sort((a, b) => a - b);
  const place = new Map(times.map((t, i) => [t, i]));
  return {
    times,
    lines: lines.map((l) => {
      const own = history.times.get(l.axis) ?? [];
      const spread = (a: Num[]): Num[] => {
        const out: Num[] = new Array(times.length).fill(undefined);
        own.forEach((t, i) => (out[place.get(t) ?? 0] = a[i]));
        return out;
      };
      return { ...l, avg: spread(l.avg), min: spread(l.min), max: spread(l.max) };
    }),
  };
}
