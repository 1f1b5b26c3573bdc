// Every node of the page is made here, from strings that become text nodes:
// what people and the desk write can therefore never become markup.

const SVG = "http://www.w3.org/2000/svg";

export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) setProp(node, name, value);
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function setProp(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "on") for (const [type, listener] of Object.entries(value)) node.addEventListener(type, listener);
  else if (name === "data") Object.assign(node.dataset, value);
  else if (name === "value" || name === "checked") node[name] = value;
  else node.setAttribute(name, value === true ? "" : value);
}

export function svg(viewBox, ...shapes) {
  const node = document.createElementNS(SVG, "svg");
  node.setAttribute("viewBox", viewBox);
  node.setAttribute("aria-hidden", "true");
  for (const d of shapes) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    node.append(path);
  }
  return node;
}

export const reducedMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export const isPhone = () => matchMedia("(max-width: 640px)").matches;

/** Wide enough for phone, mailbox and group side by side. */
export const isWide = () => matchMedia("(min-width: 1600px)").matches;

/**
 * Makes the children of `parent` show `items` ({key, version: [...]}), touching only what differs: a node that
 * plays, is scrolled to or has the focus stays the same node. `draw(item, before)` gets the node it replaces.
 */
export function reconcile(parent, items, draw, leave = (node) => node.remove()) {
  const before = parent.shown ?? new Map();
  const shown = new Map();
  let cursor = staying(parent.firstElementChild);
  for (const item of items) {
    const kept = before.get(item.key);
    const same =
      kept && kept.version.length === item.version.length && kept.version.every((part, i) => part === item.version[i]);
    const node = same ? kept.node : draw(item, kept?.node);
    if (kept && !same) {
      if (cursor === kept.node) cursor = node;
      kept.node.replaceWith(node);
    }
    if (node === cursor) cursor = staying(cursor.nextElementSibling);
    else parent.insertBefore(node, cursor);
    shown.set(item.key, { version: item.version, node });
    before.delete(item.key);
  }
  for (const { node } of before.values()) leave(node);
  parent.shown = shown;
}

function staying(node) {
  while (node?.classList.contains("leaving")) node = node.nextElementSibling;
  return node;
}
