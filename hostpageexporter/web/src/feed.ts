// The connection to the exporter: what there is, the values of the window, and those that come.

import { type Alert, ApiError, get, type Hello, type Meta, type Range, type Scrape } from './api.ts';
import { Catalog } from './catalog.ts';
import { History } from './history.ts';
import { moment } from './format.ts';
import { snapshot } from './snapshot.ts';
import { view } from './state.ts';

export interface Listener {
  catalog(c: Catalog): void;
  /** Values of another window or of other metrics have come. */
  loaded(h: History): void;
  /** Values have been added. */
  scraped(h: History): void;
  processes(): void;
  alert(a: Alert): void;
  status(text: string, well: boolean): void;
}

const POLL_EVERY = 5000;
/** So long the page waits for the stream before it fetches the window. */
const PATIENCE = 700;
/** The window is fetched anew so often, for the stream's buckets are near but not exact. */
const RELOAD_EVERY = 300_000;

export class Feed {
  readonly history = new History();
  catalog: Catalog | null = null;
  metrics: string[] = [];
  width = 600;
  #source: EventSource | null = null;
  #request: AbortController | null = null;
  #timer = 0;
  #poll = 0;
  #loadedAt = 0;
  #generation = -1;
  #streaming = false;
  #started = false;
  /** Metrics that the stream was opened for. */
  #asked = '';
  /** The window is fetched once the stream is open, so that no scrape falls between the two. */
  #awaiting = false;
  /** Scrapes that came while the window was fetched. */
  #meantime: Scrape[] | null = null;

  constructor(private readonly listener: Listener) {}

  async start(): Promise<void> {
    if (snapshot) {
      view.frozen = snapshot.to;
      if (view.auto) view.span = snapshot.to - snapshot.from;
      await this.#meta();
      await this.#load();
      return this.listener.status(`saved ${moment(snapshot.meta.now, 0)}`, true);
    }
    await this.#meta();
    this.#started = true;
    this.#stream();
    document.addEventListener('visibilitychange', () => (document.hidden ? this.#stop() : this.#resume()));
    setInterval(() => this.#watch(), 1000);
  }

  /** Metrics of the page have changed: all of it anew. */
  setMetrics(metrics: string[], width: number): void {
    this.metrics = metrics;
    this.width = width;
    if (this.#started && this.#names() !== this.#asked) this.#stream();
  }

  /** Metrics of the page that the store has. */
  #names(): string {
    return this.metrics.filter((m) => this.catalog?.has(m)).join(',');
  }

  /** Fetches the window again, when the viewer has stopped moving it. */
  windowChanged(): void {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#load(), 120);
  }

  /** When the history begins. */
  get began(): number {
    const known = (this.catalog?.meta.tiers ?? []).map((t) => t.from).filter((t) => t !== null);
    return known.length ? Math.min(...known) : view.now;
  }

  async #meta(): Promise<void> {
    const meta = await get<Meta>('api/meta');
    view.skew = meta.now - Date.now();
    this.#generation = meta.generation;
    this.catalog = new Catalog(meta);
    view.fit(this.began);
    this.listener.catalog(this.catalog);
  }

  async #load(): Promise<void> {
    const names = this.#names();
    if (!names) return;
    this.#request?.abort();
    const request = (this.#request = new AbortController());
    this.#awaiting = false;
    this.#meantime = [];
    const margin = view.span * 0.03;
    const count = names.split(',').reduce((n, m) => n + (this.catalog?.metric(m)?.series.length ?? 0), 0);
    const cells = this.catalog?.meta.limits.cells ?? 2_000_000;
    const width = Math.max(20, Math.min(this.width, this.catalog?.meta.limits.width ?? 4000, Math.floor(cells / (3.5 * Math.max(count, 1)))));
    try {
      const range = await get<Range>('api/range', { series: names, from: Math.floor(view.start - margin), to: Math.ceil(view.end + (view.live ? 1000 : margin)), width }, request.signal);
      if (this.catalog && range.store !== this.catalog.meta.store) await this.#meta();
      this.history.load(range);
      this.#loadedAt = Date.now();
      for (const s of this.#meantime ?? []) this.history.push(s);
      this.#meantime = null;
      this.listener.loaded(this.history);
    } catch (e) {
      if (e instanceof DOMException) return;
      this.#meantime = null;
      this.listener.status(e instanceof ApiError ? e.message : 'no connection', false);
    }
  }

  #stream(): void {
    this.#source?.close();
    clearInterval(this.#poll);
    this.#streaming = false;
    if (document.hidden) return;
    this.#awaiting = true;
    setTimeout(() => this.#awaiting && void this.#load(), PATIENCE);
    const names = (this.#asked = this.#names());
    const source = new EventSource(names ? `api/stream?series=${encodeURIComponent(names)}` : 'api/stream');
    this.#source = source;
    const on = <T>(event: string, f: (data: T) => void): void => source.addEventListener(event, (e) => f(JSON.parse((e as MessageEvent<string>).data) as T));
    on<Hello>('hello', (h) => this.#hello(h));
    on<Scrape>('scrape', (s) => this.#scrape(s));
    on('processes', () => this.listener.processes());
    on<Alert>('alert', (a) => this.listener.alert(a));
    on<{ generation: number }>('meta', (m) => m.generation !== this.#generation && void this.#meta().catch(() => undefined));
    source.addEventListener('error', () => this.#failed(source));
  }

  #hello(h: Hello): void {
    view.skew = h.now - Date.now();
    const again = this.#awaiting || (!this.#streaming && Date.now() - this.#loadedAt > 3000);
    this.#streaming = true;
    this.history.hello(h);
    if (this.catalog && h.store !== this.catalog.meta.store) void this.#meta().then(() => this.#load());
    else if (again) void this.#load();
  }

  #scrape(s: Scrape): void {
    if (!view.live) return;
    this.#meantime?.push(s);
    this.history.push(s);
    this.history.trim(view.start - view.span * 0.05);
    this.listener.scraped(this.history);
  }

  /** The browser connects again by itself, unless the server refused: then the page asks every few seconds. */
  #failed(source: EventSource): void {
    if (source !== this.#source) return;
    this.#streaming = false;
    if (source.readyState !== EventSource.CLOSED) return;
    clearInterval(this.#poll);
    this.#poll = window.setInterval(() => {
      if (view.live) void this.#load();
      this.listener.processes();
    }, POLL_EVERY);
    setTimeout(() => source === this.#source && this.#stream(), 60_000);
  }

  #watch(): void {
    const late = view.now - this.history.newest;
    const allowed = Math.max(3 * this.history.shortest, 3000) + this.history.step;
    if (!view.live) return this.listener.status('paused', true);
    if (!this.#streaming && !this.#poll) this.listener.status('no connection', false);
    else if (late > allowed && this.history.newest) this.listener.status(`late ${Math.round(late / 1000)} s`, false);
    else this.listener.status(`live ${Math.round(this.history.shortest / 100) / 10} s`, true);
    if (this.history.step && Date.now() - this.#loadedAt > RELOAD_EVERY) void this.#load();
  }

  #stop(): void {
    this.#source?.close();
    clearInterval(this.#poll);
  }

  #resume(): void {
    this.#stream();
  }
}
