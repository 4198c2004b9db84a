// Marks of errors at the foot of a chart.

import type uPlot from '../third_party/uplot/uPlot.esm.js';
import type { History } from './history.ts';
import type { Line } from './lines.ts';
import { theme } from './theme.ts';

export function paintFaults(u: uPlot, history: History, faults: Line[]): void {
  const { ctx, bbox } = u;
  const foot = bbox.top + bbox.height;
  const half = 3.5 * devicePixelRatio;
  ctx.fillStyle = theme.alarm;
  for (const id of faults.flatMap((f) => f.ids)) {
    const s = history.series.get(id);
    const times = s ? (history.times.get(s.axis) ?? []) : [];
    let last = -Infinity;
    for (let i = 0; i < times.length; i++) {
      if (!s?.max[i]) continue;
      const x = u.valToPos(times[i], 'x', true);
      if (x - last < half || x < bbox.left || x > bbox.left + bbox.width) continue;
      last = x;
      ctx.beginPath();
      ctx.moveTo(x - half, foot);
      ctx.lineTo(x + half, foot);
      ctx.lineTo(x, foot - 2 * half);
      ctx.fill();
    }
  }
}
