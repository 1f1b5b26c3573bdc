import { h } from "./dom.js";

const SHOWN_MS = 4500;
const place = h("div", { class: "toasts", role: "status", "aria-live": "polite" });

export function toast(text, kind = "") {
  if (!place.isConnected) document.body.append(place);
  const node = h("div", { class: `toast ${kind}`, "data-testid": "toast" }, text);
  place.append(node);
  setTimeout(() => node.remove(), SHOWN_MS);
}

export const toastError = (error) => toast(error.message, "wrong");
