import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./texts.js";

function show(dialog) {
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.showModal();
  return dialog;
}

const button = (text, kind, value) => h("button", { type: "submit", class: `button ${kind}`, value }, text);

export function alertDialog(text) {
  show(
    h(
      "dialog",
      { class: "modal", "data-testid": "alert" },
      h("form", { method: "dialog" }, h("p", {}, text), h("footer", {}, button(t("ok"), "primary", "ok"))),
    ),
  );
}

/** Resolves to whether the person agreed. */
export function confirmDialog(title, { more, agree, danger = false }) {
  const form = h(
    "form",
    { method: "dialog" },
    h("p", {}, h("b", {}, title)),
    more && h("p", { class: "quiet" }, more),
    h("footer", {}, button(t("cancel"), "plain", ""), button(agree, danger ? "danger" : "primary", "yes")),
  );
  const dialog = show(h("dialog", { class: "modal" }, form));
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes")));
}

export function lightbox(url, alt) {
  const close = h("button", { class: "round", "aria-label": t("close"), value: "" }, icon("close"));
  show(
    h(
      "dialog",
      { class: "lightbox", "aria-label": alt },
      h("form", { method: "dialog" }, close),
      h("img", { src: url, alt }),
    ),
  );
}

/** A dialog with content of its own; the content closes it through the returned node. */
export function sheet(title, ...content) {
  const close = h("button", { class: "round", "aria-label": t("close"), value: "" }, icon("close"));
  return show(
    h(
      "dialog",
      { class: "modal sheet", "aria-label": title },
      h("form", { method: "dialog", class: "sheet-head" }, h("b", {}, title), close),
      ...content,
    ),
  );
}
