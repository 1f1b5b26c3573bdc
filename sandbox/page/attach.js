import { post, upload } from "./api.js";
import { h } from "./dom.js";
import { sizeOf } from "./format.js";
import { icon } from "./icons.js";
import { openMenu } from "./menu.js";
import { t } from "./texts.js";

const SAMPLES = [
  "photo",
  "album",
  "document",
  "voice",
  "video",
  "video_note",
  "audio",
  "sticker",
  "location",
  "contact",
  "poll",
  "dice",
];
const NO_CAPTION = ["video_note", "sticker", "location", "contact", "poll", "dice"];

export const takesCaption = (kind) => !NO_CAPTION.includes(kind);

/** What is sent for a sample of a kind; the server has the files of its own. */
export function sample(kind, sender) {
  switch (kind) {
    case "album":
      return { album: [{ kind: "photo" }, { kind: "photo" }, { kind: "photo" }] };
    case "contact":
      return { kind, contact: contactOf(sender) };
    case "poll":
      return { kind, poll: { question: t("sample_poll"), options: t("sample_poll_options") } };
    default:
      return { kind };
  }
}

/** People here have no phones, so each gets a number that is always the same and belongs to nobody. */
export const contactOf = (person) => ({
  phone_number: `+7700${String(person.id).slice(-7).padStart(7, "0")}`,
  first_name: person.first_name,
  last_name: person.last_name,
  user_id: person.id,
});

export function openAttachMenu(anchor, { onFiles, onSample }) {
  const device = [
    ["device_media", "photo", "image/*,video/*", null],
    ["device_files", "document", "", "document"],
    ["device_voice", "voice", "audio/*", "voice"],
    ["device_video_note", "video_note", "video/*", "video_note"],
    ["device_sticker", "sticker", "image/webp,image/png", "sticker"],
  ].map(([label, sign, accept, kind]) => ({ label: t(label), icon: sign, run: () => choose(accept, kind, onFiles) }));
  const grid = h(
    "div",
    { class: "samples" },
    SAMPLES.map((kind) => {
      const send = () => {
        menu.hidePopover();
        onSample(kind);
      };
      return h(
        "button",
        { type: "button", role: "menuitem", data: { sample: kind }, on: { click: send } },
        icon(kind),
        h("span", {}, t(kind)),
      );
    }),
  );
  const menu = openMenu(
    anchor,
    [h("div", { class: "menu-head" }, t("samples")), grid, h("div", { class: "menu-head" }, t("device")), ...device],
    { label: t("attach") },
  );
  menu.classList.add("attach-menu");
}

function choose(accept, kind, onFiles) {
  const input = h("input", { type: "file", accept, multiple: kind === null || kind === "document" });
  input.addEventListener("change", () => onFiles([...input.files], kind));
  input.click();
}

/** Files waiting to go with the next message. */
export class Staged {
  files = [];

  constructor(changed) {
    this.changed = changed;
    this.node = h("div", { class: "staged" });
    this.node.hidden = true;
  }

  add(files, kind) {
    this.files.push(...files.map((file) => ({ file, kind: kind ?? kindOfFile(file) })));
    this.#draw();
  }

  clear() {
    this.files = [];
    this.#draw();
  }

  #draw() {
    this.node.hidden = !this.files.length;
    this.node.replaceChildren(
      ...this.files.map(({ file, kind }, at) => {
        const drop = () => {
          this.files.splice(at, 1);
          this.#draw();
        };
        const off = h(
          "button",
          { type: "button", class: "round small", "aria-label": `${t("remove")}: ${file.name}`, on: { click: drop } },
          icon("close"),
        );
        return h(
          "span",
          { class: "staged-file" },
          icon(kind),
          h("span", {}, file.name),
          h("small", {}, sizeOf(file.size)),
          off,
        );
      }),
    );
    this.changed();
  }

  /** One message for one file, an album for several; a caption goes with the first. */
  async body(caption) {
    const parts = await Promise.all(
      this.files.map(async ({ file, kind }) => ({ kind, file: (await upload(file)).file })),
    );
    if (parts.length === 1) return { ...parts[0], ...(caption && takesCaption(parts[0].kind) ? { caption } : {}) };
    if (caption) parts[0].caption = caption;
    return { album: parts };
  }
}

function kindOfFile({ type }) {
  if (type === "image/gif") return "animation";
  if (type.startsWith("image/")) return "photo";
  if (type.startsWith("video/")) return "video";
  return type.startsWith("audio/") ? "audio" : "document";
}

export const send = (body) => post("/messages", body);
