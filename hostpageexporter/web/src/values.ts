// The table behind a chart: each line at the cursor, its smallest, mean and largest value, and its course.

import { el } from './dom.ts';
import { moment, type Num, value } from './format.ts';
import type { Columns, LineValues } from './lines.ts';
import { view } from './state.ts';

interface Content {
  caption: string;
  unit: string;
  labels: string[];
  columns: Columns;
  /** Index of the point at the cursor. */
  at: number;
}

export function fillTable(box: HTMLElement, content: Content): void {
  const { times, lines } = content.columns;
  const i = content.at;
  const from = Math.max(
    0,
    times.findIndex((t) => t >= view.start),
  );
  const steps = [0, 0.25, 0.5, 0.75].map((f) => Math.round(from + (times.length - 1 - from) * f));
  const time = (k: number, none: string): string => (times[k] === undefined ? none : moment(times[k], view.now));
  const head = ['', time(i, 'now'), 'min', 'mean', 'max', ...steps.map((k) => time(k, ''))];
  const body = content.labels.map((label, k) => {
    const s = statistics(lines[k], from);
    const cells = [lines[k].avg[i], s.min, s.mean, s.max, ...steps.map((n) => lines[k].avg[n])];
    return el('tr', {}, el('th', { text: label, attrs: { scope: 'row' } }), ...cells.map((v) => el('td', { text: value(v, content.unit) })));
  });
  box.replaceChildren(
    el(
      'table',
      {},
      el('caption', { text: content.caption }),
      el('thead', {}, el('tr', {}, ...head.map((h) => el(h ? 'th' : 'td', h ? { text: h, attrs: { scope: 'col' } } : {})))),
      el('tbody', {}, ...body),
    ),
  );
}

function statistics(v: LineValues, from: number): { min: Num; mean: Num; max: Num } {
  let min: Num = null;
  let max: Num = null;
  let sum = 0;
  let n = 0;
  for (let i = from; i < v.avg.length; i++) {
    const a = v.avg[i];
    if (a == null) continue;
    sum += a;
    n++;
    const lo = v.min[i] ?? a;
    const hi = v.max[i] ?? a;
    if (min == null || lo < min) min = lo;
    if (max == null || hi > max) max = hi;
  }
  return { min, mean: n ? sum / n : null, max };
}
