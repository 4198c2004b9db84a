// The first line: which host, whether it is live, and the window of time.

import type { Health } from './api.ts';
import { get } from './api.ts';
import type { Catalog } from './catalog.ts';
import { cpuCount } from './charts.ts';
import { button, byId, el, setClass, setText } from './dom.ts';
import { clock, day, duration, moment } from './format.ts';
import type { History } from './history.ts';
import { toggleHelp, toggleUTC } from './keys.ts';
import { snapshot } from './snapshot.ts';
import { SPANS, view } from './state.ts';

const HEALTH_EVERY = 15_000;

export class Bar {
  readonly #host = el('h1', { text: 'host' });
  readonly #about = el('span', { class: 'note' });
  readonly #window = el('span', { class: 'number window' });
  readonly #state = el('span', { class: 'state', attrs: { role: 'status' } });
  readonly #spans = el('span', { class: 'tabs', attrs: { role: 'group', 'aria-label': 'window of time' } });
  readonly #pause: HTMLButtonElement;
  readonly #utc: HTMLButtonElement;
  readonly #health: HTMLButtonElement;
  readonly #checks = byId('health');

  constructor(root: HTMLElement) {
    for (const [name, ms] of SPANS) this.#spans.append(button(name, `last ${name}`, () => view.follow(ms), false));
    this.#pause = button('pause', 'stop here, keep what is drawn (space)', () => view.pause());
    this.#pause.classList.add('fixed');
    this.#utc = button('local', 'times in UTC or local (u)', toggleUTC);
    this.#health = button('agent', 'health of the agent', () => (this.#checks.hidden = !this.#checks.hidden));
    const earlier = button('‹', 'half a window earlier ([)', () => view.pan(-view.span / 2));
    const later = button('›', 'half a window later (])', () => view.pan(view.span / 2));
    const closer = button('+', 'zoom in (+)', () => view.zoom(0.5));
    const wider = button('−', 'zoom out (-)', () => view.zoom(2));
    const save = button('save', 'save this window as a file that needs no server', () => location.assign(`snapshot.html?from=${Math.floor(view.start)}&to=${Math.ceil(view.end)}`));
    save.hidden = this.#pause.hidden = snapshot !== null;
    const help = button('?', 'keys (?)', toggleHelp);
    root.append(
      el('span', { class: 'who' }, this.#host, this.#about),
      el('span', { class: 'grow' }),
      this.#window,
      this.#state,
      el('span', { class: 'tabs' }, earlier, later, closer, wider),
      this.#spans,
      this.#pause,
      this.#utc,
      this.#health,
      save,
      help,
    );
    void this.#loadHealth();
    setInterval(() => void this.#loadHealth(), HEALTH_EVERY);
  }

  setCatalog(c: Catalog): void {
    const host = c.meta.host;
    const name = String(host['host.name'] ?? location.host);
    setText(this.#host, name);
    document.title = name;
  }

  draw(c: Catalog, h: History): void {
    const up = h.at(c.first('system.uptime'), null);
    const os = c.meta.host['os.description'] ?? c.meta.host['os.type'] ?? '';
    const finest = c.meta.tiers[0];
    const short = finest && !finest.complete && finest.from ? `finest history since ${moment(finest.from, view.now)}` : '';
    setText(this.#about, [String(os), `${cpuCount(c, h)} CPUs`, up == null ? '' : `up ${duration(up * 1000)}`, short].filter(Boolean).join(' · '));
  }

  drawWindow(): void {
    const cursor = view.cursor;
    const text = cursor === null ? (view.live ? moment(view.now, view.now) : `${moment(view.start, view.now)} – ${day(view.start) === day(view.end) ? moment(view.end, view.end) : moment(view.end, view.now)}`) : `${view.pinned ? '◆' : '◇'} ${moment(cursor, view.now)}`;
    setText(this.#window, text);
    setText(this.#pause, view.live ? 'pause' : 'live');
    setClass(this.#pause, 'on', !view.live);
    setText(this.#utc, clock.utc ? 'UTC' : 'local');
    [...this.#spans.children].forEach((b, i) => b.setAttribute('aria-pressed', String(view.live && !view.auto && SPANS[i][1] === view.span)));
  }

  status(text: string, well: boolean): void {
    setText(this.#state, `${well ? '●' : '▲'} ${text}`);
    setClass(this.#state, 'alarm', !well);
    setClass(this.#state, 'paused', text === 'paused');
  }

  async #loadHealth(): Promise<void> {
    if (document.hidden) return;
    try {
      const h = await get<Health>('health');
      setText(this.#health, h.status === 'ok' ? 'agent ok' : `▲ agent ${h.status}`);
      setClass(this.#health, 'alarm', h.status !== 'ok');
      const rows = h.checks.map((c) =>
        el('tr', {}, el('th', { text: c.name, attrs: { scope: 'row' } }), el('td', { class: c.status === 'ok' ? '' : 'alarm', text: c.status }), el('td', { text: c.message }), el('td', { class: 'number', text: c.since ? `since ${moment(c.since, view.now)}` : '' })),
      );
      this.#checks.replaceChildren(el('h2', { text: 'Health of the agent' }), el('table', {}, el('tbody', {}, ...rows)));
    } catch {
      setText(this.#health, '▲ agent ?');
      setClass(this.#health, 'alarm', true);
    }
  }
}
