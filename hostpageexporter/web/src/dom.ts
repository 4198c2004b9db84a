// Elements are made here, and text goes in by textContent alone: names of processes and mounts are text of others.

type Child = Node | string | null | undefined | false;

interface Options {
  class?: string;
  text?: string;
  attrs?: Record<string, string>;
  on?: Record<string, (event: Event) => void>;
}

export function el<K extends keyof HTMLElementTagNameMap>(tag: K, options: Options = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  if (options.class) node.className = options.class;
  if (options.text !== undefined) node.textContent = options.text;
  for (const [k, v] of Object.entries(options.attrs ?? {})) node.setAttribute(k, v);
  for (const [k, f] of Object.entries(options.on ?? {})) node.addEventListener(k, f);
  for (const c of children) if (c) node.append(c);
  return node;
}

/** Sets the text only where it is another one, so that nothing is laid out anew for no reason. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

export function setClass(node: Element, name: string, on: boolean): void {
  if (node.classList.contains(name) !== on) node.classList.toggle(name, on);
}

export function byId(id: string): HTMLElement {
  const node = document.getElementById(id);
  if (!node) throw new Error(`no element ${id}`);
  return node;
}

export function button(text: string, title: string, click: () => void, pressed?: boolean): HTMLButtonElement {
  const b = el('button', { text, attrs: { type: 'button', title }, on: { click } });
  if (pressed !== undefined) b.setAttribute('aria-pressed', String(pressed));
  return b;
}

/** Swatch of a series: its colour and its dashes. */
export function swatch(color: string, dash: number[] | undefined, filled: boolean): SVGSVGElement {
  const ns = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(ns, 'svg');
  svg.setAttribute('viewBox', '0 0 16 8');
  svg.setAttribute('class', 'swatch');
  svg.setAttribute('aria-hidden', 'true');
  if (filled) {
    const r = document.createElementNS(ns, 'rect');
    r.setAttribute('width', '16');
    r.setAttribute('height', '8');
    r.setAttribute('fill', color);
    r.setAttribute('fill-opacity', '0.55');
    svg.append(r);
  }
  const l = document.createElementNS(ns, 'line');
  for (const [k, v] of Object.entries({ x1: '0', x2: '16', y1: filled ? '1' : '4', y2: filled ? '1' : '4', stroke: color, 'stroke-width': '2' })) l.setAttribute(k, v);
  if (dash?.length) l.setAttribute('stroke-dasharray', dash.join(' '));
  svg.append(l);
  return svg;
}
