import { patch } from "./api.js";
import { openAttachMenu, sample, send, Staged, takesCaption } from "./attach.js";
import { h, isPhone } from "./dom.js";
import { personName, senderOf, snippet, textOf } from "./format.js";
import { icon } from "./icons.js";
import { keepFocus, Suggestions } from "./suggestions.js";
import { t } from "./texts.js";
import { toastError } from "./toast.js";

const TALLEST_PX = 168;

/** Where a person writes: text, files, an answer to a message or a change of one. `place` is {chat, thread, me, person, extra?}. */
export class Composer {
  #place = null;
  #about = null;
  #drafts = new Map();
  #busy = false;

  constructor(side, { commandsToggle }) {
    this.side = side;
    this.input = h("textarea", {
      rows: "1",
      dir: "auto",
      enterkeyhint: "send",
      data: { testid: `composer-${side}` },
      "aria-label": t("message"),
      placeholder: t("message"),
      on: { keydown: (event) => this.#key(event), input: () => this.#typed(), paste: (event) => this.#pasted(event) },
    });
    this.staged = new Staged(() => this.#refresh());
    this.suggestions = new Suggestions(this.input, (command) => this.submit(command));
    this.banner = h("div", { class: "about" });
    this.attach = round("attach", t("attach"), () =>
      openAttachMenu(this.attach, {
        onFiles: (files, kind) => this.stage(files, kind),
        onSample: (kind) => this.#sample(kind),
      }),
    );
    this.sender = h(
      "button",
      { type: "submit", class: "round send", "aria-label": t("send"), data: { testid: `send-${side}` } },
      icon("send"),
    );
    this.commands = commandsToggle ? round("commands", t("commands"), () => this.suggestions.toggle()) : null;
    if (this.commands) keepFocus(this.commands);
    this.tools = h("span", { class: "tools" });
    this.form = h(
      "form",
      { class: "composer-line", on: { submit: (event) => this.#submitted(event) } },
      this.commands,
      this.attach,
      this.input,
      this.tools,
      this.sender,
    );
    this.node = h("div", { class: "composer" }, this.suggestions.node, this.banner, this.staged.node, this.form);
    this.banner.hidden = true;
    this.#refresh();
  }

  show(place) {
    const key = keyOf(place);
    if (!this.#place || key !== keyOf(this.#place)) this.#move(key, place);
    this.#place = place;
    this.suggestions.offer(place.chat.commands);
    if (this.commands) this.commands.hidden = !place.chat.commands.length;
  }

  #move(key, place) {
    if (this.#place) this.#drafts.set(keyOf(this.#place), this.input.value);
    this.#place = place;
    this.about(null);
    this.staged.clear();
    this.#write(this.#drafts.get(key) ?? "");
  }

  /** Answer or change a message: {message, edit}; null takes it back. */
  about(about) {
    const left = this.#about?.edit;
    this.#about = about;
    this.banner.hidden = !about;
    if (about) {
      const title = about.edit ? t("editing") : t("reply_to", personName(senderOf(about.message)));
      const cancel = () => this.about(null);
      this.banner.replaceChildren(
        icon(about.edit ? "edit" : "reply"),
        h("span", { class: "about-text" }, h("b", {}, title), h("span", {}, snippet(about.message))),
        round("close", t("cancel"), cancel),
      );
      if (about.edit) this.#write(textOf(about.message));
      this.input.focus();
    }
    if (left && !about?.edit) this.#write("");
    this.#refresh();
  }

  stage(files, kind = null) {
    if (!files.length) return;
    if (this.#about?.edit) this.about(null);
    this.staged.add(files, kind);
    this.input.focus();
  }

  async #sample(kind) {
    const text = this.input.value.trim();
    const body = sample(kind, this.#place.person);
    if (text && body.album) body.album[0].caption = text;
    else if (text && takesCaption(kind)) body.caption = text;
    const used = Boolean(body.caption ?? body.album?.[0].caption);
    if (await this.#send(body)) if (used) this.#write("");
  }

  #submitted(event) {
    event.preventDefault();
    this.submit(this.input.value.trim()).then((sent) => sent && this.#write(""));
  }

  /** Sends the text as it would be sent by hand; answers whether that went well. */
  async submit(text) {
    if (this.#about?.edit) return this.#change(text);
    if (this.staged.files.length) return this.#sendStaged(text);
    return text ? this.#send({ text }) : false;
  }

  async #sendStaged(caption) {
    return this.#guarded(async () => {
      const body = await this.staged.body(caption);
      await send(this.#addressed(body));
      this.staged.clear();
    });
  }

  #send(body) {
    return this.#guarded(() => send(this.#addressed(body)));
  }

  async #change(text) {
    const { message } = this.#about;
    const { me, chat } = this.#place;
    if (text === textOf(message)) return this.about(null);
    const field = message.text === undefined ? "caption" : "text";
    return this.#guarded(() =>
      patch("/messages", { from: me, chat: chat.id, message_id: message.message_id, [field]: text }),
    );
  }

  #addressed(body) {
    const { me, chat, thread, extra } = this.#place;
    return {
      from: me,
      chat: chat.id,
      ...(thread ? { thread } : {}),
      ...(this.#about ? { reply_to: this.#about.message.message_id } : {}),
      ...extra,
      ...body,
    };
  }

  async #guarded(action) {
    if (this.#busy) return false;
    this.#busy = true;
    this.#refresh();
    try {
      await action();
      if (this.#about) this.about(null);
      return true;
    } catch (error) {
      toastError(error);
      return false;
    } finally {
      this.#busy = false;
      this.#refresh();
    }
  }

  #key(event) {
    if (this.suggestions.key(event)) return;
    if (event.key === "Escape" && this.#about) this.about(null);
    else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.form.requestSubmit();
    }
  }

  #typed() {
    this.suggestions.typed();
    this.#refresh();
  }

  #pasted(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    this.stage(files);
  }

  #write(text) {
    this.input.value = text;
    this.#typed();
  }

  #refresh() {
    this.sender.disabled = this.#busy || !(this.input.value.trim() || this.staged.files.length);
    this.sender.classList.toggle("busy", this.#busy);
    this.sender.setAttribute("aria-label", t(this.#about?.edit ? "save" : "send"));
    this.input.placeholder = this.staged.files.length ? t("caption") : (this.#place?.placeholder ?? t("message"));
    this.input.style.height = "auto";
    if (this.input.scrollHeight) this.input.style.height = `${Math.min(this.input.scrollHeight, TALLEST_PX)}px`;
  }

  focus() {
    // On a phone the keyboard would jump up unasked.
    if (!isPhone()) this.input.focus({ preventScroll: true });
  }
}

const keyOf = ({ chat, thread, me }) => `${chat.key}/${thread}/${me}`;

function round(sign, label, run) {
  return h(
    "button",
    { type: "button", class: "round", "aria-label": label, title: label, on: { click: run } },
    icon(sign),
  );
}
