import { h } from "./dom.js";
import { t } from "./texts.js";

// Offsets and lengths count UTF-16 units, which is how JavaScript indexes strings,
// so slices of the text are exact without any conversion.

const TAGS = {
  bold: "b",
  italic: "i",
  underline: "u",
  strikethrough: "s",
  code: "code",
  mention: "span",
  hashtag: "span",
  cashtag: "span",
};
const SAFE_SCHEMES = ["http:", "https:", "mailto:", "tel:", "tg:"];

export function richText(text, entities = [], actions = {}) {
  const queue = entities
    .filter((entity) => entity.length > 0 && entity.offset >= 0 && entity.offset < text.length)
    .map((entity) => ({ entity, from: entity.offset, to: Math.min(entity.offset + entity.length, text.length) }));
  return fragment(text, 0, text.length, queue, actions);
}

function fragment(text, start, end, queue, actions) {
  const into = document.createDocumentFragment();
  queue.sort((a, b) => a.from - b.from || b.to - a.to);
  let at = start;
  while (queue.length) {
    const { entity, from, to } = queue.shift();
    if (from >= end || to <= at) continue;
    addText(into, text.slice(at, from));
    const inner = queue.filter((other) => other.from < to);
    // Of two that overlap, the part of the later one beyond the earlier stays formatted.
    const beyond = inner.filter((other) => other.to > to).map((other) => ({ ...other, from: to }));
    queue = [...beyond, ...queue.filter((other) => other.from >= to)];
    const clipped = inner.map((other) => ({ ...other, to: Math.min(other.to, to) }));
    into.append(wrap(entity, text.slice(from, to), fragment(text, from, to, clipped, actions), actions));
    at = to;
  }
  addText(into, text.slice(at, end));
  return into;
}

function addText(into, text) {
  // A quote is a block and breaks the line itself; the newline after it would show as an empty line.
  const afterBlock = into.lastChild?.matches?.("blockquote, pre");
  const shown = afterBlock ? text.replace(/^\n/, "") : text;
  if (shown) into.append(shown);
}

function wrap(entity, text, content, actions) {
  switch (entity.type) {
    case "pre":
      return h("pre", { "data-language": entity.language }, h("code", {}, content));
    case "blockquote":
      return h("blockquote", {}, content);
    case "expandable_blockquote":
      return foldedQuote(content);
    case "spoiler":
      return spoiler(content);
    case "text_link":
      return link(entity.url, content);
    case "url":
      return link(/^[a-z][a-z\d+.-]*:/i.test(text) ? text : `https://${text}`, content);
    case "email":
      return link(`mailto:${text}`, content);
    case "phone_number":
      return link(`tel:${text}`, content);
    case "text_mention":
      return h("span", { class: "mention", title: entity.user?.first_name }, content);
    case "bot_command":
      return h("button", { type: "button", class: "command", on: { click: () => actions.command?.(text) } }, content);
    case "date_time":
      return moment(entity, content);
    default:
      return h(TAGS[entity.type] ?? "span", { class: TAGS[entity.type] === "span" ? "mention" : null }, content);
  }
}

function link(address, content) {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (!url || !SAFE_SCHEMES.includes(url.protocol)) return h("span", {}, content);
  return h("a", { href: url.href, target: "_blank", rel: "noopener noreferrer", title: url.href }, content);
}

function spoiler(content) {
  const reveal = (event) => {
    if (node.classList.contains("shown") || (event.type === "keydown" && !["Enter", " "].includes(event.key))) return;
    event.preventDefault();
    node.classList.add("shown");
    for (const name of ["role", "tabindex", "aria-label"]) node.removeAttribute(name);
  };
  const node = h(
    "span",
    {
      class: "spoiler",
      role: "button",
      tabindex: "0",
      "aria-label": t("hidden"),
      on: { click: reveal, keydown: reveal },
    },
    h("span", {}, content),
  );
  return node;
}

function foldedQuote(content) {
  const node = h("blockquote", { class: "folded" }, content);
  const unfold = h("button", {
    type: "button",
    class: "unfold",
    "aria-label": "…",
    "aria-expanded": "false",
    on: { click: () => unfold.setAttribute("aria-expanded", String(!node.classList.toggle("folded"))) },
  });
  node.append(unfold);
  return node;
}

function moment(entity, content) {
  const date = new Date(entity.unix_time * 1000);
  if (Number.isNaN(date.valueOf())) return h("span", {}, content);
  return h("time", { datetime: date.toISOString(), title: date.toLocaleString() }, content);
}
