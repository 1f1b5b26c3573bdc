import { h } from "./dom.js";
import { language, t } from "./texts.js";

const KINDS = [
  "photo",
  "animation",
  "video",
  "video_note",
  "voice",
  "audio",
  "sticker",
  "document",
  "venue",
  "location",
  "contact",
  "poll",
  "dice",
];

export const kindOf = (message) => KINDS.find((kind) => message[kind]);

export const textOf = (message) => message.text ?? message.caption ?? "";

export const personName = (person) =>
  person
    ? [person.first_name ?? person.title, person.last_name].filter(Boolean).join(" ") || String(person.id)
    : t("anonymous");

export const senderOf = (message) => message.sender_chat ?? message.from;

const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "long" });
const dayAndYear = new Intl.DateTimeFormat(language, { day: "numeric", month: "long", year: "numeric" });
const shortDay = new Intl.DateTimeFormat(language, { day: "2-digit", month: "2-digit" });

const at = (seconds) => new Date(seconds * 1000);
export const dayKey = (seconds) => at(seconds).toDateString();
export const timeOf = (seconds) => clock.format(at(seconds));
export const isoOf = (seconds) => at(seconds).toISOString();

export function dayOf(seconds, now = new Date()) {
  const yesterday = new Date(now);
  yesterday.setDate(now.getDate() - 1);
  if (dayKey(seconds) === now.toDateString()) return t("today");
  if (dayKey(seconds) === yesterday.toDateString()) return t("yesterday");
  return (at(seconds).getFullYear() === now.getFullYear() ? day : dayAndYear).format(at(seconds));
}

export const whenOf = (seconds) =>
  dayKey(seconds) === new Date().toDateString() ? timeOf(seconds) : shortDay.format(at(seconds));

export function durationOf(seconds) {
  const whole = Math.max(0, Math.round(seconds || 0));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

export function sizeOf(bytes = 0) {
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KB", "MB", "GB"];
  const power = Math.min(Math.floor(Math.log(bytes) / Math.log(1024)), units.length);
  return `${(bytes / 1024 ** power).toFixed(bytes / 1024 ** power < 10 ? 1 : 0)} ${units[power - 1]}`;
}

export function initials(name) {
  const words = name.split(/\s+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const letters = words.slice(0, 2).map((word) => [...word.replace(/^[^\p{L}\p{N}]+/u, "")][0]);
  return letters.join("").toUpperCase() || "?";
}

export const tint = (id) => `tint-${Math.abs(Number(id)) % 7}`;

export function avatar(person, extra = "") {
  return h(
    "span",
    { class: `avatar ${tint(person?.id ?? 0)} ${extra}`, "aria-hidden": "true" },
    initials(personName(person)),
  );
}

/** Some emoji are drawn as plain text signs unless told otherwise. */
export const emojiOf = (emoji) => ([...emoji].length === 1 ? `${emoji}\uFE0F` : emoji);

/** One line that stands for the message in lists, quotes and the pinned bar. */
export function snippet(message) {
  const service = serviceText(message);
  if (service) return service;
  const kind = kindOf(message);
  const detail = textOf(message) || message.poll?.question || message.document?.file_name || message.venue?.title;
  const text = (detail ?? "").replace(/\s+/gu, " ").trim();
  if (!kind) return text || t("unsupported");
  if (kind === "dice") return message.dice.emoji;
  if (kind === "sticker") return [message.sticker.emoji, t("sticker")].filter(Boolean).join(" ");
  return text ? `${t(kind)}: ${text}` : t(kind);
}

const SERVICE = {
  forum_topic_created: (who, value) => t("topic_created", who, value.name),
  forum_topic_edited: (who, value) => (value.name ? t("topic_renamed", who, value.name) : t("topic_changed", who)),
  forum_topic_closed: (who) => t("topic_was_closed", who),
  forum_topic_reopened: (who) => t("topic_was_reopened", who),
  pinned_message: (who, value) => t("was_pinned", who, cut(value.date ? snippet(value) : "…")),
  new_chat_members: (who, value) => value.map((person) => t("joined", personName(person))).join(" · "),
  left_chat_member: (who, value) => t("left", personName(value)),
  group_chat_created: (who) => t("group_created", who),
  supergroup_chat_created: (who) => t("group_created", who),
  new_chat_title: (who, value) => t("group_renamed", who, value),
  migrate_to_chat_id: () => t("migrated"),
  migrate_from_chat_id: () => t("migrated"),
};

const cut = (text) => ([...text].length > 40 ? `${[...text].slice(0, 39).join("")}…` : text);

export function serviceText(message) {
  const kind = Object.keys(SERVICE).find((key) => message[key]);
  return kind ? SERVICE[kind](personName(senderOf(message)), message[kind]) : null;
}
