// What the keyboard does. Every key is listed in the help, and has a button or a mouse way beside it.

import { byId, el } from './dom.ts';
import { clock } from './format.ts';
import type { History } from './history.ts';
import { SPANS, view } from './state.ts';

interface Actions {
  nextAlert: () => void;
  closeDetail: () => boolean;
  filter: HTMLInputElement;
  freeze: () => void;
  tree: () => void;
  history: History;
}

const KEYS: [string, string][] = [
  ['← →', 'cursor, a point earlier or later (Shift: ten)'],
  ['[ ]', 'pan half a window'],
  ['+ −', 'zoom at the cursor'],
  [`1 … ${SPANS.length}`, `last ${SPANS.map(([n]) => n).join(', ')}`],
  ['space', 'pause, go on'],
  ['l', 'live: follow the clock'],
  ['z', 'window before this one (double click)'],
  ['a', 'next alert, and what changed'],
  ['/', 'filter processes'],
  ['f', 'freeze the order of processes'],
  ['t', 'processes as a tree'],
  ['u', 'times in UTC or local'],
  ['Esc', 'let go of the cursor, close'],
  ['?', 'this help'],
  ['drag', 'zoom to it; with Shift: pan'],
  ['wheel', 'with Ctrl or Alt: zoom; with Shift: pan'],
  ['click', 'pin the cursor, let it go'],
];

export function listen(actions: Actions): void {
  document.addEventListener('keydown', (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const target = e.target instanceof HTMLElement ? e.target : document.body;
    if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) {
      if (e.key === 'Escape') target.blur();
      return;
    }
    const scrolls = target.matches('.scroll, .values') && e.key.startsWith('Arrow');
    if ((e.key === ' ' && target instanceof HTMLButtonElement) || scrolls) return;
    if (act(e, actions)) e.preventDefault();
  });
}

function act(e: KeyboardEvent, actions: Actions): boolean {
  const span = SPANS[Number(e.key) - 1];
  if (span) view.follow(span[1]);
  else if (e.key === 'ArrowLeft') step(actions.history, e.shiftKey ? -10 : -1);
  else if (e.key === 'ArrowRight') step(actions.history, e.shiftKey ? 10 : 1);
  else if (e.key === '[') view.pan(-view.span / 2);
  else if (e.key === ']') view.pan(view.span / 2);
  else if (e.key === '+' || e.key === '=') view.zoom(0.5, view.cursor ?? undefined);
  else if (e.key === '-') view.zoom(2, view.cursor ?? undefined);
  else if (e.key === ' ') view.pause();
  else if (e.key === 'l') view.follow();
  else if (e.key === 'z') view.back();
  else if (e.key === 'a') actions.nextAlert();
  else if (e.key === '/') actions.filter.focus();
  else if (e.key === 'f') actions.freeze();
  else if (e.key === 't') actions.tree();
  else if (e.key === 'u') toggleUTC();
  else if (e.key === 'Escape') escape(actions);
  else if (e.key === '?') toggleHelp();
  else return false;
  return true;
}

export function toggleUTC(): void {
  clock.utc = !clock.utc;
  view.save();
  view.reload();
}

function escape(actions: Actions): void {
  const help = byId('help');
  if (!help.hidden) help.hidden = true;
  else if (!actions.closeDetail()) view.setCursor(null, false);
}

/** Moves the cursor by points of the data; it starts at the newest. */
function step(history: History, by: number): void {
  const axis = [...history.times.keys()].sort((a, b) => (history.times.get(b)?.length ?? 0) - (history.times.get(a)?.length ?? 0))[0];
  const times = axis === undefined ? undefined : history.times.get(axis);
  if (!times?.length) return;
  const here = view.cursor === null ? times.length : history.index(axis, view.cursor);
  const t = times[Math.min(Math.max(here + by, 0), times.length - 1)];
  if (view.live && view.cursor === null) view.pause();
  if (t < view.start || t > view.end) view.pan(Math.sign(by) * (view.span / 4));
  view.setCursor(t, true);
}

export function toggleHelp(): void {
  const help = byId('help');
  if (!help.childElementCount) {
    const list = el('dl', {}, ...KEYS.flatMap(([key, what]) => [el('dt', {}, el('kbd', { text: key })), el('dd', { text: what })]));
    help.append(el('h2', { text: 'Keys' }), list);
  }
  help.hidden = !help.hidden;
  if (!help.hidden) help.focus();
}
