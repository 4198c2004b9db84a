// One uPlot with what all charts of the page have in common: the window, the cursor, zoom and pan, thresholds and fires.

import uPlot from '../third_party/uplot/uPlot.esm.js';
import { axisTimes, type Num } from './format.ts';
import { view } from './state.ts';
import { alpha, theme } from './theme.ts';

export interface Threshold {
  value: number;
  label: string;
  critical: boolean;
}

export interface PlotSpec {
  height: number;
  series: uPlot.Series[];
  bands?: uPlot.Band[];
  /** Text of a value on the axis; without it there is no axis of values. */
  format?: (v: number) => string;
  /** Top of the axis; without it the largest value. */
  top?: number;
  /** The axis reaches at least so high. */
  least?: number;
  binary?: boolean;
  /** Where the axis has its labels; without it at round values. */
  splits?: () => number[];
  thresholds?: () => Threshold[];
  fires?: () => { t: number; critical: boolean }[];
  paint?: (u: uPlot) => void;
}

export const AXIS_WIDTH = 54;
const FONT = '11px system-ui, sans-serif';
const BINARY_STEPS = Array.from({ length: 50 }, (_, i) => 2 ** i);

export class Plot {
  readonly u: uPlot;
  readonly #resize: ResizeObserver;

  constructor(
    readonly box: HTMLElement,
    spec: PlotSpec,
    data: Num[][],
  ) {
    this.u = new uPlot(options(spec, box.clientWidth), data as uPlot.AlignedData, box);
    const canvas = box.querySelector('canvas');
    canvas?.setAttribute('aria-hidden', 'true');
    this.#pointer();
    this.#resize = new ResizeObserver(() => {
      if (box.clientWidth > 0 && box.clientWidth !== this.u.width) this.u.setSize({ width: box.clientWidth, height: spec.height });
    });
    this.#resize.observe(box);
    this.showCursor();
  }

  destroy(): void {
    this.#resize.disconnect();
    this.u.destroy();
  }

  setData(data: Num[][]): void {
    this.u.setData(data as uPlot.AlignedData);
    this.showCursor();
  }

  showWindow(): void {
    this.u.setScale('x', { min: view.start, max: view.end });
    this.showCursor();
  }

  showCursor(): void {
    const t = view.cursor;
    const left = t === null ? -10 : this.u.valToPos(t, 'x');
    const inside = t !== null && left >= 0 && left <= this.u.over.clientWidth;
    this.u.setCursor({ left: inside ? left : -10, top: inside ? 1 : -10 }, false);
  }

  #pointer(): void {
    const over = this.u.over;
    let down: { x: number; panning: boolean; moved: boolean } | null = null;
    const at = (e: MouseEvent): number => this.u.posToVal(e.clientX - over.getBoundingClientRect().left, 'x');
    over.addEventListener(
      'mousedown',
      (e) => {
        down = { x: e.clientX, panning: e.shiftKey, moved: false };
        if (e.shiftKey) e.stopImmediatePropagation();
      },
      { capture: true },
    );
    over.addEventListener('mousemove', (e) => {
      if (down && Math.abs(e.clientX - down.x) > 3) down.moved = true;
      if (down?.panning) {
        view.pan(((down.x - e.clientX) / over.clientWidth) * view.span);
        down.x = e.clientX;
      }
      if (!view.pinned) view.setCursor(at(e));
      else this.showCursor();
    });
    over.addEventListener('mouseleave', () => {
      if (!view.pinned) view.setCursor(null);
    });
    over.addEventListener('click', (e) => {
      if (!down?.moved) view.setCursor(view.pinned ? null : at(e), !view.pinned);
      down = null;
    });
    over.addEventListener('dblclick', () => view.back());
    over.addEventListener('wheel', (e) => this.#wheel(e, at(e)), { passive: false });
  }

  /** The wheel alone scrolls the page; with Ctrl, Alt or Meta it zooms, with Shift or sideways it pans. */
  #wheel(e: WheelEvent, t: number): void {
    const sideways = e.shiftKey ? e.deltaY || e.deltaX : Math.abs(e.deltaX) > Math.abs(e.deltaY) ? e.deltaX : 0;
    if (e.ctrlKey || e.altKey || e.metaKey) view.zoom(e.deltaY > 0 ? 1.25 : 0.8, t);
    else if (sideways) view.pan((Math.sign(sideways) * view.span) / 12);
    else return;
    e.preventDefault();
  }
}

function options(spec: PlotSpec, width: number): uPlot.Options {
  return {
    width: Math.max(width, 100),
    height: spec.height,
    ms: 1,
    padding: [6, 24, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false, dist: 5 } },
    scales: {
      x: { time: true, range: () => [view.start, view.end] },
      y: { range: (_u, _min, max) => [0, topOf(spec, max)] },
    },
    axes: [xAxis(), yAxis(spec)],
    series: [{}, ...spec.series],
    bands: spec.bands,
    hooks: {
      setSelect: [
        (u) => {
          if (u.select.width < 4) return;
          const from = u.posToVal(u.select.left, 'x');
          const to = u.posToVal(u.select.left + u.select.width, 'x');
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          view.show(from, to);
        },
      ],
      draw: [(u) => draw(u, spec)],
    },
  };
}

function topOf(spec: PlotSpec, max: number | null): number {
  if (spec.top !== undefined) return spec.top;
  const highest = Math.max((max ?? 0) * 1.08, spec.least ?? 0);
  return highest > 0 ? highest : 1;
}

function xAxis(): uPlot.Axis {
  return {
    stroke: theme.muted,
    font: FONT,
    size: 22,
    gap: 4,
    space: 70,
    grid: { stroke: theme.grid, width: 1 },
    ticks: { show: false },
    values: (_u, splits, _axis, _space, step) => axisTimes(splits, step),
  };
}

function yAxis(spec: PlotSpec): uPlot.Axis {
  const format = spec.format;
  return {
    stroke: theme.muted,
    font: FONT,
    size: AXIS_WIDTH,
    gap: 4,
    space: 26,
    splits: spec.splits,
    incrs: spec.binary ? BINARY_STEPS : undefined,
    grid: { show: format !== undefined && !spec.splits, stroke: theme.grid, width: 1 },
    ticks: { show: false },
    values: (_u, splits) => splits.map((v) => (format && v != null ? format(v) : '')),
  };
}

function draw(u: uPlot, spec: PlotSpec): void {
  const { ctx, bbox } = u;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  spec.paint?.(u);
  ctx.lineWidth = ratio;
  for (const f of spec.fires?.() ?? []) {
    const x = Math.round(u.valToPos(f.t, 'x', true)) + 0.5;
    ctx.strokeStyle = ctx.fillStyle = f.critical ? theme.alarm : theme.warn;
    ctx.setLineDash([2 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.beginPath();
    ctx.moveTo(x - 4 * ratio, bbox.top);
    ctx.lineTo(x + 4 * ratio, bbox.top);
    ctx.lineTo(x, bbox.top + 6 * ratio);
    ctx.fill();
  }
  ctx.font = `${10 * ratio}px system-ui, sans-serif`;
  ctx.textBaseline = 'bottom';
  ctx.textAlign = 'right';
  const labels: Label[] = [];
  for (const t of spec.thresholds?.() ?? []) drawThreshold(u, t, ratio, labels);
  ctx.restore();
}

/** Where the label of a threshold stands: its top and its left side. */
type Label = [number, number];

/** A label is above its line, or below at the top of the chart, and left of those that it would cover. */
function drawThreshold(u: uPlot, t: Threshold, ratio: number, labels: Label[]): void {
  const { ctx, bbox } = u;
  const y = Math.round(u.valToPos(t.value, 'y', true)) + 0.5;
  if (y < bbox.top || y > bbox.top + bbox.height) return;
  const color = t.critical ? theme.alarm : theme.warn;
  ctx.strokeStyle = alpha(color, 0.9);
  ctx.setLineDash(t.critical ? [7 * ratio, 3 * ratio] : [3 * ratio, 3 * ratio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  const top = y - bbox.top < 14 * ratio ? y + ratio : y - 13 * ratio;
  const width = ctx.measureText(t.label).width + 6 * ratio;
  let right = bbox.left + bbox.width;
  for (const [other, left] of labels) if (Math.abs(other - top) < 12 * ratio) right = Math.min(right, left - 2 * ratio);
  labels.push([top, right - width]);
  ctx.fillStyle = alpha(theme.surface, 0.8);
  ctx.fillRect(right - width, top, width, 12 * ratio);
  ctx.fillStyle = color;
  ctx.fillText(t.label, right - 3 * ratio, top + 12 * ratio);
}
