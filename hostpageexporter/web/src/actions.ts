// What people do about alerts: silence and acknowledge them. A script of its own, which the page loads where the server takes actions.

import { type Alert, ApiError } from './api.ts';
import { button, el } from './dom.ts';
import { moment } from './format.ts';

interface Silence {
  id: string;
  rule?: string;
  alert?: string;
  attributes?: Record<string, string>;
  by: string;
  comment: string;
  to: number;
}

const LENGTHS = ['30m', '1h', '2h', '8h', '24h', '72h', '168h'];

async function ask(method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(path, { method, headers: { 'Content-Type': 'application/json' }, body: body && JSON.stringify(body), cache: 'no-store', credentials: 'same-origin' });
  const answer = (await response.json().catch(() => ({}))) as { error?: string };
  if (!response.ok) throw new ApiError(response.status, answer.error ?? `HTTP ${response.status}`);
  return answer;
}

function field(name: string, input: HTMLElement): HTMLElement {
  return el('label', {}, `${name} `, input);
}

function choice(options: [string, string][]): HTMLSelectElement {
  return el('select', {}, ...options.map(([value, text]) => el('option', { text, attrs: { value } })));
}

/** The attributes that a silence may name, of the alert's group and of its host. */
function named(a: Alert): [string, string][] {
  const of = { ...a.attributes, ...(a.resource?.['host.name'] === undefined ? {} : { 'host.name': a.resource['host.name'] }) };
  return Object.entries(of).map(([k, v]) => [k, String(v)]);
}

/** The controls for an alert that fires. */
function forAlert(a: Alert, changed: () => void): HTMLElement {
  const attributes = named(a);
  const what = choice([['alert', 'this alert'], ['rule', `all of ${a.rule}`], ...attributes.map(([k, v], i): [string, string] => [String(i), `all of ${k} ${v}`])]);
  const length = choice(LENGTHS.map((l) => [l, l.replace(/^(\d+)h$/, (_, n: string) => (Number(n) > 24 ? `${Number(n) / 24} days` : `${n} h`)).replace(/m$/, ' min')]));
  length.value = '2h';
  const by = el('input', { attrs: { autocomplete: 'username', maxlength: '64', size: '12' } });
  const comment = el('input', { attrs: { maxlength: '200', size: '32' } });
  const said = el('span', { class: 'note', attrs: { role: 'status' } });
  by.value = localStorage.getItem('by') ?? '';
  const act = (done: string, request: () => Promise<unknown>) => async (): Promise<void> => {
    localStorage.setItem('by', by.value);
    try {
      await request();
      said.textContent = done;
      changed();
    } catch (e) {
      said.textContent = String(e instanceof Error ? e.message : e);
    }
  };
  const scope = (): object => {
    if (what.value === 'alert') return { alert: a.id };
    if (what.value === 'rule') return { rule: a.rule };
    const [k, v] = attributes[Number(what.value)];
    return { attributes: { [k]: v } };
  };
  return el(
    'div',
    { class: 'actions', attrs: { role: 'group', 'aria-label': 'what to do about it' } },
    field('I am', by),
    field('because', comment),
    button('acknowledge', 'say that you look after it: it is not repeated any more', act('acknowledged', () => ask('POST', `api/alerts/${a.id}/acknowledge`, { by: by.value, comment: comment.value }))),
    field('silence', what),
    field('for', length),
    button('silence', 'nobody is told of it for that long', act('silenced', () => ask('POST', 'api/silences', { ...scope(), for: length.value, by: by.value, comment: comment.value }))),
    said,
  );
}

function subject(s: Silence): string {
  return [s.rule, s.alert && `alert ${s.alert}`, ...Object.entries(s.attributes ?? {}).map(([k, v]) => `${k} ${v}`)].filter(Boolean).join(', ');
}

/** The silences in force, each with a button that ends it. */
async function silences(changed: () => void): Promise<HTMLElement> {
  const answer = (await ask('GET', 'api/silences')) as { silences: Silence[] };
  const rows = answer.silences.map((s) =>
    el(
      'tr',
      {},
      el('td', { text: subject(s) }),
      el('td', { text: s.by }),
      el('td', { text: s.comment }),
      el('td', { class: 'number', text: `until ${moment(s.to, Date.now())}` }),
      el('td', {}, button('end', `end the silence of ${subject(s)}`, () => void ask('DELETE', `api/silences/${s.id}?by=${encodeURIComponent(localStorage.getItem('by') ?? '')}`).then(changed, changed))),
    ),
  );
  if (!rows.length) return el('div', { attrs: { hidden: '' } });
  return el('div', { class: 'scroll', attrs: { tabindex: '0', role: 'region', 'aria-label': 'silences' } }, el('table', {}, el('caption', { text: 'Silences in force' }), el('tbody', {}, ...rows)));
}

export interface Actions {
  forAlert: typeof forAlert;
  silences: typeof silences;
}

declare global {
  interface Window {
    hostPageActions?: Actions;
  }
}

window.hostPageActions = { forAlert, silences };
