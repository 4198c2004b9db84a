// Rows of the process table: read from an answer, filtered, summed by group, sorted, and as a tree.

import type { Cell, ProcessTable } from './api.ts';

export interface Process {
  key: string;
  pid: number | null;
  parent: number | null;
  created: number | null;
  name: string;
  user: string | null;
  cpu: number | null;
  children: number | null;
  memory: number | null;
  read: number | null;
  write: number | null;
  /** Read and write together. */
  io: number | null;
  threads: number | null;
  unit: string | null;
  container: string | null;
  /** Path of its control group. */
  cgroup: string | null;
  command: string | null;
  /** Lines of the tree before the name. */
  guide: string;
}

export const GROUPINGS = ['flat', 'tree', 'user', 'unit', 'name'];

export interface Arrangement {
  group: string;
  sort: keyof Process;
  up: boolean;
  filter: string;
}

export function readRows(t: ProcessTable): Process[] {
  const place = new Map(t.columns.map((c, i) => [c, i]));
  const cell = (row: Cell[], name: string): Cell => {
    const i = place.get(name);
    return i === undefined ? null : (row[i] ?? null);
  };
  const number = (row: Cell[], name: string): number | null => {
    const v = cell(row, name);
    return typeof v === 'number' ? v : null;
  };
  const text = (row: Cell[], name: string): string | null => {
    const v = cell(row, name);
    return v === null ? null : String(v);
  };
  return t.rows.map((row) => {
    const read = number(row, 'read');
    const write = number(row, 'write');
    return {
      key: `${cell(row, 'pid')} ${cell(row, 'created')}`,
      pid: number(row, 'pid'),
      parent: number(row, 'parent'),
      created: number(row, 'created'),
      name: text(row, 'name') ?? '',
      user: text(row, 'user'),
      cpu: number(row, 'cpu'),
      children: number(row, 'children'),
      memory: number(row, 'memory'),
      read,
      write,
      io: read === null && write === null ? null : (read ?? 0) + (write ?? 0),
      threads: number(row, 'threads'),
      unit: text(row, 'container') ?? text(row, 'unit'),
      container: text(row, 'container'),
      cgroup: text(row, 'group'),
      command: text(row, 'command_line'),
      guide: '',
    };
  });
}

export function arrange(all: Process[], a: Arrangement): Process[] {
  const words = a.filter.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = (p: Process): boolean => {
    // Of a control group: by its path, or by the unit or container that stands in it.
    if (a.filter[0] === '=') return p.cgroup === null ? p.unit !== null && a.filter.includes(p.unit) : a.filter === `=${p.cgroup}`;
    const text = `${p.pid} ${p.name} ${p.user ?? ''} ${p.unit ?? ''} ${p.command ?? ''}`.toLowerCase();
    return words.every((w) => text.includes(w));
  };
  const found = words.length ? all.filter(matches) : all;
  if (a.group === 'tree') return tree(found, a);
  if (a.group === 'user' || a.group === 'unit' || a.group === 'name') return grouped(found, a.group).sort(order(a));
  return [...found].sort(order(a));
}

/** Numbers the largest first, text from a; what is not known comes last either way. */
function order(a: Arrangement): (x: Process, y: Process) => number {
  const sign = a.up ? -1 : 1;
  const oldestFirst = a.sort === 'created' || a.sort === 'pid' ? -1 : 1;
  return (x, y) => {
    const [v, w] = [x[a.sort], y[a.sort]];
    if (v === null || w === null) return v === w ? tie(x, y) : v === null ? 1 : -1;
    if (typeof v === 'number' && typeof w === 'number') return sign * oldestFirst * (w - v) || tie(x, y);
    return sign * String(v).localeCompare(String(w)) || tie(x, y);
  };
}

function tie(x: Process, y: Process): number {
  return (y.cpu ?? 0) - (x.cpu ?? 0) || (y.memory ?? 0) - (x.memory ?? 0) || (x.pid ?? 0) - (y.pid ?? 0);
}

function grouped(list: Process[], by: 'user' | 'unit' | 'name'): Process[] {
  const groups = new Map<string, Process[]>();
  for (const p of list) {
    const k = p[by] ?? 'none';
    groups.set(k, [...(groups.get(k) ?? []), p]);
  }
  return [...groups].map(([name, members]) => {
    const sum = (f: (p: Process) => number | null): number | null => members.reduce<number | null>((n, p) => (f(p) === null ? n : (n ?? 0) + (f(p) ?? 0)), null);
    const one = members.length === 1 ? members[0] : null;
    return {
      key: `${by} ${name}`,
      pid: one?.pid ?? null,
      parent: null,
      created: members.reduce<number | null>((n, p) => (p.created !== null && (n === null || p.created < n) ? p.created : n), null),
      name: `${name} (${members.length})`,
      user: by === 'user' ? name : (one?.user ?? null),
      cpu: sum((p) => p.cpu),
      children: sum((p) => p.children),
      memory: sum((p) => p.memory),
      read: sum((p) => p.read),
      write: sum((p) => p.write),
      io: sum((p) => p.io),
      threads: sum((p) => p.threads),
      unit: by === 'unit' ? name : (one?.unit ?? null),
      container: null,
      cgroup: null,
      command: null,
      guide: '',
    };
  });
}

/** Depth first; siblings in the order of the sums of what is below them. */
function tree(list: Process[], a: Arrangement): Process[] {
  const byPid = new Map(list.map((p) => [p.pid, p]));
  const below = new Map<Process | null, Process[]>();
  for (const p of list) {
    const parent = p.parent === p.pid ? null : (byPid.get(p.parent) ?? null);
    below.set(parent, [...(below.get(parent) ?? []), p]);
  }
  const sums = new Map<Process, Process>();
  const sum = (p: Process, seen: Set<Process>): Process => {
    const total = { ...p };
    if (seen.has(p)) return total;
    seen.add(p);
    for (const child of below.get(p) ?? []) {
      const s = sum(child, seen);
      for (const k of ['cpu', 'memory', 'read', 'write', 'io', 'threads'] as const) if (s[k] !== null) total[k] = (total[k] ?? 0) + s[k];
    }
    sums.set(p, total);
    return total;
  };
  const seen = new Set<Process>();
  for (const p of list) sum(p, seen);
  const compare = order(a);
  const out: Process[] = [];
  const walk = (parent: Process | null, guide: string): void => {
    const children = (below.get(parent) ?? []).sort((x, y) => compare(sums.get(x) ?? x, sums.get(y) ?? y));
    children.forEach((p, i) => {
      const last = i === children.length - 1;
      out.push({ ...p, guide: parent ? `${guide}${last ? '└ ' : '├ '}` : '' });
      if (out.length <= list.length) walk(p, parent ? `${guide}${last ? '  ' : '│ '}` : '');
    });
  };
  walk(null, '');
  return out;
}
