// The table of processes at the cursor: sorted, filtered, as a tree, or by user, unit and container.

import { type Cell, get, type ProcessTable } from './api.ts';
import { button, el, setClass, setText } from './dom.ts';
import { duration, moment, percent, value } from './format.ts';
import { arrange, GROUPINGS, type Process, readRows } from './proctree.ts';
import { view } from './state.ts';

interface Column {
  key: keyof Process;
  name: string;
  text: (v: Cell, now: number) => string;
  number: boolean;
  title: string;
}

const asText = (v: Cell): string => (v === null ? '' : String(v));
const asPercent = (v: Cell): string => (v === null ? '–' : percent(v as number));
const asBytes = (v: Cell): string => (v === null ? '–' : value(v as number, 'By'));
const asRate = (v: Cell): string => (v === null ? '–' : v === 0 ? '0' : value(v as number, 'By/s'));

const COLUMNS: Column[] = [
  { key: 'pid', name: 'pid', text: asText, number: true, title: 'process ID' },
  { key: 'name', name: 'name', text: asText, number: false, title: 'name of the executable' },
  { key: 'user', name: 'user', text: asText, number: false, title: 'owner' },
  { key: 'cpu', name: 'cpu', text: asPercent, number: true, title: 'CPU time, 100 % is one CPU' },
  { key: 'children', name: 'children', text: asPercent, number: true, title: 'CPU time of children that have ended' },
  { key: 'memory', name: 'memory', text: asBytes, number: true, title: 'resident memory' },
  { key: 'read', name: 'read', text: asRate, number: true, title: 'read from disk' },
  { key: 'write', name: 'write', text: asRate, number: true, title: 'written to disk' },
  { key: 'threads', name: 'threads', text: asText, number: true, title: 'threads' },
  { key: 'created', name: 'up', text: (v, now) => (v === null ? '' : duration(now - (v as number))), number: true, title: 'time since its start' },
  { key: 'unit', name: 'unit', text: asText, number: false, title: 'systemd unit or container' },
];
const SORTS: [string, keyof Process][] = [
  ['cpu', 'cpu'],
  ['mem', 'memory'],
  ['i/o', 'io'],
];
const MOST_ROWS = 150;

interface Row {
  tr: HTMLTableRowElement;
  cells: HTMLElement[];
}

export class Processes {
  readonly root: HTMLElement;
  readonly filter: HTMLInputElement;
  readonly #title = el('h2', { text: 'Processes' });
  readonly #body = el('tbody');
  readonly #foot = el('tfoot');
  readonly #sorts = el('span', { class: 'tabs', attrs: { role: 'group', 'aria-label': 'sort by' } });
  readonly #groupings = el('span', { class: 'tabs', attrs: { role: 'group', 'aria-label': 'group by' } });
  readonly #freezeButton: HTMLButtonElement;
  readonly #heads: HTMLElement[];
  readonly #element: HTMLTableElement;
  readonly #rows: Row[] = [];
  #table: ProcessTable | null = null;
  #order: string[] | null = null;
  #request: AbortController | null = null;
  #timer = 0;
  #asked: number | null | undefined;
  #shows = true;

  constructor() {
    this.filter = el('input', { attrs: { type: 'search', placeholder: '/ filter: name, user, pid, unit', 'aria-label': 'filter processes', spellcheck: 'false' } });
    this.filter.addEventListener('input', () => view.setOption('filter', this.filter.value));
    this.#freezeButton = button('freeze', 'rows keep their places, values go on (f)', () => this.freeze(), false);
    for (const [name, key] of SORTS) this.#sorts.append(button(name, `sort by ${name}`, () => this.#sortBy(key), false));
    for (const name of GROUPINGS) this.#groupings.append(button(name, name === 'tree' ? 'parents and children (t)' : `processes: ${name}`, () => view.setOption('group', name, 'flat'), false));
    this.#heads = COLUMNS.map((c) => el('th', { class: c.number ? 'number' : '', attrs: { scope: 'col', title: c.title } }, button(c.name, `sort by ${c.title}`, () => this.#sortBy(c.key))));
    const head = el('div', { class: 'head' }, this.#title, this.#sorts, this.#groupings, this.#freezeButton, this.filter);
    const table = (this.#element = el('table', { class: 'processes' }, el('thead', {}, el('tr', {}, ...this.#heads)), this.#body, this.#foot));
    const box = el('div', { class: 'scroll tall', attrs: { tabindex: '0', role: 'region', 'aria-label': 'table of processes' } }, table);
    this.root = el('section', { class: 'card wide', attrs: { 'aria-label': 'Processes' } }, head, box);
    new IntersectionObserver((entries) => {
      this.#shows = entries.some((e) => e.isIntersecting);
      if (this.#shows) this.load();
    }).observe(this.root);
    this.optionChanged();
  }

  get #sortKey(): keyof Process {
    return (view.option('sort', 'cpu') as keyof Process) || 'cpu';
  }

  optionChanged(): void {
    this.#order = null;
    setClass(this.#freezeButton, 'on', false);
    this.#freezeButton.setAttribute('aria-pressed', 'false');
    if (this.filter.value !== view.option('filter')) this.filter.value = view.option('filter');
    [...this.#sorts.children].forEach((b, i) => b.setAttribute('aria-pressed', String(SORTS[i][1] === this.#sortKey)));
    [...this.#groupings.children].forEach((b, i) => b.setAttribute('aria-pressed', String(GROUPINGS[i] === view.option('group', 'flat'))));
    COLUMNS.forEach((c, i) => {
      if (c.key === this.#sortKey) this.#heads[i].setAttribute('aria-sort', view.option('order') === 'up' ? 'ascending' : 'descending');
      else this.#heads[i].removeAttribute('aria-sort');
    });
    this.#draw();
  }

  #sortBy(key: keyof Process): void {
    if (key === this.#sortKey) return view.setOption('order', view.option('order') === 'up' ? '' : 'up');
    view.options.delete('order');
    view.setOption('sort', key, 'cpu');
  }

  freeze(): void {
    this.#order = this.#order ? null : this.#rows.map((r) => r.tr.dataset.key ?? '');
    this.#freezeButton.setAttribute('aria-pressed', String(this.#order !== null));
    this.#draw();
  }

  toggleTree(): void {
    view.setOption('group', view.option('group') === 'tree' ? 'flat' : 'tree', 'flat');
  }

  /** A new table has come; it is shown unless the cursor is at another time. */
  arrived(): void {
    if (view.live && view.cursor === null) this.load(true);
  }

  /** Fetches the table of the cursor, a short while after the cursor has come to rest. */
  load(again = false): void {
    const at = view.cursor ?? (view.live ? null : view.end);
    if (!this.#shows || (!again && at === this.#asked)) return;
    this.#asked = at;
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#fetch(at), at === null ? 0 : 60);
  }

  async #fetch(at: number | null): Promise<void> {
    this.#request?.abort();
    this.#request = new AbortController();
    try {
      this.#table = await get<ProcessTable>('api/processes', at === null ? {} : { at: Math.round(at) }, this.#request.signal);
      this.#draw();
    } catch (e) {
      if (!(e instanceof DOMException)) setText(this.#title, `Processes: ${String(e)}`);
      this.#asked = undefined;
    }
  }

  #draw(): void {
    const t = this.#table;
    if (!t) return;
    const when = t.t === null ? 'none at this time' : `at ${moment(t.t, view.now)}${view.cursor === null ? '' : ' (cursor)'}`;
    setText(this.#title, `Processes ${when}`);
    const all = readRows(t);
    setClass(this.#element, 'nounit', all.every((p) => p.unit === null));
    let list = arrange(all, { group: view.option('group', 'flat'), sort: this.#sortKey, up: view.option('order') === 'up', filter: view.option('filter') });
    if (this.#order) list = frozen(list, this.#order);
    const shown = list.slice(0, MOST_ROWS);
    shown.forEach((p, i) => this.#fill(this.#row(i), p, t.t ?? view.now));
    for (const r of this.#rows.splice(shown.length)) r.tr.remove();
    this.#drawFoot(t, all, list.length - shown.length);
  }

  #row(i: number): Row {
    let r = this.#rows[i];
    if (r) return r;
    const cells = COLUMNS.map((c) => el('td', { class: c.number ? 'number' : 'name' }));
    r = { tr: el('tr', {}, ...cells), cells };
    this.#rows.push(r);
    this.#body.append(r.tr);
    return r;
  }

  #fill(row: Row, p: Process, now: number): void {
    row.tr.dataset.key = p.key;
    COLUMNS.forEach((c, i) => {
      const v = p[c.key] as Cell;
      const text = c.key === 'name' ? `${p.guide}${v ?? ''}` : c.text(v, now);
      const cell = row.cells[i];
      setText(cell, text);
      if (c.key === 'name') cell.title = asText(v);
      if (c.key === 'cpu') cell.style.backgroundSize = `${Math.min((p.cpu ?? 0) * 100, 100)}% 100%`;
      setClass(cell, 'nil', text === '0' || text === '0 %' || text === '–');
    });
    setClass(row.tr, 'busy', (p.cpu ?? 0) >= 0.5);
  }

  #drawFoot(t: ProcessTable, all: Process[], hidden: number): void {
    const line = (name: string, cells: Partial<Record<keyof Process, Cell>>, title = ''): HTMLElement =>
      el('tr', { attrs: title ? { title } : {} }, ...COLUMNS.map((c) => {
        if (c.key === 'name') return el('th', { class: 'name', text: name, attrs: { scope: 'row' } });
        const v = cells[c.key];
        return el('td', { class: c.number ? 'number' : '', text: v === undefined ? '' : c.text(v, 0) });
      }));
    const lines = t.groups.map((g) => line(`${g.name} (${g.count})`, g as unknown as Process));
    if (t.unattributed !== null) lines.push(line('unattributed', { cpu: t.unattributed }, 'CPU time of processes that came and went between two tables'));
    if (t.total) {
      const together = all.reduce((n, p) => n + (p.cpu ?? 0) + (p.children ?? 0), 0) + t.groups.reduce((n, g) => n + Number(g.cpu ?? 0) + Number(g.children ?? 0), 0) + (t.unattributed ?? 0);
      lines.push(line(`together, of ${t.total.cpus * 100} %`, { cpu: together }), line('what the CPUs did', { cpu: t.total.cpu }));
    }
    if (hidden > 0) lines.push(line(`${hidden} more rows: filter to see them`, {}));
    if (t.omitted > 0) lines.push(line(`${t.omitted} not kept at this age`, {}));
    this.#foot.replaceChildren(...lines);
  }
}

/** Rows in the order that they had, new ones after them. */
function frozen(list: Process[], order: string[]): Process[] {
  const place = new Map(order.map((k, i) => [k, i]));
  return [...list].sort((a, b) => (place.get(a.key) ?? Infinity) - (place.get(b.key) ?? Infinity) || 0);
}
