// Alerts: those that fire, lanes of all of them on the axis of time, what the charts mark, and the details of one.

import { type Alert, type Alerts, get } from './api.ts';
import type { Catalog } from './catalog.ts';
import { button, el, setText } from './dom.ts';
import { digits, duration, moment, timeOfDay, value } from './format.ts';
import { Plot, type Threshold } from './plot.ts';
import { view } from './state.ts';
import { theme } from './theme.ts';
import type {} from './actions.ts';
import { AlertDetail } from './detail.ts';

const LANE = 17;
const MOST_LANES = 12;
const MOST_CHIPS = 6;

export const critical = (severity: string): boolean => /crit|fatal|error|emerg|page/i.test(severity);

/** Who an alert is about, in the words of its attributes. */
export function subject(a: Alert): string {
  return Object.values(a.attributes).map(String).join(' ');
}

export function quantity(v: number | null, unit: string): string {
  return v === null ? '' : unit === '1' || unit === 'By' || unit.endsWith('/s') ? value(v, unit) : digits(v) + (unit && !unit.startsWith('{') ? ` ${unit}` : '');
}

export class AlertPanel {
  readonly strip = el('div', { class: 'firing', attrs: { role: 'status', 'aria-label': 'alerts that fire' } });
  readonly root: HTMLElement;
  readonly detail: AlertDetail;
  readonly #box = el('div', { class: 'plot' });
  readonly #list = el('div', { class: 'list scroll', attrs: { tabindex: '0', role: 'region', 'aria-label': 'table of alerts' } });
  readonly #count = el('span', { class: 'note' });
  #plot: Plot | null = null;
  #alerts: Alert[] = [];
  #firing: Alert[] = [];
  #lanes: Alert[][] = [];
  #catalog: Catalog | null = null;
  #silences: HTMLElement | null = null;
  #request: AbortController | null = null;
  readonly #listeners: (() => void)[] = [];

  constructor() {
    this.detail = new AlertDetail(() => this.#catalog, () => this.#drawSilences());
    const head = el('div', { class: 'head' }, el('h2', { text: 'Alerts' }), this.#count);
    this.root = el('section', { class: 'card', attrs: { 'aria-label': 'Alerts' } }, head, this.#box, this.#list);
  }

  onChange(f: () => void): void {
    this.#listeners.push(f);
  }

  setCatalog(catalog: Catalog): void {
    this.#catalog = catalog;
    if (catalog.meta.features.actions && !this.#silences) {
      this.root.append((this.#silences = el('div')));
      document.head.append(el('script', { attrs: { src: 'actions.js' }, on: { load: () => this.#drawSilences() } }));
    }
  }

  /** Shows the silences in force, where the server takes any. */
  #drawSilences(): void {
    void window.hostPageActions?.silences(() => this.#drawSilences()).then((list) => this.#silences?.replaceChildren(list), () => undefined);
  }

  /** Fetches the alerts of the window, and those that fire. */
  async load(): Promise<void> {
    this.#request?.abort();
    this.#request = new AbortController();
    const answer = await get<Alerts>('api/alerts', { from: Math.floor(view.start), to: Math.ceil(view.now) }, this.#request.signal);
    this.#alerts = answer.alerts;
    this.#firing = answer.firing.map((e) => answer.alerts.find((a) => a.episode === e)).filter((a) => a !== undefined);
    this.#changed();
    this.#drawSilences();
  }

  /** Takes an alert that the stream says has changed. */
  update(alert: Alert): void {
    this.#alerts = [alert, ...this.#alerts.filter((a) => a.episode !== alert.episode)].slice(0, 2000);
    this.#firing = this.#firing.filter((a) => a.episode !== alert.episode);
    if (alert.ended === null) this.#firing.push(alert);
    this.#firing.sort((a, b) => Number(critical(b.severity)) - Number(critical(a.severity)) || b.started - a.started);
    this.#changed();
  }

  #changed(): void {
    this.#drawStrip();
    this.#drawLanes();
    this.#listeners.forEach((f) => f());
  }

  restyle(): void {
    this.#plot?.destroy();
    this.#plot = null;
    this.#drawLanes();
  }

  tick(): void {
    for (const node of this.strip.querySelectorAll<HTMLElement>('[data-since]')) setText(node, duration(view.now - Number(node.dataset.since)));
    this.#plot?.showWindow();
  }

  showCursor(): void {
    this.#plot?.showCursor();
  }

  #drawStrip(): void {
    const open = (a: Alert) => () => this.detail.open(a);
    const chips = this.#firing.slice(0, MOST_CHIPS).map((a) => {
      const line = `${quantity(a.value, a.unit)} ${a.threshold === null ? '' : `${a.comparison} ${quantity(a.threshold, a.unit)}`}`.trim();
      const chip = el(
        'button',
        { class: critical(a.severity) ? 'chip critical' : 'chip', attrs: { type: 'button', title: a.message }, on: { click: open(a) } },
        el('b', { text: `▲ ${a.severity}` }),
        el('span', { text: `${a.rule} ${subject(a)}`.trim() }),
        el('span', { class: 'number', text: line }),
      );
      if (a.silenced_by) chip.append(el('span', { text: `silenced by ${a.silenced_by}` }));
      if (a.acknowledged_by) chip.append(el('span', { text: `${a.acknowledged_by} looks after it` }));
      if (a.state !== 'firing') chip.append(el('span', { text: a.state.replace('_', ' ') }));
      chip.append(el('span', { class: 'number dim', text: duration(view.now - a.started), attrs: { 'data-since': String(a.started) } }));
      return chip;
    });
    const more = this.#firing.length - chips.length;
    this.strip.replaceChildren(...chips);
    if (more > 0) this.strip.append(el('span', { class: 'note', text: `and ${more} more` }));
    if (!chips.length) this.strip.append(el('span', { class: 'calm', text: '✓ no alert fires' }));
  }

  #drawLanes(): void {
    const inWindow = this.#alerts.filter((a) => a.started < view.end && (a.ended ?? Infinity) > view.start);
    const byId = new Map<string, Alert[]>();
    for (const a of inWindow) byId.set(a.id, [...(byId.get(a.id) ?? []), a]);
    const lanes = [...byId.values()].slice(0, MOST_LANES);
    const height = Math.max(2, lanes.length) * LANE + 30;
    if (lanes.length !== this.#lanes.length || !this.#plot) {
      this.#plot?.destroy();
      this.#plot = new Plot(this.#box, { height, series: [{ show: false }], paint: (u) => this.#paint(u) }, [[0], [null]]);
    }
    this.#lanes = lanes;
    this.#plot.u.redraw();
    setText(this.#count, inWindow.length ? `${inWindow.length} in this window` : 'none in this window');
    this.#drawList(inWindow);
  }

  #paint(u: Plot['u']): void {
    const { ctx, bbox } = u;
    const ratio = devicePixelRatio;
    const x = (t: number): number => Math.min(Math.max(u.valToPos(t, 'x', true), bbox.left), bbox.left + bbox.width);
    this.#lanes.forEach((lane, row) => {
      const top = bbox.top + row * LANE * ratio + ratio;
      for (const a of lane) {
        const steps = a.transitions.length ? a.transitions : [{ t: a.started, severity: a.severity }];
        steps.forEach((s, i) => {
          const end = steps[i + 1]?.t ?? a.ended ?? view.now;
          const [from, to] = [x(s.t), x(end)];
          if (to <= from && (s.t > view.end || end < view.start)) return;
          const severe = critical(s.severity);
          ctx.fillStyle = severe ? theme.alarm : theme.warn;
          const inset = severe ? 0 : 4 * ratio;
          ctx.fillRect(from, top + inset, Math.max(to - from, 2 * ratio), (LANE - 3) * ratio - 2 * inset);
        });
      }
      this.#label(ctx, `${lane[0].rule} ${subject(lane[0])}`.trim(), bbox.left + 4 * ratio, top, ratio);
    });
  }

  #label(ctx: CanvasRenderingContext2D, text: string, x: number, top: number, ratio: number): void {
    ctx.font = `${11 * ratio}px system-ui, sans-serif`;
    ctx.textBaseline = 'middle';
    ctx.textAlign = 'left';
    const shown = text.length > 48 ? `${text.slice(0, 47)}…` : text;
    ctx.fillStyle = theme.surface;
    ctx.globalAlpha = 0.85;
    ctx.fillRect(x - 3 * ratio, top, ctx.measureText(shown).width + 6 * ratio, (LANE - 3) * ratio);
    ctx.globalAlpha = 1;
    ctx.fillStyle = theme.text;
    ctx.fillText(shown, x, top + ((LANE - 3) / 2) * ratio);
  }

  #drawList(alerts: Alert[]): void {
    const rows = alerts.slice(0, 100).map((a) =>
      el(
        'tr',
        {},
        el('td', { class: critical(a.severity) ? 'alarm' : 'warn', text: `${a.ended === null ? '▲' : '✓'} ${a.severity}` }),
        el('td', {}, button(a.rule, `what changed when ${a.rule} fired`, () => this.detail.open(a))),
        el('td', { text: subject(a) }),
        el('td', { class: 'number', text: moment(a.started, view.now) }),
        el('td', { class: 'number', text: a.ended === null ? 'fires' : timeOfDay(a.ended) }),
        el('td', { class: 'number', text: duration((a.ended ?? view.now) - a.started) }),
      ),
    );
    const head = ['severity', 'rule', 'of', 'from', 'to', 'for'].map((h) => el('th', { text: h, class: /from|to|for/.test(h) ? 'number' : '', attrs: { scope: 'col' } }));
    this.#list.hidden = rows.length === 0;
    this.#list.replaceChildren(el('table', {}, el('thead', {}, el('tr', {}, ...head)), el('tbody', {}, ...rows)));
  }

  /** Goes to the alert after the cursor, and round. */
  next(): void {
    const starts = [...this.#alerts].sort((a, b) => a.started - b.started);
    const from = view.cursor ?? -Infinity;
    const a = starts.find((x) => x.started > from + 1) ?? starts[0];
    if (a) this.detail.open(a);
  }

  thresholds(metrics: string[]): Threshold[] {
    const found = new Map<string, Threshold>();
    const add = (name: string, severity: string, v: unknown, unit: string): void => {
      if (typeof v === 'number') found.set(`${name} ${severity}`, { value: v, label: `${name} ${quantity(v, unit)}`, critical: critical(severity) });
    };
    for (const r of this.#catalog?.rules ?? []) {
      if (!metrics.includes(r.metric)) continue;
      for (const [k, v] of Object.entries(r.attributes)) {
        const m = /^alert\.(?:rule\.)?threshold(?:\.(.+))?$/.exec(k);
        if (m) add(r.rule, m[1] ?? String(r.attributes['alert.severity'] ?? ''), v, r.unit);
      }
    }
    for (const a of this.#firing) if (metrics.includes(a.metric)) add(a.rule, a.severity, a.threshold, a.unit);
    return [...found.values()];
  }

  fires(metrics: string[]): { t: number; critical: boolean }[] {
    return this.#alerts.filter((a) => metrics.includes(a.metric)).map((a) => ({ t: a.started, critical: critical(a.severity) }));
  }
}
