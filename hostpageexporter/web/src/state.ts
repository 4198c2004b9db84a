// What the viewer looks at: the window of time, the cursor, and how the table is sorted. It stands in the fragment of the URL, so that a
// link shows the same.

import { clock } from './format.ts';

export const SPANS: [string, number][] = [
  ['1m', 60_000],
  ['5m', 300_000],
  ['15m', 900_000],
  ['1h', 3_600_000],
  ['6h', 21_600_000],
  ['1d', 86_400_000],
  ['7d', 604_800_000],
];

const MIN_SPAN = 10_000;
const AUTO_LEAST = 30_000;
const AUTO_MOST = 900_000;
const MAX_SPAN = 400 * 86_400_000;

type Listener = () => void;

export class View {
  live = true;
  /** The window grows with the history, until somebody chooses one. */
  auto = true;
  span = AUTO_MOST;
  to = 0;
  /** Time that all charts and tables show; null: the newest. */
  cursor: number | null = null;
  /** The cursor stays where it is when the pointer moves. */
  pinned = false;
  /** The time that is now, for ever: of a page that was saved. */
  frozen: number | null = null;
  /** Clock of the server less that of the browser. */
  skew = 0;
  /** Panel options by name: the metric of a panel, the order of the table and the like. */
  options = new Map<string, string>();

  #earlier: { live: boolean; span: number; to: number }[] = [];
  #windowListeners: Listener[] = [];
  #cursorListeners: Listener[] = [];
  #optionListeners: Listener[] = [];

  get now(): number {
    return this.frozen ?? Date.now() + this.skew;
  }

  get end(): number {
    return this.live ? this.now : this.to;
  }

  get start(): number {
    return this.end - this.span;
  }

  onWindow(f: Listener): void {
    this.#windowListeners.push(f);
  }

  onCursor(f: Listener): void {
    this.#cursorListeners.push(f);
  }

  onOption(f: Listener): void {
    this.#optionListeners.push(f);
  }

  /** Fits a window that nobody has chosen to the time since the history began. */
  fit(began: number): void {
    if (this.auto && this.live && this.frozen === null) this.span = Math.min(Math.max(this.now - began, AUTO_LEAST), AUTO_MOST);
  }

  /** Shows a window of time; one that ends now or later follows the clock. */
  show(from: number, to: number, remember = true): void {
    if (remember) this.#remember();
    this.span = Math.min(Math.max(to - from, MIN_SPAN), MAX_SPAN);
    const middle = (from + to) / 2;
    this.to = Math.min(middle + this.span / 2, this.now);
    this.live = false;
    this.#changed();
  }

  follow(span = this.span): void {
    this.#remember();
    this.auto = this.auto && span === this.span;
    this.span = span;
    this.live = true;
    this.cursor = null;
    this.pinned = false;
    this.#changed();
    this.#cursorListeners.forEach((f) => f());
  }

  pause(): void {
    if (!this.live) return this.follow();
    this.to = this.now;
    this.live = false;
    this.#changed();
  }

  pan(by: number): void {
    const from = this.start + by;
    if (by > 0 && !this.live && this.end + by >= this.now) return this.follow();
    if (by > 0 && this.live) return;
    this.show(from, from + this.span, false);
  }

  /** Zooms by a factor around a time; when live, the end stays at now. */
  zoom(factor: number, around?: number): void {
    const span = Math.min(Math.max(this.span * factor, MIN_SPAN), MAX_SPAN);
    this.auto = false;
    if (this.live && around === undefined) {
      this.span = span;
      return this.#changed();
    }
    const at = around ?? this.cursor ?? (this.start + this.end) / 2;
    const share = (at - this.start) / this.span;
    this.show(at - share * span, at + (1 - share) * span, false);
  }

  back(): void {
    const w = this.#earlier.pop();
    if (!w) return this.follow();
    Object.assign(this, w);
    this.#changed();
  }

  setCursor(t: number | null, pinned = this.pinned): void {
    if (t === this.cursor && pinned === this.pinned) return;
    this.cursor = t;
    this.pinned = pinned && t !== null;
    this.#cursorListeners.forEach((f) => f());
    if (pinned || t === null) this.save();
  }

  setOption(name: string, value: string, fallback = ''): void {
    if (value === fallback) this.options.delete(name);
    else this.options.set(name, value);
    this.#optionListeners.forEach((f) => f());
    this.save();
  }

  option(name: string, fallback = ''): string {
    return this.options.get(name) ?? fallback;
  }

  #remember(): void {
    this.#earlier.push({ live: this.live, span: this.span, to: this.to });
    if (this.#earlier.length > 50) this.#earlier.shift();
  }

  #changed(): void {
    if (!this.live) this.auto = false;
    this.#windowListeners.forEach((f) => f());
    this.save();
  }

  /** Writes the state to the URL, without an entry in the browser's history. */
  save(): void {
    const p = new URLSearchParams();
    if (this.live) {
      if (!this.auto) p.set('span', nameOfSpan(this.span));
    } else {
      p.set('from', new Date(Math.round(this.start)).toISOString());
      p.set('to', new Date(Math.round(this.end)).toISOString());
    }
    if (this.pinned && this.cursor !== null) p.set('at', new Date(Math.round(this.cursor)).toISOString());
    if (clock.utc) p.set('utc', '1');
    for (const [k, v] of this.options) p.set(k, v);
    const hash = `#${p.toString().replace(/%3A/g, ':')}`;
    if (hash !== location.hash) history.replaceState(null, '', hash);
  }

  load(): void {
    const p = new URLSearchParams(location.hash.slice(1));
    const from = Date.parse(p.get('from') ?? '');
    const to = Date.parse(p.get('to') ?? '');
    const at = Date.parse(p.get('at') ?? '');
    if (from < to) {
      this.live = false;
      this.span = Math.min(Math.max(to - from, MIN_SPAN), MAX_SPAN);
      this.to = to;
    } else {
      this.live = true;
      const span = spanOfName(p.get('span') ?? '');
      this.auto = span === 0;
      this.span = span || AUTO_MOST;
    }
    this.cursor = Number.isNaN(at) ? null : at;
    this.pinned = this.cursor !== null;
    clock.utc = p.get('utc') === '1';
    this.options.clear();
    for (const [k, v] of p) if (!['from', 'to', 'at', 'span', 'utc'].includes(k)) this.options.set(k, v);
  }

  /** Takes the state of the URL again, after the viewer changed it. */
  reload(): void {
    this.load();
    this.#windowListeners.forEach((f) => f());
    this.#cursorListeners.forEach((f) => f());
    this.#optionListeners.forEach((f) => f());
  }
}

function nameOfSpan(span: number): string {
  return SPANS.find(([, ms]) => ms === span)?.[0] ?? `${Math.round(span / 1000)}s`;
}

function spanOfName(name: string): number {
  const known = SPANS.find(([n]) => n === name);
  if (known) return known[1];
  const m = /^(\d{1,9})s$/.exec(name);
  return m ? Math.min(Math.max(Number(m[1]) * 1000, MIN_SPAN), MAX_SPAN) : 0;
}

export const view = new View();
