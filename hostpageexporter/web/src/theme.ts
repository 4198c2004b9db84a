// Colours after Okabe and Ito, told apart by people with any colour vision; dashes say the same a second time.

export interface Theme {
  dark: boolean;
  text: string;
  muted: string;
  grid: string;
  surface: string;
  alarm: string;
  warn: string;
  lines: string[];
  /** From idle to busy. */
  heat: [number, number, number][];
}

const DARK: Theme = {
  dark: true,
  text: '#d6dde4',
  muted: '#93a0ad',
  grid: '#222b34',
  surface: '#131a21',
  alarm: '#ff7f50',
  warn: '#e69f00',
  lines: ['#56b4e9', '#e69f00', '#009e73', '#cc79a7', '#f0e442', '#d55e00', '#4a90d9', '#aab4bf'],
  heat: [
    [29, 41, 52],
    [0, 84, 140],
    [60, 150, 200],
    [240, 228, 66],
  ],
};

const LIGHT: Theme = {
  dark: false,
  text: '#1b2530',
  muted: '#57636f',
  grid: '#e8ecf0',
  surface: '#ffffff',
  alarm: '#b34700',
  warn: '#8a5a00',
  lines: ['#0072b2', '#d55e00', '#009e73', '#b35a8c', '#c78500', '#3d9ad1', '#333d47', '#8a8400'],
  heat: [
    [224, 232, 238],
    [150, 200, 232],
    [0, 114, 178],
    [40, 20, 60],
  ],
};

const DASHES: (number[] | undefined)[] = [undefined, [6, 3], [2, 2], [8, 3, 2, 3], [10, 4], [4, 4], [1, 3], [12, 3, 3, 3]];

const query = matchMedia('(prefers-color-scheme: dark)');
let forced = '';

export let theme: Theme = query.matches ? DARK : LIGHT;

export function onTheme(f: () => void): void {
  query.addEventListener('change', () => {
    apply();
    f();
  });
}

/** Uses a scheme whatever the browser prefers; an empty name is the browser's again. */
export function forceScheme(name: string): void {
  forced = name;
  apply();
}

function apply(): void {
  const dark = forced ? forced === 'dark' : query.matches;
  theme = dark ? DARK : LIGHT;
  document.documentElement.dataset.scheme = dark ? 'dark' : 'light';
}

apply();

export function lineColor(i: number): string {
  return theme.lines[i % theme.lines.length];
}

/** A dash for each round of the colours, so that no two of 64 lines look the same. */
export function lineDash(i: number): number[] | undefined {
  return DASHES[Math.floor(i / theme.lines.length + (i % theme.lines.length)) % DASHES.length];
}

export function heatColor(share: number): string {
  const h = theme.heat;
  const x = Math.min(Math.max(share, 0), 1) * (h.length - 1);
  const i = Math.min(Math.floor(x), h.length - 2);
  const f = x - i;
  const c = h[i].map((v, k) => Math.round(v + (h[i + 1][k] - v) * f));
  return `rgb(${c.join(',')})`;
}

export function alpha(hex: string, a: number): string {
  const n = Number.parseInt(hex.slice(1), 16);
  return `rgba(${n >> 16},${(n >> 8) & 255},${n & 255},${a})`;
}
