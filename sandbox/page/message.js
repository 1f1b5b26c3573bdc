import { h } from "./dom.js";
import { richText } from "./entities.js";
import {
  avatar,
  emojiOf,
  isoOf,
  kindOf,
  personName,
  senderOf,
  serviceText,
  snippet,
  textOf,
  timeOf,
} from "./format.js";
import { icon } from "./icons.js";
import { inlineKeyboard } from "./keyboard.js";
import { media, mediaKey, videoLength } from "./media.js";
import { t } from "./texts.js";

// Media that carry their own picture: the bubble hugs them and the time lies on top.
const PICTURES = ["photo", "video", "animation"];
const BARE = ["sticker", "video_note", "dice"];

/**
 * A message, or an album as one. `part` is {messages, own, named, ends, group}; `actions` are what a person can do
 * with it. `before` is the node it takes the place of, whose media go on playing.
 */
export function messageNode(part, actions, before) {
  const [first] = part.messages;
  const speaker = senderOf(first);
  const told = part.messages.find((message) => textOf(message)) ?? first;
  const kind = kindOf(first);
  const bare = kind && !textOf(told) && BARE.includes(kind);
  const pictured = PICTURES.includes(kind);
  const bubble = h(
    "div",
    {
      class: ["bubble", bare && "bare", pictured && "pictured", pictured && !textOf(told) && "untold"]
        .filter(Boolean)
        .join(" "),
    },
    part.named && h("div", { class: `name ${senderTint(speaker)}` }, personName(speaker)),
    quote(first, actions),
    part.messages.length > 1 ? album(part.messages, before) : kind && keptMedia(first, before),
    words(told, kind, actions),
    meta(
      part.messages.at(-1),
      part.messages.some((message) => message.edit_date),
    ),
    reactions(part, actions),
  );
  const node = h(
    "article",
    {
      class: ["row", part.own ? "own" : "other", part.ends && "ends", part.group && "in-group"]
        .filter(Boolean)
        .join(" "),
      tabindex: "-1",
      data: {
        testid: "message",
        messageId: first.message_id,
        album: part.messages.length > 1 ? part.messages.length : "",
      },
    },
    part.group && !part.own && h("span", { class: "beside" }, part.ends && avatar(speaker)),
    h("div", { class: "stack" }, bubble, inlineKeyboard(told.reply_markup ? told : first, actions)),
    actionsButton(part, actions),
  );
  if (part.messages.length === 1) delete node.dataset.album;
  node.addEventListener("contextmenu", (event) => {
    if (event.target.closest("a, video, input")) return;
    event.preventDefault();
    // A finger held down brings its own menu when it is lifted.
    if (event.pointerType !== "touch") actions.menu(part, { x: event.clientX, y: event.clientY });
  });
  node.bubble = bubble;
  return node;
}

const senderTint = (speaker) => `ink-${Math.abs(Number(speaker?.id ?? 0)) % 7}`;

function keptMedia(message, before) {
  const key = mediaKey(message);
  const kept = before?.querySelector(".media");
  const node = kept && kept.mediaKey === key ? kept : media(message);
  node.mediaKey = key;
  return node;
}

function album(messages, before) {
  // Two parts may hold the same file; each node is taken over once.
  const left = [...(before?.querySelectorAll(".media") ?? [])];
  const cells = messages.map((message) => {
    const key = mediaKey(message);
    const at = left.findIndex((node) => node.mediaKey === key);
    const node = at < 0 ? media(message) : left.splice(at, 1)[0];
    node.mediaKey = key;
    const length = videoLength(message);
    return h(
      "div",
      { class: "cell", data: { part: message.message_id } },
      node,
      length && h("span", { class: "length" }, length),
    );
  });
  const listed = !PICTURES.includes(kindOf(messages[0]));
  return h(
    "div",
    { class: listed ? "album listed" : `album grid-${Math.min(messages.length, 10)}`, "data-testid": "album" },
    cells,
  );
}

function words(message, kind, actions) {
  const text = textOf(message);
  if (!text) return kind ? null : h("div", { class: "text quiet" }, t("unsupported"));
  const jumbo =
    message.text &&
    !message.entities?.length &&
    /^(?:\p{Extended_Pictographic}[\u{1F3FB}-\u{1F3FF}\uFE0F\u200D]*){1,3}$/u.test(text);
  return h(
    "div",
    { class: jumbo ? "text jumbo" : "text", dir: "auto" },
    richText(text, message.entities ?? message.caption_entities, actions),
  );
}

function meta(message, edited) {
  return h(
    "span",
    { class: "meta" },
    message.pinned && icon("pin"),
    edited && h("span", { class: "edited" }, t("edited")),
    h(
      "time",
      { datetime: isoOf(message.date), title: new Date(message.date * 1000).toLocaleString() },
      timeOf(message.date),
    ),
  );
}

/** In a topic each plain message points at the topic's root; that is no answer to anything. */
function answered(message) {
  const original = message.reply_to_message;
  return original && !original.forum_topic_created ? original : null;
}

function quote(message, actions) {
  const original = answered(message);
  if (!original && !message.external_reply && !message.quote) return null;
  const speaker = original ? senderOf(original) : null;
  return h(
    "button",
    {
      type: "button",
      class: `quote ${senderTint(speaker)}`,
      on: { click: () => original && actions.jump(original.message_id) },
    },
    h("b", {}, speaker ? personName(speaker) : t("reply")),
    h("span", {}, message.quote?.text ?? (original ? snippet(original) : "…")),
  );
}

function reactions(part, actions) {
  const all = new Map();
  for (const message of part.messages) {
    for (const { emoji, by } of message.reactions ?? []) all.set(emoji, [...(all.get(emoji) ?? []), by]);
  }
  if (!all.size) return null;
  return h(
    "div",
    { class: "reactions" },
    [...all].map(([emoji, people]) => {
      const mine = people.includes(part.me);
      const who = people.map((id) => personName(actions.person(id) ?? { id })).join(", ");
      return h(
        "button",
        {
          type: "button",
          class: mine ? "chip mine" : "chip",
          "aria-pressed": String(mine),
          "aria-label": t("reacted", emoji, who),
          title: who,
          on: { click: () => actions.react(part, mine ? null : emoji) },
        },
        h("span", {}, emojiOf(emoji)),
        people.length > 1
          ? h("span", { class: "chip-count" }, String(people.length))
          : avatar(actions.person(people[0]) ?? { id: people[0] }, "tiny"),
      );
    }),
  );
}

function actionsButton(part, actions) {
  const open = () => actions.menu(part, button);
  const button = h(
    "button",
    {
      type: "button",
      class: "round row-actions",
      "aria-label": t("actions"),
      "aria-haspopup": "menu",
      on: { click: open },
    },
    icon("more"),
  );
  return button;
}

export function serviceNode(message) {
  return h(
    "div",
    { class: "service", data: { testid: "service", messageId: message.message_id } },
    h("span", {}, serviceText(message)),
  );
}
