// The table of containers, services and other control groups at the cursor. A script of its own, which the page loads where there are groups.

import type { get as Get, Table } from './api.ts';
import { button, el, setClass, setText } from './dom.ts';
import { digits, percent, value } from './format.ts';
import type { moment as Moment, Num } from './format.ts';
import type { View } from './state.ts';

interface Group {
  [column: string]: string | Num;
}

interface Column {
  key: string;
  name: string;
  title: string;
  text: (g: Group) => string;
  /** So much that it should stand out. */
  much?: (g: Group) => boolean;
}

const number = (g: Group, key: string): Num => (typeof g[key] === 'number' ? g[key] : null);
const share = (key: string) => (g: Group) => (g[key] === null ? '' : percent(number(g, key)));
const rate = (key: string) => (g: Group) => (g[key] === null ? '–' : g[key] === 0 ? '0' : value(number(g, key), 'By/s'));

const COLUMNS: Column[] = [
  { key: 'name', name: 'name', title: 'container, service or path', text: (g) => String(g.name) },
  { key: 'kind', name: 'kind', title: 'what it is', text: (g) => String(g.kind) },
  { key: 'cpu', name: 'cpu', title: 'CPU time, 100 % is one CPU', text: (g) => percent(number(g, 'cpu')) },
  { key: 'cpu_share', name: 'of limit', title: 'share of its CPU limit', text: share('cpu_share') },
  { key: 'throttled', name: 'throttled', title: 'share of the time in which it had to wait for its CPU limit', text: share('throttled'), much: (g) => (number(g, 'throttled') ?? 0) > 0.25 },
  { key: 'memory', name: 'memory', title: 'memory without the page cache that is reclaimed first', text: (g) => value(number(g, 'memory'), 'By') },
  { key: 'memory_share', name: 'of limit', title: 'share of its memory limit', text: share('memory_share'), much: (g) => (number(g, 'memory_share') ?? 0) > 0.9 },
  { key: 'read', name: 'read', title: 'read from disk', text: rate('read') },
  { key: 'write', name: 'write', title: 'written to disk', text: rate('write') },
  { key: 'oom_kills', name: 'OOM kills', title: 'processes killed for lack of memory since the group began', text: (g) => (g.oom_kills === null ? '' : digits(number(g, 'oom_kills') ?? 0)), much: (g) => Boolean(g.oom_kills) },
];
const MOST_ROWS = 100;
const EVERY = 2000;

function read(t: Table): Group[] {
  const over = (a: Num, b: Num): Num => (a == null || !b ? null : a / b);
  return t.rows.map((row) => {
    const g: Group = {};
    t.columns.forEach((c, i) => (g[c] = row[i]));
    g.cpu_share = over(number(g, 'cpu'), number(g, 'cpu_limit'));
    g.memory_share = over(number(g, 'memory'), number(g, 'memory_limit'));
    return g;
  });
}

/** Numbers the largest first, text from a; what is not known comes last either way, and what is not shown last of all. */
function order(key: string, up: boolean): (x: Group, y: Group) => number {
  return (x, y) => {
    const [v, w] = [x[key], y[key]];
    const rest = Number(x.kind === 'other') - Number(y.kind === 'other');
    if (rest) return rest;
    if (v === null || w === null) return v === w ? String(x.name).localeCompare(String(y.name)) : v === null ? 1 : -1;
    return (up ? -1 : 1) * (typeof v === 'number' && typeof w === 'number' ? w - v : String(v).localeCompare(String(w))) || String(x.name).localeCompare(String(y.name));
  };
}

/** Shows the table, and returns its element. What it needs of the page is handed in, so that there is one of each. */
function groups(view: View, get: typeof Get, moment: typeof Moment): HTMLElement {
  const title = el('h2', { text: 'Containers and services' });
  const body = el('tbody');
  const note = el('span', { class: 'note' });
  let table: Table | null = null;
  let shows = true;
  let asked: number | null | undefined;
  let request: AbortController | null = null;
  let timer = 0;

  const sorted = (): string => view.option('gsort', 'cpu');
  const heads = COLUMNS.map((c, i) =>
    el('th', { class: i > 1 ? 'number' : '', attrs: { scope: 'col', title: c.title } }, button(c.name, `sort by ${c.title}`, () => {
      if (c.key === sorted()) return view.setOption('gorder', view.option('gorder') === 'up' ? '' : 'up');
      view.options.delete('gorder');
      view.setOption('gsort', c.key, 'cpu');
    })),
  );

  const row = (g: Group): HTMLElement =>
    el('tr', { attrs: { title: [g.path, g.image].filter(Boolean).join('\n') } }, ...COLUMNS.map((c, i) => {
      const text = c.text(g);
      const cell = el('td', { class: i > 1 ? 'number' : 'name' });
      if (i || g.kind === 'other') setText(cell, text);
      else {
        cell.append(button(text, `processes of ${text}`, () => {
          view.setOption('filter', `=${g.path}`);
          document.getElementById('processes')?.scrollIntoView();
        }));
      }
      setClass(cell, 'alarm', c.much?.(g) ?? false);
      setClass(cell, 'nil', text === '0' || text === '0 %' || text === '–');
      return cell;
    }));

  const draw = (): void => {
    if (!table) return;
    setText(title, `Containers and services ${table.t === null ? 'none at this time' : `at ${moment(table.t, view.now)}${view.cursor === null ? '' : ' (cursor)'}`}`);
    COLUMNS.forEach((c, i) => {
      if (c.key === sorted()) heads[i].setAttribute('aria-sort', view.option('gorder') === 'up' ? 'ascending' : 'descending');
      else heads[i].removeAttribute('aria-sort');
    });
    const all = read(table).sort(order(sorted(), view.option('gorder') === 'up'));
    const focused = body.contains(document.activeElement) ? document.activeElement?.textContent : null;
    const rest = all.filter((g) => g.kind === 'other');
    const shown = all.slice(0, MOST_ROWS);
    for (const g of rest) if (!shown.includes(g)) shown.push(g);
    body.replaceChildren(...shown.map(row));
    if (focused) [...body.querySelectorAll('button')].find((b) => b.textContent === focused)?.focus();
    const hidden = all.length - shown.length + table.omitted;
    setText(note, hidden ? `${hidden} more` : '');
  };

  const load = (again = false): void => {
    const at = view.cursor ?? (view.live ? null : view.end);
    if (!shows || (!again && at === asked)) return;
    asked = at;
    clearTimeout(timer);
    timer = window.setTimeout(async () => {
      request?.abort();
      request = new AbortController();
      try {
        table = await get<Table>('api/groups', at === null ? {} : { at: Math.round(at) }, request.signal);
        draw();
      } catch (e) {
        if (!(e instanceof DOMException)) setText(title, `Containers and services: ${String(e)}`);
        asked = undefined;
      }
    }, at === null ? 0 : 60);
  };

  const root = el(
    'section',
    { class: 'card wide', attrs: { 'aria-label': 'Containers and services' } },
    el('div', { class: 'head' }, title, note),
    el('div', { class: 'scroll', attrs: { tabindex: '0', role: 'region', 'aria-label': 'table of containers and services' } }, el('table', { class: 'groups' }, el('thead', {}, el('tr', {}, ...heads)), body)),
  );
  new IntersectionObserver((entries) => {
    shows = entries.some((e) => e.isIntersecting);
    load();
  }).observe(root);
  view.onCursor(() => load());
  view.onWindow(() => load());
  view.onOption(draw);
  if (view.frozen === null) setInterval(() => view.live && view.cursor === null && !document.hidden && load(true), EVERY);
  load();
  return root;
}

declare global {
  interface Window {
    hostPageGroups?: typeof groups;
  }
}

window.hostPageGroups = groups;
