import { post, upload } from "./api.js";
import { Staged } from "./attach.js";
import { h, isPhone } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./texts.js";
import { toast, toastError } from "./toast.js";

const TALLEST_PX = 220;

/** Where a mail is written: an answer below its conversation, or a whole new one with address and subject. */
export class Writer {
  #place = null;
  #drafts = new Map();
  #busy = false;

  constructor(name, mails, { full, onSent = () => {} }) {
    Object.assign(this, { mails, full, onSent });
    this.to = field(t("mail_to_field"), `mail-to-${name}`, "email");
    this.subject = field(t("mail_subject"), `mail-subject-${name}`, "text");
    this.input = h("textarea", {
      rows: "1",
      dir: "auto",
      data: { testid: `mail-text-${name}` },
      "aria-label": t(full ? "mail_text" : "mail_answer"),
      placeholder: t(full ? "mail_text" : "mail_answer"),
      on: { input: () => this.#refresh(), keydown: (event) => this.#key(event) },
    });
    this.staged = new Staged(() => this.#refresh());
    this.files = h("input", { type: "file", multiple: true, hidden: true, data: { testid: `mail-files-${name}` } });
    this.files.addEventListener("change", () => {
      this.staged.add([...this.files.files], "document");
      this.files.value = "";
    });
    this.attach = h(
      "button",
      {
        type: "button",
        class: "round",
        "aria-label": t("attach"),
        title: t("attach"),
        on: { click: () => this.files.click() },
      },
      icon("attach"),
    );
    this.sender = h(
      "button",
      { type: "submit", class: "round send", "aria-label": t("send"), data: { testid: `mail-send-${name}` } },
      icon("send"),
    );
    this.node = h(
      "form",
      {
        class: full ? "composer mail-writer full" : "composer mail-writer",
        on: { submit: (event) => this.#submitted(event), input: () => this.#refresh() },
      },
      full && [this.to.node, this.subject.node],
      !full && this.staged.node,
      h("div", { class: "composer-line" }, !full && this.attach, this.input, !full && this.sender),
      full && [this.staged.node, h("footer", { class: "composer-line" }, this.attach, this.sender)],
      this.files,
    );
    this.#refresh();
  }

  /** `place` is {account, key, answers?}; each key keeps what was begun there. */
  show(place) {
    if (place.key !== this.#place?.key) this.#move(place);
    this.#place = place;
  }

  #move(place) {
    if (this.#place) this.#drafts.set(this.#place.key, this.#values());
    this.#place = place;
    this.staged.clear();
    this.#write(this.#drafts.get(place.key) ?? this.#blank());
  }

  #blank() {
    return [this.mails.desk()?.address ?? "", "", ""];
  }

  #values() {
    return [this.to.input.value, this.subject.input.value, this.input.value];
  }

  #write([to, subject, text]) {
    this.to.input.value = to;
    this.subject.input.value = subject;
    this.input.value = text;
    this.#refresh();
  }

  focus() {
    // On a phone the keyboard would jump up unasked.
    if (!isPhone()) requestAnimationFrame(() => (this.full ? this.subject.input : this.input).focus());
  }

  #key(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.node.requestSubmit();
  }

  async #submitted(event) {
    event.preventDefault();
    if (this.#busy || this.sender.disabled) return;
    this.#busy = true;
    this.#refresh();
    try {
      await this.#send();
      this.staged.clear();
      this.#drafts.delete(this.#place.key);
      this.#write(this.#blank());
      toast(t("mail_sent"));
      this.onSent();
    } catch (error) {
      toastError(error);
    } finally {
      this.#busy = false;
      this.#refresh();
    }
  }

  async #send() {
    const { account, answers } = this.#place;
    const files = await Promise.all(this.staged.files.map(async ({ file }) => (await upload(file)).file));
    const [to, subject, text] = this.#values();
    const head = answers ? { reply_to: answers.id } : { to, subject };
    await post("/mail/mails", { account: account.address, text: text.trim(), files, ...head });
  }

  #refresh() {
    const said = this.input.value.trim() || this.staged.files.length;
    this.sender.disabled = this.#busy || !said || (this.full && !this.to.input.value.trim());
    this.sender.classList.toggle("busy", this.#busy);
    if (this.full) return;
    this.input.style.height = "auto";
    if (this.input.scrollHeight) this.input.style.height = `${Math.min(this.input.scrollHeight, TALLEST_PX)}px`;
  }
}

function field(label, testid, inputmode) {
  const input = h("input", { type: "text", inputmode, autocomplete: "off", data: { testid }, "aria-label": label });
  return { input, node: h("label", { class: "mail-field" }, h("span", {}, label), input) };
}
