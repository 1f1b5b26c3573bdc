import { h, reducedMotion } from "./dom.js";
import { durationOf, kindOf, personName, sizeOf, tint, initials } from "./format.js";
import { icon } from "./icons.js";
import { lightbox } from "./dialog.js";
import { player } from "./player.js";
import { t } from "./texts.js";

const fileUrl = (id) => `/sandbox/files/${encodeURIComponent(id)}`;

const largest = (sizes) => sizes.reduce((a, b) => (b.width * b.height > a.width * a.height ? b : a));

/** The same key means the same media: its node, perhaps playing, is kept when the message is drawn anew. */
export function mediaKey(message) {
  const kind = kindOf(message);
  if (!kind) return "";
  const value = kind === "photo" ? largest(message.photo) : message[kind];
  return `${kind}:${value.file_unique_id ?? JSON.stringify(value)}`;
}

const DRAW = {
  photo: (message) => photo(largest(message.photo), message),
  animation: ({ animation }) =>
    animation.mime_type?.startsWith("image/")
      ? gif(animation)
      : moving(animation, { loop: true, muted: true, autoplay: !reducedMotion() }),
  video: ({ video }) => moving(video, {}),
  video_note: ({ video_note: note }) => moving({ width: note.length, height: note.length, ...note }, {}),
  voice: ({ voice }) => player(fileUrl(voice.file_id), voice.duration, { bars: voice.file_unique_id }),
  audio: ({ audio }) =>
    h(
      "div",
      { class: "audio" },
      h(
        "div",
        { class: "audio-title" },
        [audio.performer, audio.title ?? audio.file_name].filter(Boolean).join(" — ") || t("audio"),
      ),
      player(fileUrl(audio.file_id), audio.duration, { bars: audio.file_unique_id }),
    ),
  sticker: ({ sticker: value }) => sticker(value),
  document: ({ document: file }) => fileCard(file),
  location: ({ location }) => place(location, t("location")),
  venue: ({ venue }) => place(venue.location, venue.title, venue.address),
  contact: ({ contact }) =>
    card(
      h("span", { class: `avatar ${tint(contact.user_id ?? 0)}` }, initials(personName(contact))),
      personName(contact),
      contact.phone_number,
    ),
  poll: ({ poll }) => pollCard(poll),
  dice: ({ dice }) =>
    h(
      "div",
      { class: "dice", role: "img", "aria-label": `${dice.emoji} ${dice.value}` },
      h("span", {}, dice.emoji),
      h("b", {}, String(dice.value)),
    ),
};

export function media(message) {
  const kind = kindOf(message);
  const node = DRAW[kind](message);
  node.classList.add("media", `media-${kind}`);
  if (message.has_media_spoiler) veil(node);
  return node;
}

function shape(node, { width, height }) {
  if (!width || !height) return;
  node.style.aspectRatio = `${width} / ${height}`;
  node.style.setProperty("--wide", Math.min(width, Math.round((360 * width) / height), 420));
}

function photo(size, message) {
  const image = h("img", {
    src: fileUrl(size.file_id),
    alt: message.caption ?? t("photo"),
    loading: "lazy",
    decoding: "async",
  });
  const node = h(
    "button",
    {
      type: "button",
      class: "photo",
      "aria-label": t("open_photo"),
      on: { click: () => lightbox(image.src, image.alt) },
    },
    image,
  );
  shape(node, size);
  image.addEventListener("error", () => node.replaceChildren(icon("photo")));
  return node;
}

function moving(file, flags) {
  const video = h("video", {
    src: `${fileUrl(file.file_id)}#t=0.01`,
    controls: !flags.loop,
    preload: "metadata",
    playsinline: true,
    loop: flags.loop,
    "aria-label": t("video"),
  });
  // The attribute alone does not mute a video made by script, and unmuted ones may not start by themselves.
  video.muted = Boolean(flags.muted);
  if (flags.autoplay) video.autoplay = true;
  const node = h("div", { class: "moving" }, video);
  video.addEventListener("error", () =>
    node.replaceChildren(icon("video"), h("small", {}, file.file_name ?? t("video"))),
  );
  shape(node, file);
  return node;
}

function gif(file) {
  const node = h("div", {}, h("img", { src: fileUrl(file.file_id), alt: t("animation") }));
  shape(node, file);
  return node;
}

function sticker(value) {
  const alt = value.emoji ?? t("sticker");
  if (value.is_animated) return h("div", { class: "dice" }, alt);
  if (value.is_video) return moving(value, { loop: true, muted: true, autoplay: !reducedMotion() });
  const image = h("img", { src: fileUrl(value.file_id), alt });
  const node = h("div", {}, image);
  image.addEventListener("error", () => node.replaceChildren(alt));
  return node;
}

function card(sign, title, more) {
  return h(
    "div",
    { class: "card" },
    sign,
    h("span", { class: "card-text" }, h("b", {}, title), more && h("small", {}, more)),
  );
}

function fileCard(file) {
  const name = file.file_name ?? t("document");
  const link = card(h("span", { class: "card-sign" }, icon("document")), name, sizeOf(file.file_size));
  return h(
    "a",
    { class: "file", href: fileUrl(file.file_id), download: name, target: "_blank", rel: "noopener" },
    link,
  );
}

const degrees = (value) => value.toFixed(5);

function place(location, title, address) {
  const where = `${degrees(location.latitude)}, ${degrees(location.longitude)}`;
  return card(
    h("span", { class: "card-sign map" }, icon("location")),
    title,
    address ? `${address} · ${where}` : where,
  );
}

function pollCard(poll) {
  const total = poll.total_voter_count || 0;
  const bar = (option) => {
    const share = total ? Math.round((100 * option.voter_count) / total) : 0;
    const line = h("span", { class: "poll-line" });
    line.style.setProperty("--share", `${share}%`);
    return h("li", {}, h("span", { class: "poll-share" }, `${share}%`), h("span", {}, option.text), line);
  };
  return h(
    "div",
    { class: "poll" },
    h("b", {}, poll.question),
    h("small", {}, poll.is_anonymous === false ? t("poll") : t("poll_anonymous")),
    h("ul", {}, poll.options.map(bar)),
    h("small", {}, t("votes", total)),
  );
}

function veil(node) {
  node.classList.add("veiled");
  const lift = (event) => {
    event.preventDefault();
    event.stopPropagation();
    node.classList.remove("veiled");
  };
  node.addEventListener("click", lift, { capture: true, once: true });
}

export function videoLength(message) {
  const seconds = message.video?.duration ?? message.animation?.duration;
  return seconds ? durationOf(seconds) : null;
}
