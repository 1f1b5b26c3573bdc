import { post } from "./api.js";
import { contactOf, send } from "./attach.js";
import { Composer } from "./composer.js";
import { confirmDialog } from "./dialog.js";
import { h } from "./dom.js";
import { Feed } from "./feed.js";
import { personName } from "./format.js";
import { icon } from "./icons.js";
import { replyKeyboard } from "./keyboard.js";
import { openMessageMenu } from "./messagemenu.js";
import { PinnedBar } from "./pinned.js";
import { toast, toastError } from "./toast.js";
import { t } from "./texts.js";

/** One open chat or topic: pinned bar, messages, keyboard, composer. Both sides of the page are made of it. */
export class Conversation {
  #place = null;
  #keys = null;
  #folded = false;

  constructor(side, world, presses) {
    this.world = world;
    this.presses = presses;
    this.composer = new Composer(side, { commandsToggle: side === "customer" });
    this.feed = new Feed(this.#actions());
    this.pinned = new PinnedBar((id) => this.feed.jump(id));
    this.notice = h("div", { class: "notice" });
    this.keyboard = h("div", {});
    this.toggle = h(
      "button",
      {
        type: "button",
        class: "round",
        "aria-label": t("keyboard"),
        title: t("keyboard"),
        on: { click: () => this.#fold(!this.#folded) },
      },
      icon("keyboard"),
    );
    this.composer.tools.append(this.toggle);
    this.empty = h("div", { class: "empty" }, t("empty_chat"));
    this.node = h(
      "div",
      { class: "conversation" },
      this.pinned.node,
      this.feed.node,
      this.empty,
      this.notice,
      this.composer.node,
      this.keyboard,
    );
    this.#acceptDrops();
  }

  /** `place` is {chat, thread, me, person, extra?, mayDelete?, notice?}. */
  draw(place) {
    this.#place = place;
    const { chat, thread, notice } = place;
    this.feed.draw(place);
    this.pinned.draw(chat.pinnedIn(thread));
    this.empty.hidden = !chat.loaded || Boolean(chat.last(thread));
    this.notice.hidden = !notice;
    if (this.notice.shown !== notice?.key) this.notice.replaceChildren(...(notice ? notice.nodes() : []));
    this.notice.shown = notice?.key;
    this.composer.node.hidden = Boolean(notice?.instead);
    this.#drawKeyboard(chat, Boolean(notice?.instead));
    this.composer.show({ ...place, placeholder: this.#keys?.input_field_placeholder });
  }

  #drawKeyboard(chat, hidden) {
    const markup = chat.bot ? chat.keyboard : null;
    if (markup !== this.#keys) {
      this.#keys = markup;
      this.#folded = false;
      this.keyboard.replaceChildren(...(markup?.keyboard ? [replyKeyboard(markup, (key) => this.#pressKey(key))] : []));
      if (markup?.force_reply) this.#answerLast(chat);
    }
    this.toggle.hidden = !markup?.keyboard;
    this.keyboard.hidden = hidden || this.#folded;
    this.toggle.setAttribute("aria-pressed", String(!this.#folded));
  }

  #fold(folded) {
    this.#folded = folded;
    this.world.changed();
  }

  #answerLast(chat) {
    const last = chat.last(0);
    if (last) this.composer.about({ message: last });
  }

  async #pressKey(key) {
    const { chat, me, person } = this.#place;
    const to = { from: me, chat: chat.id };
    if (key.request_contact) {
      const bot = personName(this.world.person(chat.bot));
      if (!(await confirmDialog(t("share_contact"), { more: t("share_contact_more", bot), agree: t("share") }))) return;
      this.#try(() => send({ ...to, kind: "contact", contact: contactOf(person) }));
    } else if (key.request_location) {
      this.#try(() => send({ ...to, kind: "location" }));
    } else {
      this.composer.submit(key.text);
    }
  }

  async #try(action) {
    try {
      await action();
    } catch (error) {
      toastError(error);
    }
  }

  #actions() {
    return {
      command: (text) => this.composer.submit(text),
      press: (message, button, key) =>
        this.presses.press({ from: this.#place.me, chat: this.#place.chat.id, message, button }, key),
      copy: (text) => copy(text),
      jump: (id) => this.feed.jump(id),
      react: (part, emoji) => this.#react(part, emoji),
      person: (id) => this.world.person(id),
      redraw: () => this.feed.draw(this.#place),
      menu: (part, at) =>
        openMessageMenu(at, part, {
          place: this.#place,
          composer: this.composer,
          react: (emoji) => this.#react(part, emoji),
          copy,
        }),
    };
  }

  #react(part, emoji) {
    const { chat, me } = this.#place;
    return this.#try(() =>
      post("/reactions", { from: me, chat: chat.id, message_id: part.messages[0].message_id, emoji }),
    );
  }

  #acceptDrops() {
    this.node.addEventListener("dragover", (event) => event.preventDefault());
    this.node.addEventListener("drop", (event) => {
      event.preventDefault();
      this.composer.stage([...event.dataTransfer.files]);
    });
  }
}

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(t("copied"));
  } catch (error) {
    toastError(error);
  }
}
