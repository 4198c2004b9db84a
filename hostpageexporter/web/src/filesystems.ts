// Filesystems, each its own line: how full, how many inodes, and when it is full at the pace of the window.

import type { Catalog, Found } from './catalog.ts';
import { el, setClass, setText } from './dom.ts';
import { duration, type Num, percent, value } from './format.ts';
import type { History } from './history.ts';
import { view } from './state.ts';

export const FILESYSTEM_METRICS = ['system.filesystem.usage', 'system.filesystem.inodes.usage'];
const STATE = 'system.filesystem.state';
const COLUMNS = ['mount', 'type', 'full', '', 'free', 'size', 'inodes', 'full in'];
/** A pace of a shorter time says nothing. */
const PACE = 600_000;

export class Filesystems {
  readonly root: HTMLElement;
  readonly #body = el('tbody');
  readonly #rows = new Map<string, { tr: HTMLElement; cells: HTMLElement[]; bar: HTMLElement }>();

  constructor() {
    const head = el('tr', {}, ...COLUMNS.map((c, i) => (c ? el('th', { text: c, class: i > 1 ? 'number' : '', attrs: { scope: 'col' } }) : el('td'))));
    const table = el('table', { class: 'fs' }, el('thead', {}, head), this.#body);
    this.root = el(
      'section',
      { class: 'card', attrs: { 'aria-label': 'Filesystems' } },
      el('div', { class: 'head' }, el('h2', { text: 'Filesystems' }), el('span', { class: 'note', text: 'full in: at the pace of this window' })),
      el('div', { class: 'scroll', attrs: { tabindex: '0', role: 'region', 'aria-label': 'table of filesystems' } }, table),
    );
  }

  draw(c: Catalog, h: History): void {
    const seen = new Set<string>();
    const used = c.series('system.filesystem.usage', { [STATE]: 'used' });
    const list = used.map((s) => ({ s, mount: s.attributes['system.filesystem.mountpoint'] ?? s.attributes['system.device'] ?? '' }));
    list.sort((a, b) => a.mount.localeCompare(b.mount));
    for (const { s, mount } of list) {
      const key = String(s.id);
      if (h.at(s.id, view.cursor) == null) continue;
      seen.add(key);
      this.#fill(this.#row(key, mount), c, h, s, mount);
    }
    for (const [key, row] of this.#rows) {
      if (seen.has(key)) continue;
      row.tr.remove();
      this.#rows.delete(key);
    }
  }

  #row(key: string, mount: string): { tr: HTMLElement; cells: HTMLElement[]; bar: HTMLElement } {
    const known = this.#rows.get(key);
    if (known) return known;
    const bar = el('span');
    const cells = COLUMNS.map((_, i) => el('td', { class: i === 3 ? 'bar' : i > 1 ? 'number' : 'name' }));
    cells[0].title = mount;
    cells[3].append(el('span', { class: 'track' }, bar));
    const row = { tr: el('tr', {}, ...cells), cells, bar };
    this.#rows.set(key, row);
    this.#body.append(row.tr);
    return row;
  }

  #fill(row: { tr: HTMLElement; cells: HTMLElement[]; bar: HTMLElement }, c: Catalog, h: History, s: Found, mount: string): void {
    const at = (metric: string, state: string): Num => h.at(c.sibling(metric, { ...s.attributes, [STATE]: state }), view.cursor);
    const used = at('system.filesystem.usage', 'used') ?? 0;
    const free = at('system.filesystem.usage', 'free');
    const reserved = at('system.filesystem.usage', 'reserved') ?? 0;
    const share = free == null || used + free === 0 ? null : used / (used + free);
    const inodes = at('system.filesystem.inodes.usage', 'used');
    const inodesFree = at('system.filesystem.inodes.usage', 'free');
    const texts = [
      mount,
      s.attributes['system.filesystem.type'] ?? '',
      percent(share),
      null,
      value(free, 'By'),
      value(used + (free ?? 0) + reserved, 'By'),
      inodes == null || inodesFree == null || inodes + inodesFree === 0 ? '–' : percent(inodes / (inodes + inodesFree)),
      free == null ? '–' : fullIn(h, s.id, free),
    ];
    texts.forEach((t, i) => t !== null && setText(row.cells[i], t));
    row.bar.style.width = `${(share ?? 0) * 100}%`;
    setClass(row.tr, 'warned', (share ?? 0) > 0.9);
  }
}

function fullIn(h: History, id: number, free: number): string {
  const s = h.series.get(id);
  const times = s ? (h.times.get(s.axis) ?? []) : [];
  const end = s ? s.avg.findLastIndex((v) => v != null) : -1;
  const begin = s ? s.avg.findIndex((v) => v != null) : -1;
  if (!s || end <= begin || times[end] - times[begin] < PACE) return '–';
  const growth = ((s.avg[end] as number) - (s.avg[begin] as number)) / (times[end] - times[begin]);
  const left = growth > 0 ? free / growth : Infinity;
  return left < 30 * 86_400_000 ? duration(left) : 'not soon';
}
