// A page that was saved: its answers stand in the file itself.

import { type Alerts, ApiError, type Changes, type Health, type Meta, type ProcessTable, type Range, type Table } from './api.ts';

export interface Snapshot {
  from: number;
  to: number;
  meta: Meta;
  range: Range;
  alerts: Alerts;
  changes: Record<string, Changes>;
  health: Health;
  tables: ProcessTable[];
  groups: Table[];
}

const data = document.getElementById('snapshot')?.textContent;

/** Null on a page that a server shows. */
export const snapshot = data ? (JSON.parse(data) as Snapshot) : null;

/** Answers from the file as the server's route did when the file was made. */
export function answer(s: Snapshot, path: string, parameters: Record<string, string | number>): unknown {
  if (path === 'api/meta') return s.meta;
  if (path === 'api/range') return s.range;
  if (path === 'api/alerts') return s.alerts;
  if (path === 'health') return s.health;
  if (path === 'api/processes') return table(s.tables, s, parameters.at);
  if (path === 'api/groups') return table(s.groups, s, parameters.at);
  const found = s.changes[String(parameters.episode)];
  if (!found) throw new ApiError(404, 'not in this file');
  return found;
}

/** The newest table at or before a time, and which are beside it. */
function table(all: Table[], s: Snapshot, when: string | number = s.to): Partial<ProcessTable> {
  const at = Number(when);
  const tables = all.filter((t) => t.t !== null).sort((a, b) => (a.t ?? 0) - (b.t ?? 0));
  const i = tables.findLastIndex((t) => (t.t ?? 0) <= at);
  if (i < 0) return { at, t: null, previous: null, next: tables[0]?.t ?? null, columns: [], rows: [], groups: [], unattributed: null, total: null, omitted: 0 };
  return { ...tables[i], at, previous: tables[i - 1]?.t ?? null, next: tables[i + 1]?.t ?? null };
}
