// The page: what it is made of, and what is drawn when.

import { AlertPanel } from './alerts.ts';
import { get } from './api.ts';
import { Bar } from './bar.ts';
import type { Catalog } from './catalog.ts';
import { anyMetric, cpuByMode, cpuRows, disks, memory, network, pressure } from './charts.ts';
import { byId, el } from './dom.ts';
import { Feed } from './feed.ts';
import { FILESYSTEM_METRICS, Filesystems } from './filesystems.ts';
import { moment } from './format.ts';
import type {} from './facts.ts';
import type {} from './groups.ts';
import type { History } from './history.ts';
import { listen } from './keys.ts';
import { ChartPanel } from './panel.ts';
import { Processes } from './processes.ts';
import { snapshot } from './snapshot.ts';
import { view } from './state.ts';
import { onTheme } from './theme.ts';
import { VITAL_METRICS, Vitals } from './vitals.ts';

/** Height of a chart: more on a screen that has room for more. */
const CHART = Math.min(Math.max(128, Math.round(innerHeight / 8)), 260);

view.load();
const alerts = new AlertPanel();
const vitals = new Vitals();
const filesystems = new Filesystems();
const processes = new Processes();
const bar = new Bar(byId('bar'));
const panels = [
  new ChartPanel('cpu', 'CPU', cpuByMode, alerts, CHART),
  new ChartPanel('cpus', 'Each CPU', cpuRows, alerts, CHART),
  new ChartPanel('memory', 'Memory', memory, alerts, CHART),
  new ChartPanel('pressure', 'Pressure', pressure, alerts, CHART),
  new ChartPanel('disks', 'Disks', disks, alerts, CHART),
  new ChartPanel('network', 'Network', network, alerts, CHART),
];
const explorer = byId('explorer');
let chosen: ChartPanel | null = null;
const all = (): ChartPanel[] => (chosen ? [...panels, chosen] : panels);

const feed = new Feed({
  catalog(c) {
    bar.setCatalog(c);
    if (c.meta.features.groups) more('groups', () => byId('processes').before(window.hostPageGroups!(view, get, moment)));
    if (c.has('system.network.tcp.retransmits')) more('facts', () => byId('below').append(window.hostPageFacts!(view, get, () => feed.catalog?.meta)));
    alerts.setCatalog(c);
    listMetrics(c);
    for (const p of all()) p.setCatalog(c);
    feed.setMetrics(metrics(), width());
  },
  loaded(h) {
    for (const p of all()) p.setHistory(h);
    drawTexts(h, true);
    processes.load();
    if (!document.documentElement.dataset.ready) performance.mark('drawn');
    document.documentElement.dataset.ready = 'true';
  },
  scraped: () => (dirty = true),
  processes: () => processes.arrived(),
  alert: (a) => alerts.update(a),
  status: (text, well) => bar.status(text, well),
});
let dirty = false;
let drawn = 0;
const loaded = new Set<string>();

function metrics(): string[] {
  return [...new Set([...all().flatMap((p) => p.metrics), ...VITAL_METRICS, ...FILESYSTEM_METRICS])].sort();
}

/** Points that a chart can show: one a pixel. */
function width(): number {
  return Math.round(Math.min(Math.max(panels[0].root.clientWidth - 70, 200), 900));
}

function drawTexts(h: History, full: boolean): void {
  const c = feed.catalog;
  if (!c) return;
  vitals.draw(c, h, full);
  filesystems.draw(c, h);
  bar.draw(c, h);
  bar.drawWindow();
}

/** Draws what has come, once a frame at most, and no more often than the window moves by a pixel. */
function frame(): void {
  const now = performance.now();
  if (dirty && now - drawn >= Math.min(Math.max(900, view.span / 1500), 10_000)) {
    dirty = false;
    view.fit(feed.began);
    drawn = now;
    for (const p of all()) p.draw();
    drawTexts(feed.history, true);
    alerts.tick();
  }
  requestAnimationFrame(frame);
}

function cursorChanged(): void {
  for (const p of all()) p.showCursor();
  alerts.showCursor();
  drawTexts(feed.history, false);
  processes.load();
}

let cursorFrame = 0;
view.onCursor(() => {
  cancelAnimationFrame(cursorFrame);
  cursorFrame = requestAnimationFrame(cursorChanged);
});
view.onWindow(() => {
  for (const p of all()) p.showWindow();
  alerts.tick();
  bar.drawWindow();
  feed.windowChanged();
  processes.load();
  clearTimeout(alertTimer);
  alertTimer = window.setTimeout(() => void alerts.load().catch(() => undefined), 200);
});
let alertTimer = 0;
view.onOption(() => {
  for (const p of all()) p.optionChanged();
  processes.optionChanged();
  choose();
  feed.setMetrics(metrics(), width());
  for (const p of all()) p.draw();
});
alerts.onChange(() => {
  for (const p of all()) p.redraw();
});
onTheme(() => {
  for (const p of all()) p.restyle();
  alerts.restyle();
  drawTexts(feed.history, true);
});
addEventListener('hashchange', () => view.reload());

/** Shows what is a script of its own; of a page that was saved it is in the file. */
function more(name: string, show: () => void): void {
  if (loaded.has(name)) return;
  loaded.add(name);
  if (snapshot) show();
  else document.head.append(el('script', { attrs: { src: `${name}.js` }, on: { load: show } }));
}

/** The choice of any metric of the store. */
function listMetrics(c: Catalog): void {
  const select = byId('metric') as HTMLSelectElement;
  const names = ['', ...c.names];
  if (select.options.length === names.length) return;
  select.replaceChildren(...names.map((n) => el('option', { text: n || 'any other metric …', attrs: { value: n } })));
  select.value = view.option('metric');
  choose();
}

function choose(): void {
  const name = view.option('metric');
  const c = feed.catalog;
  if (chosen?.name === name || (!chosen && !name) || !c) return;
  chosen?.root.remove();
  chosen = null;
  if (!c.has(name)) return;
  chosen = new ChartPanel(name, name, [{ ...anyMetric(name), unit: c.unit(name) }], alerts, CHART);
  chosen.setCatalog(c);
  chosen.setHistory(feed.history);
  explorer.append(chosen.root);
}

byId('metric').addEventListener('change', (e) => view.setOption('metric', (e.target as HTMLSelectElement).value));
byId('alerts').append(alerts.strip);
byId('detail').append(alerts.detail.root);
byId('vitals').append(vitals.root);
byId('charts').append(...panels.map((p) => p.root));
byId('processes').append(processes.root);
byId('below').append(filesystems.root, alerts.root);
listen({
  nextAlert: () => alerts.next(),
  closeDetail: () => alerts.detail.close(),
  filter: processes.filter,
  freeze: () => processes.freeze(),
  tree: () => processes.toggleTree(),
  history: feed.history,
});
requestAnimationFrame(frame);
void alerts.load().catch(() => undefined);
feed.start().catch((e) => bar.status(String(e), false));
