// Rows of a heat map: a line of values each, a column a point of time. What is painted is the largest value, so that no spike is hidden.

import type uPlot from '../third_party/uplot/uPlot.esm.js';
import type { Columns } from './lines.ts';
import { heatColor } from './theme.ts';

export function paintHeat(u: uPlot, columns: Columns): void {
  const { times, lines } = columns;
  const { bbox, ctx } = u;
  if (times.length === 0 || lines.length === 0) return;
  const row = bbox.height / lines.length;
  const gap = row >= 6 * devicePixelRatio ? devicePixelRatio : 0;
  const step = usualStep(times);
  const bucketed = times.every((t) => t % step === 0);
  for (let i = 0; i < times.length; i++) {
    // A sample says what was before it, a bucket what comes after its start.
    const before = i > 0 && times[i] - times[i - 1] < 2.5 * step ? times[i - 1] : times[i] - step;
    const x = u.valToPos(bucketed ? times[i] : before, 'x', true);
    const end = u.valToPos(bucketed ? times[i] + step : times[i], 'x', true);
    if (end < bbox.left || x > bbox.left + bbox.width) continue;
    for (let r = 0; r < lines.length; r++) {
      const v = lines[r].max[i];
      if (v == null) continue;
      ctx.fillStyle = heatColor(v);
      ctx.fillRect(Math.floor(x), Math.round(bbox.top + r * row), Math.ceil(end - x) + 1, Math.max(1, Math.round(row) - gap));
    }
  }
}

function usualStep(times: number[]): number {
  if (times.length < 2) return 1000;
  const steps = [];
  for (let i = Math.max(1, times.length - 20); i < times.length; i++) steps.push(times[i] - times[i - 1]);
  return steps.sort((a, b) => a - b)[steps.length >> 1];
}
