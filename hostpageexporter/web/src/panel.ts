// A chart with its title, its choice of metrics, its legend with the values at the cursor, and its table.

import type uPlot from '../third_party/uplot/uPlot.esm.js';
import { Catalog } from './catalog.ts';
import { button, el, setClass, setText, swatch } from './dom.ts';
import { paintFaults } from './faults.ts';
import { type Num, value } from './format.ts';
import { paintHeat } from './heat.ts';
import type { History } from './history.ts';
import { align, type Columns, type Line, type LineValues, valuesOf } from './lines.ts';
import { Plot, type Threshold } from './plot.ts';
import { view } from './state.ts';
import { dashOf, stacked, styles } from './styles.ts';
import { lineColor, theme } from './theme.ts';
import { fillTable } from './values.ts';

export interface ChartView {
  name: string;
  metrics: string[];
  kind: 'stack' | 'lines' | 'heat';
  unit: string;
  top?: (c: Catalog, h: History) => number | undefined;
  least?: number;
  lines: (c: Catalog) => Line[];
  /** Series of which any value but 0 is a fault: marked at the foot of the chart. */
  faults?: (c: Catalog) => Line[];
  /** A line over the stack: the largest sum within each bucket. */
  peak?: (c: Catalog) => Line;
  /** What solid and dashed lines are. */
  key?: string;
}

/** What the alerts say about the charts. */
export interface Marks {
  thresholds(metrics: string[]): Threshold[];
  fires(metrics: string[]): { t: number; critical: boolean }[];
}

const MOST_LINES = 24;
const MOST_NAMED = 10;
const PICK_EVERY = 5000;

export class ChartPanel {
  readonly root: HTMLElement;
  readonly #box = el('div', { class: 'plot' });
  readonly #legend = el('ul', { class: 'legend' });
  readonly #table = el('div', { class: 'values', attrs: { hidden: '', tabindex: '0', role: 'region' } });
  readonly #tabs = el('span', { class: 'tabs', attrs: { role: 'group' } });
  readonly #key = el('span', { class: 'note' });
  readonly #tableButton: HTMLButtonElement;
  #plot: Plot | null = null;
  #signature = '';
  #lines: Line[] = [];
  #columns: Columns = { times: [], lines: [] };
  #faults: Line[] = [];
  #faultItem = el('li', { class: 'alarm' });
  #hidden = '';
  #picked = 0;
  #items: HTMLElement[] = [];
  #visible = true;
  #catalog: Catalog | null = null;
  #history: History | null = null;

  constructor(
    readonly name: string,
    readonly title: string,
    private readonly views: ChartView[],
    private readonly marks: Marks,
    private readonly height: number,
  ) {
    this.#tableButton = button('table', `values of ${title} as a table`, () => this.#toggleTable(), false);
    this.#tableButton.classList.add('quiet');
    this.#tabs.setAttribute('aria-label', `what ${title} shows`);
    this.#table.setAttribute('aria-label', `values of ${title}`);
    const head = el('div', { class: 'head' }, el('h2', { text: title }), this.#tabs, this.#key, this.#tableButton);
    this.root = el('section', { class: 'card', attrs: { 'aria-label': title } }, head, this.#legend, this.#box, this.#table);
    this.#drawTabs();
    new IntersectionObserver((entries) => {
      this.#visible = entries.some((e) => e.isIntersecting);
      if (this.#visible) this.draw();
    }).observe(this.root);
  }

  get #current(): ChartView {
    const name = view.option(this.name);
    return this.views.find((v) => v.name === name) ?? this.views[0];
  }

  get metrics(): string[] {
    return this.#current.metrics;
  }

  setCatalog(catalog: Catalog): void {
    this.#catalog = catalog;
    this.#picked = 0;
  }

  setHistory(history: History): void {
    this.#history = history;
    this.#picked = 0;
    this.draw();
  }

  optionChanged(): void {
    this.#drawTabs();
    this.#picked = 0;
  }

  restyle(): void {
    this.#signature = '';
    this.#picked = 0;
    this.draw();
  }

  draw(): void {
    const catalog = this.#catalog;
    const history = this.#history;
    if (!catalog || !history || !this.#visible) return;
    if (Date.now() - this.#picked > PICK_EVERY) this.#pick(catalog, history);
    this.#columns = align(
      history,
      this.#lines.map((l) => valuesOf(history, l)),
    );
    const banded = this.#columns.lines.some((l) => l.band);
    const view = this.#current;
    const signature = JSON.stringify([view.name, banded, theme.dark, this.#lines.map((l) => [l.label, l.ids]), view.top?.(catalog, history)]);
    const data = this.#data(view, banded);
    if (this.#plot && signature === this.#signature) this.#plot.setData(data);
    else this.#create(view, catalog, history, banded, data);
    this.#signature = signature;
    this.showCursor();
  }

  /** Draws marks of alerts again. */
  redraw(): void {
    if (this.#visible) this.#plot?.u.redraw(false);
  }

  showWindow(): void {
    if (this.#visible) this.#plot?.showWindow();
  }

  showCursor(): void {
    if (!this.#visible) return;
    this.#plot?.showCursor();
    const i = this.#indexAtCursor();
    this.#items.forEach((node, k) => setText(node, value(this.#columns.lines[k]?.avg[i], this.#current.unit)));
    if (this.#current.kind === 'heat' && this.#lines.length > MOST_NAMED) this.#showBusiest(i);
    this.#lines.forEach((l, k) => {
      const item = this.#items[k]?.parentElement;
      if (l.fault && item) setClass(item, 'alarm', (this.#columns.lines[k]?.avg[i] ?? 0) > 0);
    });
    this.#showFaults();
    if (!this.#table.hidden) this.#drawTable();
  }

  /** Of many rows the legend names those that stand out. */
  #showBusiest(i: number): void {
    const known = this.#columns.lines.map((l, k) => ({ v: l.max[i] ?? -1, name: this.#lines[k].label })).filter((x) => x.v >= 0);
    const sorted = known.sort((a, b) => b.v - a.v);
    const named = sorted.slice(0, 5).map((x) => `${x.name} ${value(x.v, '1')}`);
    const median = sorted[sorted.length >> 1];
    this.#legend.replaceChildren(el('li', { text: median ? `busiest: ${named.join(', ')}; median ${value(median.v, '1')}` : '' }));
  }

  #showFaults(): void {
    const history = this.#history;
    if (!this.#faults.length || !history) return;
    const now = this.#faults.map((l) => ({ label: l.label, v: l.ids.reduce((sum, id) => sum + (history.at(id, view.cursor, 'max') ?? 0), 0) })).filter((f) => f.v > 0);
    setText(this.#faultItem, now.length ? `▲ ${now.map((f) => `${f.label} ${value(f.v, '{error}/s')}`).join(', ')}` : '');
  }

  #indexAtCursor(): number {
    const { times, lines } = this.#columns;
    const t = view.cursor;
    let i = times.length - 1;
    if (t !== null) while (i >= 0 && times[i] > t) i--;
    else while (i > 0 && i > times.length - 4 && lines.every((l) => l.avg[i] == null)) i--;
    return i;
  }

  /** Chooses the lines to draw: those that were ever other than 0, the largest first if there are too many. */
  #pick(catalog: Catalog, history: History): void {
    this.#picked = Date.now();
    this.#faults = this.#current.faults?.(catalog) ?? [];
    const all = this.#current.lines(catalog).filter((l) => l.ids.length);
    if (this.#current.kind !== 'lines') {
      this.#lines = all;
      this.#hidden = '';
      return;
    }
    const ranked = all.map((line) => ({ line, max: largest(valuesOf(history, line)) }));
    const alive = ranked.filter((r) => r.max > 0);
    const shown = alive.length ? alive : ranked.slice(0, 4);
    const keep = new Set([...shown].sort((a, b) => b.max - a.max).slice(0, MOST_LINES));
    this.#lines = shown.filter((r) => keep.has(r)).map((r) => r.line);
    const idle = ranked.length - shown.length;
    const smaller = shown.length - keep.size;
    this.#hidden = [smaller ? `${smaller} smaller not drawn` : '', idle ? `${idle} at 0` : ''].filter(Boolean).join(', ');
  }

  #data(view: ChartView, banded: boolean): Num[][] {
    const { times, lines } = this.#columns;
    if (view.kind === 'heat') return [times, lines[0]?.max ?? []];
    if (view.kind === 'stack') return [times, ...stacked(lines, times.length), ...this.#peaks()];
    if (!banded) return [times, ...lines.map((l) => l.avg)];
    return [times, ...lines.flatMap((l) => [l.max, l.min, l.avg])];
  }

  /** The peak of a stack, if there is one. */
  #peaks(): Num[][] {
    const line = this.#catalog && this.#current.peak?.(this.#catalog);
    const history = this.#history;
    return line?.ids.length && history ? [valuesOf(history, line).max] : [];
  }

  #create(view: ChartView, catalog: Catalog, history: History, banded: boolean, data: Num[][]): void {
    this.#plot?.destroy();
    const heat = view.kind === 'heat';
    const { series, bands } = heat ? { series: [{ show: false } as uPlot.Series], bands: undefined } : styles(view.kind === 'stack', this.#lines, banded);
    if (view.kind === 'stack' && this.#peaks().length) series.push({ stroke: theme.muted, width: 0.75, points: { show: false } });
    this.#plot = new Plot(
      this.#box,
      {
        height: this.height,
        series,
        bands,
        format: (v) => (heat ? this.#rowLabel(v) : v === 0 ? '0' : value(v, view.unit)),
        top: heat ? this.#lines.length : view.top?.(catalog, history),
        least: view.least,
        splits: heat ? () => rowMiddles(this.#lines.length) : undefined,
        binary: view.unit === 'By',
        thresholds: () => (heat ? [] : this.marks.thresholds(view.metrics)),
        fires: () => this.marks.fires(view.metrics),
        paint: (u) => (heat ? paintHeat(u, this.#columns) : paintFaults(u, history, this.#faults)),
      },
      data,
    );
    this.#drawLegend(view);
  }

  /** Name of a row of the heat map, at its middle. */
  #rowLabel(v: number): string {
    return this.#lines[this.#lines.length - 1 - Math.floor(v)]?.label.replace(/^cpu /, '') ?? '';
  }

  #drawLegend(view: ChartView): void {
    setText(this.#key, view.key ?? '');
    this.#legend.replaceChildren();
    let named = 0;
    let last: { group?: string; item: HTMLElement } | null = null;
    this.#items = this.#lines.map((line) => {
      const value = el('b', { attrs: { title: line.label } });
      const mark = view.kind === 'heat' ? null : swatch(line.fault ? theme.alarm : lineColor(line.color), view.kind === 'stack' ? [] : dashOf(line), view.kind === 'stack');
      if (last && line.group !== undefined && last.group === line.group) {
        if (mark) last.item.append(mark);
        last.item.append(value);
      } else {
        const item = el('li', {}, el('span', { text: line.group ?? line.label }), value);
        if (mark) item.insertBefore(mark, line.group === undefined ? item.firstChild : value);
        if (named < MOST_NAMED) this.#legend.append(item);
        named++;
        last = { group: line.group, item };
      }
      return value;
    });
    const more = named - MOST_NAMED;
    const rest = [more > 0 ? `${more} more in the table` : '', this.#hidden].filter(Boolean).join(', ');
    if (rest) this.#legend.append(el('li', { class: 'rest', text: rest }));
    if (view.faults) this.#legend.append(this.#faultItem);
    if (!this.#lines.length) this.#legend.append(el('li', { class: 'rest', text: 'nothing collected' }));
  }

  #drawTabs(): void {
    if (this.views.length < 2) return;
    const current = this.#current;
    if (!this.#tabs.childElementCount) {
      for (const v of this.views) this.#tabs.append(button(v.name, `${this.title}: ${v.name}`, () => view.setOption(this.name, v.name, this.views[0].name), false));
    }
    [...this.#tabs.children].forEach((b, i) => b.setAttribute('aria-pressed', String(this.views[i] === current)));
  }

  #toggleTable(): void {
    this.#table.hidden = !this.#table.hidden;
    this.#tableButton.setAttribute('aria-pressed', String(!this.#table.hidden));
    if (!this.#table.hidden) this.#drawTable();
  }

  #drawTable(): void {
    const { name, unit } = this.#current;
    fillTable(this.#table, { caption: `${this.title}: ${name}`, unit, labels: this.#lines.map((l) => l.label), columns: this.#columns, at: this.#indexAtCursor() });
  }
}

/** Middles of the rows that have a name: at most eight. */
function rowMiddles(rows: number): number[] {
  const every = Math.ceil(rows / 8);
  return Array.from({ length: Math.ceil(rows / every) }, (_, i) => rows - i * every - 0.5).reverse();
}

function largest(v: LineValues): number {
  let max = 0;
  for (const x of v.max) if (x != null && x > max) max = x;
  return max;
}
