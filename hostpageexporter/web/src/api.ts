// The API of the exporter, as API.md says it.

import type { Num } from './format.ts';
import { answer, snapshot } from './snapshot.ts';

export interface Series {
  id: number;
  resource: number;
  axis: number;
  values: (string | null)[];
  ended?: number;
}

export interface Metric {
  name: string;
  unit: string;
  value_unit: string;
  kind: 'gauge' | 'counter' | 'distribution';
  description: string;
  attributes: string[];
  series: Series[];
}

export interface Tier {
  every: number;
  keep: number;
  from: number | null;
  complete: boolean;
}

export interface Rule {
  rule: string;
  metric: string;
  unit: string;
  attributes: Record<string, unknown>;
}

export interface Meta {
  store: string;
  generation: number;
  now: number;
  started: number;
  host: Record<string, unknown>;
  agent: { name: string; version: string };
  tiers: Tier[];
  limits: { width: number; cells: number; series_refused: number };
  features: { processes: boolean; groups?: boolean; alerts: boolean; command_lines: boolean; actions?: boolean };
  axes: { axis: number; interval: number }[];
  metrics: Metric[];
  rules: Rule[];
}

export interface RangeSeries {
  id: number;
  avg?: Num[];
  p95?: Num[];
  min?: Num[];
  max?: Num[];
}

export interface Range {
  store: string;
  from: number;
  to: number;
  tier: number;
  step: number;
  groups: { axis: number; times: number[]; series: RangeSeries[] }[];
}

export type Cell = number | string | null;

/** Rows of a moment. */
export interface Table {
  at: number;
  t: number | null;
  previous: number | null;
  next: number | null;
  columns: string[];
  rows: Cell[][];
  omitted: number;
}

export interface ProcessTable extends Table {
  groups: { name: string; count: number; [column: string]: number | string | null }[];
  unattributed: number | null;
  total: { cpu: number; cpus: number } | null;
}

export interface Transition {
  t: number;
  transition: string;
  state: string;
  severity: string;
  value: number | null;
  threshold: number | null;
}

export interface Alert {
  id: string;
  episode: string;
  rule: string;
  severity: string;
  state: string;
  metric: string;
  unit: string;
  value: number | null;
  threshold: number | null;
  comparison: string;
  started: number;
  ended: number | null;
  message: string;
  attributes: Record<string, unknown>;
  labels: Record<string, unknown>;
  resource?: Record<string, unknown>;
  silenced_by?: string;
  acknowledged_by?: string;
  transitions: Transition[];
}

export interface Alerts {
  firing: string[];
  alerts: Alert[];
  notices: { t: number; kind: string; severity: string; message: string }[];
  dropped: number;
}

export interface Changes {
  at: number;
  series: { id: number; score: number; before: number | null; after: number | null }[];
  processes: {
    pid: number;
    name: string;
    user: string | null;
    cpu_before: number | null;
    cpu_after: number | null;
    memory_before: number | null;
    memory_after: number | null;
  }[];
  table: number | null;
}

export interface Health {
  status: string;
  checks: { name: string; status: string; message: string; since?: number }[];
}

export interface Hello {
  store: string;
  now: number;
  generation: number;
  axes: { axis: number; interval: number; series: number[] }[];
}

export interface Scrape {
  axis: number;
  t: number;
  values: (Num | Num[])[];
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Gets JSON. The body of an error says what is wrong; a health of 503 is an answer as well. */
export async function get<T>(path: string, parameters: Record<string, string | number> = {}, signal?: AbortSignal): Promise<T> {
  if (snapshot) return answer(snapshot, path, parameters) as T;
  const query = new URLSearchParams(Object.entries(parameters).map(([k, v]) => [k, String(v)])).toString();
  const response = await fetch(query ? `${path}?${query}` : path, { signal, cache: 'no-store', credentials: 'same-origin' });
  const body = (await response.json().catch(() => ({}))) as T & { error?: string };
  if (!response.ok && path !== 'health') throw new ApiError(response.status, body.error ?? `HTTP ${response.status}`);
  return body;
}
