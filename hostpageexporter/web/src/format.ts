// Text of numbers and times, for people.

export type Num = number | null | undefined;

const DECIMAL = ['', 'k', 'M', 'G', 'T', 'P'];
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'];

/** Three significant digits, never an exponent: 1234 is 1234, 12.34 is 12.3, 0.0042 is 0.0042. */
export function digits(v: number): string {
  const a = Math.abs(v);
  if (a >= 100 || Number.isInteger(v)) return v.toFixed(0);
  if (a >= 10) return v.toFixed(1).replace(/\.0$/, '');
  if (a >= 0.995) return v.toFixed(2).replace(/\.?0+$/, '');
  return a < 1e-6 ? '0' : String(Number(v.toPrecision(2)));
}

function scaled(v: number, base: number, prefixes: string[]): [string, string] {
  let i = 0;
  while (Math.abs(v) >= base * 0.9995 && i < prefixes.length - 1) {
    v /= base;
    i++;
  }
  return [digits(v), prefixes[i]];
}

export function percent(v: Num): string {
  if (v == null) return '–';
  const p = v * 100;
  if (p !== 0 && Math.abs(p) < 0.05) return '<0.1 %';
  return `${Math.abs(p) < 9.95 ? p.toFixed(1).replace(/\.0$/, '') : p.toFixed(0)} %`;
}

/** Text of a value in a UCUM unit. */
export function value(v: Num, unit: string): string {
  if (v == null) return '–';
  const rate = unit.endsWith('/s') ? '/s' : '';
  const base = rate ? unit.slice(0, -2) : unit;
  if (base === '1' || base === '%') return percent(base === '%' ? v / 100 : v) + rate;
  if (base === 'By') {
    const [n, p] = rate ? scaled(v, 1000, DECIMAL) : scaled(v, 1024, BINARY);
    return `${n} ${p}B${rate}`;
  }
  if (base === 's') return rate ? `${digits(v)} s/s` : duration(v * 1000);
  if (base === 'Hz' || base === 'bit') {
    const [n, p] = scaled(v, 1000, DECIMAL);
    return `${n} ${p}${base}${rate}`;
  }
  const [n, p] = scaled(v, 1000, DECIMAL);
  const name = base.replace(/[{}]/g, '').replace(/_/g, ' ');
  return `${n}${p}${base.startsWith('{') ? '' : ` ${name}`}${rate}`;
}

/** Length of time, in at most two units. */
export function duration(ms: number): string {
  const s = Math.round(ms / 1000);
  if (ms > 0 && ms < 1000) return `${digits(ms)} ms`;
  if (s < 60) return `${s} s`;
  const m = Math.floor(s / 60);
  if (m < 60) return m < 10 && s % 60 ? `${m} min ${s % 60} s` : `${m} min`;
  const h = Math.floor(m / 60);
  if (h < 24) return h < 10 && m % 60 ? `${h} h ${m % 60} min` : `${h} h`;
  const d = Math.floor(h / 24);
  return d < 10 && h % 24 ? `${d} d ${h % 24} h` : `${d} d`;
}

export const clock = { utc: false };

const two = (n: number): string => String(n).padStart(2, '0');

interface Parts {
  year: number;
  month: number;
  day: number;
  h: number;
  m: number;
  s: number;
}

export function parts(ms: number): Parts {
  const t = new Date(ms);
  return clock.utc
    ? { year: t.getUTCFullYear(), month: t.getUTCMonth() + 1, day: t.getUTCDate(), h: t.getUTCHours(), m: t.getUTCMinutes(), s: t.getUTCSeconds() }
    : { year: t.getFullYear(), month: t.getMonth() + 1, day: t.getDate(), h: t.getHours(), m: t.getMinutes(), s: t.getSeconds() };
}

/** Time of day, 24 h, with seconds. */
export function timeOfDay(ms: number): string {
  const p = parts(ms);
  return `${two(p.h)}:${two(p.m)}:${two(p.s)}`;
}

export function day(ms: number): string {
  const p = parts(ms);
  return `${p.year}-${two(p.month)}-${two(p.day)}`;
}

/** Time of day, with the day where that is not today. */
export function moment(ms: number, now: number): string {
  return day(ms) === day(now) ? timeOfDay(ms) : `${day(ms)} ${timeOfDay(ms)}`;
}

/** Labels of a time axis: seconds only where ticks are less than a minute apart, the day at midnight. */
export function axisTimes(splits: number[], step: number): string[] {
  let last = '';
  return splits.map((t) => {
    const p = parts(t);
    const today = day(t);
    const turned = last !== '' && today !== last;
    last = today;
    if (step >= 86_400_000 || (turned && p.h + p.m + p.s === 0)) return `${two(p.month)}-${two(p.day)}`;
    return step < 60_000 ? timeOfDay(t) : `${two(p.h)}:${two(p.m)}`;
  });
}
