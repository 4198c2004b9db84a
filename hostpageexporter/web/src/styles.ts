// How the lines of a chart are drawn: as a stack, or each with the band between its smallest and largest values.

import type uPlot from '../third_party/uplot/uPlot.esm.js';
import type { Num } from './format.ts';
import type { Line, LineValues } from './lines.ts';
import { alpha, lineColor, lineDash, theme } from './theme.ts';

export function dashOf(line: Line): number[] | undefined {
  return line.dash ?? lineDash(line.color);
}

/** Running sums, the first line at the bottom; null where no line has a value. */
export function stacked(lines: LineValues[], length: number): Num[][] {
  const sums: Num[] = new Array(length).fill(null);
  return lines.map((l) => {
    for (let i = 0; i < length; i++) {
      const v = l.avg[i];
      if (v != null) sums[i] = (sums[i] ?? 0) + v;
    }
    return sums.slice();
  });
}

export function styles(stack: boolean, lines: Line[], banded: boolean): { series: uPlot.Series[]; bands: uPlot.Band[] } {
  const series: uPlot.Series[] = [];
  const bands: uPlot.Band[] = [];
  lines.forEach((line, i) => {
    const color = line.fault ? theme.alarm : lineColor(line.color);
    const base: uPlot.Series = { stroke: color, width: 1.25, dash: dashOf(line), points: { show: false } };
    if (stack) {
      // The place in the stack is the second code, so no dashes here.
      series.push({ ...base, dash: undefined, width: 1, fill: alpha(color, 0.45) });
      if (i > 0) bands.push({ series: [i + 1, i], fill: alpha(color, 0.45) });
    } else if (!banded) series.push(base);
    else {
      const edge: uPlot.Series = { width: 0, points: { show: false } };
      series.push(edge, edge, base);
      bands.push({ series: [3 * i + 1, 3 * i + 2], fill: alpha(color, 0.22) });
    }
  });
  return { series, bands };
}
