// What there is to show: metrics and series of the store, found by name and attributes.

import type { Meta, Metric, Rule, Series } from './api.ts';

export interface Found {
  id: number;
  attributes: Record<string, string>;
  ended: boolean;
}

const order = new Intl.Collator('en', { numeric: true });

function keyOf(attributes: Record<string, string>): string {
  return Object.keys(attributes)
    .sort()
    .map((k) => `${k}\0${attributes[k]}`)
    .join('\0');
}

export class Catalog {
  readonly #metrics = new Map<string, Metric>();
  readonly #ids = new Map<string, Map<string, number>>();
  readonly #found = new Map<string, Found[]>();

  constructor(readonly meta: Meta) {
    for (const m of meta.metrics) this.#metrics.set(m.name, m);
  }

  get names(): string[] {
    return [...this.#metrics.keys()].sort();
  }

  get rules(): Rule[] {
    return this.meta.rules ?? [];
  }

  has(name: string): boolean {
    return this.#metrics.has(name);
  }

  metric(name: string): Metric | undefined {
    return this.#metrics.get(name);
  }

  unit(name: string): string {
    return this.#metrics.get(name)?.value_unit ?? '';
  }

  /** Series of a metric that have the attributes. */
  series(name: string, where: Record<string, string> = {}): Found[] {
    const all = this.#found.get(name) ?? this.#index(name);
    const keys = Object.entries(where);
    return keys.length ? all.filter((s) => keys.every(([k, v]) => s.attributes[k] === v)) : all;
  }

  /** The series of a metric that has just these attributes; -1 if there is none. */
  sibling(name: string, attributes: Record<string, string>): number {
    let ids = this.#ids.get(name);
    if (!ids) this.#ids.set(name, (ids = new Map(this.series(name).map((s) => [keyOf(s.attributes), s.id]))));
    return ids.get(keyOf(attributes)) ?? -1;
  }

  first(name: string, where: Record<string, string> = {}): number {
    return this.series(name, where)[0]?.id ?? -1;
  }

  /** Series of a metric by the value of an attribute, numbers in their order. */
  groups(name: string, key: string, where: Record<string, string> = {}): [string, Found[]][] {
    const by = new Map<string, Found[]>();
    for (const s of this.series(name, where)) {
      const v = s.attributes[key];
      if (v === undefined) continue;
      const list = by.get(v);
      if (list) list.push(s);
      else by.set(v, [s]);
    }
    return [...by].sort((a, b) => order.compare(a[0], b[0]));
  }

  /** Values of an attribute among the series of a metric, numbers in their order. */
  values(name: string, key: string): string[] {
    return this.groups(name, key).map(([v]) => v);
  }

  /** Metric and attributes of a series, as one text. */
  describe(id: number): { metric: string; attributes: string; unit: string } {
    for (const m of this.#metrics.values()) {
      const s = m.series.find((x) => x.id === id);
      if (s) return { metric: m.name, attributes: Object.values(attributesOf(m, s)).join(' '), unit: m.value_unit };
    }
    return { metric: `series ${id}`, attributes: '', unit: '' };
  }

  #index(name: string): Found[] {
    const m = this.#metrics.get(name);
    const list = m ? m.series.map((s) => ({ id: s.id, attributes: attributesOf(m, s), ended: s.ended !== undefined })) : [];
    this.#found.set(name, list);
    return list;
  }
}

function attributesOf(m: Metric, s: Series): Record<string, string> {
  const out: Record<string, string> = {};
  m.attributes.forEach((k, i) => {
    const v = s.values[i];
    if (v != null) out[k] = v;
  });
  return out;
}
