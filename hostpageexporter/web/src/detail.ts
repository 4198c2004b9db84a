// One alert: its course, and what changed when it fired.

import { type Alert, ApiError, type Changes, get } from './api.ts';
import type { Catalog } from './catalog.ts';
import { button, el } from './dom.ts';
import { digits, duration, moment, percent, value } from './format.ts';
import { view } from './state.ts';

const BEFORE = 600_000;
const AFTER = 300_000;

export class AlertDetail {
  readonly root = el('section', { class: 'card detail', attrs: { hidden: '', 'aria-label': 'one alert', tabindex: '-1' } });
  #opened: HTMLElement | null = null;

  constructor(
    private readonly catalog: () => Catalog | null,
    private readonly acted: () => void,
  ) {}

  /** Shows an alert, and moves charts and tables to the time when it fired. */
  async open(a: Alert): Promise<void> {
    this.#opened = document.activeElement as HTMLElement | null;
    view.show(a.started - BEFORE, a.started + AFTER);
    view.setCursor(a.started, true);
    const changes = el('div', { class: 'changes', text: 'what changed: loading' });
    const subject = Object.entries(a.attributes).map(([k, v]) => `${k} ${v}`);
    const parts = [
      el(
        'div',
        { class: 'head' },
        el('h2', { text: `${a.severity}: ${a.rule}` }),
        el('span', { class: 'note', text: `${moment(a.started, view.now)} to ${a.ended === null ? 'now' : moment(a.ended, view.now)}, ${duration((a.ended ?? view.now) - a.started)}` }),
        button('close', 'close the alert (Esc)', () => this.close()),
      ),
      el('p', { text: a.message }),
      el('p', { class: 'note', text: [a.metric, ...subject].filter(Boolean).join(' · ') }),
      a.ended === null && window.hostPageActions?.forAlert(a, this.acted),
      this.#course(a),
      changes,
    ];
    this.root.replaceChildren(...parts.filter((p) => p instanceof Node));
    this.root.hidden = false;
    this.root.focus({ preventScroll: true });
    try {
      changes.replaceChildren(...this.#changes(await get<Changes>('api/changes', { episode: a.episode })));
    } catch (e) {
      changes.textContent = e instanceof ApiError && e.status === 404 ? 'what changed is not known any more' : `what changed: ${String(e)}`;
    }
  }

  close(): boolean {
    if (this.root.hidden) return false;
    this.root.hidden = true;
    this.#opened?.focus();
    return true;
  }

  #course(a: Alert): HTMLElement {
    return el(
      'ol',
      { class: 'course' },
      ...a.transitions.slice(-8).map((t) =>
        el('li', { text: `${moment(t.t, view.now)} ${t.transition}${t.value === null ? '' : ` at ${value(t.value, a.unit)}`}${t.threshold === null ? '' : ` (${a.comparison} ${value(t.threshold, a.unit)} ${t.severity})`}` }),
      ),
    );
  }

  #changes(c: Changes): HTMLElement[] {
    const head = (...names: string[]): HTMLElement => el('thead', {}, el('tr', {}, ...names.map((n) => el('th', { text: n, class: /before|after|steps|pid/.test(n) ? 'number' : '', attrs: { scope: 'col' } }))));
    const series = c.series.slice(0, 12).map((s) => {
      const d = this.catalog()?.describe(s.id) ?? { metric: String(s.id), attributes: '', unit: '' };
      return el('tr', {}, el('td', { text: d.metric }), el('td', { text: d.attributes }), ...[value(s.before, d.unit), value(s.after, d.unit), digits(s.score)].map((text) => el('td', { class: 'number', text })));
    });
    const processes = c.processes.slice(0, 12).map((p) =>
      el(
        'tr',
        {},
        el('td', { class: 'number', text: String(p.pid) }),
        el('td', { text: p.name }),
        el('td', { text: p.user ?? '' }),
        ...[percent(p.cpu_before), percent(p.cpu_after), value(p.memory_before, 'By'), value(p.memory_after, 'By')].map((text) => el('td', { class: 'number', text })),
      ),
    );
    return [
      el('table', {}, el('caption', { text: 'Processes: the minute up to the fire against the ten before' }), head('pid', 'name', 'user', 'cpu before', 'after', 'memory before', 'after'), el('tbody', {}, ...processes)),
      el('table', {}, el('caption', { text: 'Metrics that moved most, in their usual steps' }), head('metric', 'of', 'before', 'after', 'steps'), el('tbody', {}, ...series)),
    ];
  }
}
