import { h, isPhone } from "./dom.js";
import { icon } from "./icons.js";

const EDGE = 8;

/**
 * Opens a menu at an element or a point. An entry is {label, icon, run, danger?, checked?}, "line" or a ready node.
 * It is a popover: Escape, a press outside and focus are the browser's business.
 */
export function openMenu(at, entries, { label } = {}) {
  const back = document.activeElement;
  const menu = h(
    "div",
    { class: "menu", role: "menu", popover: "auto", "aria-label": label },
    entries.filter(Boolean).map((entry) => line(entry, () => menu.hidePopover())),
  );
  menu.addEventListener("keydown", (event) => walk(event, menu));
  menu.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    if (menu.contains(document.activeElement) || document.activeElement === document.body)
      back?.focus?.({ preventScroll: true });
    menu.remove();
  });
  document.body.append(menu);
  menu.showPopover();
  if (!isPhone()) position(menu, at);
  menu.querySelector("button")?.focus({ preventScroll: true });
  return menu;
}

function line(entry, close) {
  if (entry instanceof Node) return entry;
  if (entry === "line") return h("hr", {});
  const run = () => {
    close();
    entry.run();
  };
  return h(
    "button",
    {
      type: "button",
      class: `menu-line ${entry.danger ? "danger" : ""}`,
      role: entry.checked === undefined ? "menuitem" : "menuitemradio",
      "aria-checked": entry.checked === undefined ? null : String(entry.checked),
      on: { click: run },
    },
    entry.icon ? icon(entry.icon) : h("span", { class: "icon" }, entry.sign ?? ""),
    h("span", {}, entry.label),
  );
}

function position(menu, at) {
  const anchor = at instanceof Element ? at.getBoundingClientRect() : new DOMRect(at.x, at.y, 0, 0);
  const { width, height } = menu.getBoundingClientRect();
  const below = anchor.bottom + 4;
  const top = below + height + EDGE > innerHeight ? Math.max(EDGE, anchor.top - height - 4) : below;
  const left = anchor.left + width + EDGE > innerWidth ? anchor.right - width : anchor.left;
  menu.style.top = `${Math.min(top, innerHeight - height - EDGE)}px`;
  menu.style.left = `${Math.max(EDGE, Math.min(left, innerWidth - width - EDGE))}px`;
}

function walk(event, menu) {
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const buttons = [...menu.querySelectorAll("button")];
  const at = buttons.indexOf(document.activeElement);
  buttons[(at + step + buttons.length) % buttons.length].focus();
}
