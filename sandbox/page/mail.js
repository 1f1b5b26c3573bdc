import { h, isPhone, reconcile } from "./dom.js";
import { avatar, whenOf } from "./format.js";
import { icon } from "./icons.js";
import { letterNode, personOf } from "./letter.js";
import { openMenu } from "./menu.js";
import { Picker } from "./picker.js";
import { go, routeOf } from "./route.js";
import { languageEntries, t } from "./texts.js";
import { Writer } from "./writer.js";

const NEW = "new";

/** One person's mailbox: its conversations, the one that is open, and the sheet for a new mail. */
export class MailPane {
  #opened = null;
  #following = false;

  constructor(post) {
    this.post = post;
    this.who = new Picker("who-mail", t("who_mail"), (at) =>
      go({ mailbox: this.post.people()[at].address, mail: null }),
    );
    this.title = h("b", {});
    this.status = h("span", { class: "status" });
    this.back = round("back", t("mail_back"), () => this.open(null));
    this.write = round("edit", t("mail_write"), () => this.open(NEW), "mail-write");
    this.more = round("more", t("menu"), () => openMenu(this.more, languageEntries(), { label: t("menu") }));
    this.more.classList.add("mail-more");
    this.list = h("div", { class: "mail-list", "data-testid": "mail-list", "aria-label": t("mail") });
    this.nothing = h("p", { class: "quiet centred" }, t("mail_empty"));
    this.letters = h("div", { class: "letters", "data-testid": "letters" });
    for (const type of ["wheel", "pointerdown", "keydown"])
      this.letters.addEventListener(type, () => (this.#following = false), { passive: true });
    this.reply = new Writer("reply", post, { full: false });
    this.fresh = new Writer("new", post, { full: true, onSent: () => this.open(null) });
    this.box = h("div", { class: "mail-part" }, this.list, this.nothing);
    this.thread = h("div", { class: "mail-part" }, this.letters, this.reply.node);
    this.node = h(
      "section",
      { class: "pane mail", "data-testid": "pane-mail", "aria-label": t("mail") },
      h(
        "header",
        { class: "head" },
        this.back,
        h("div", { class: "head-text" }, this.title, this.status),
        this.who.node,
        this.write,
        this.more,
      ),
      this.box,
      this.thread,
      this.fresh.node,
    );
  }

  /** Whose mailbox is open, as the address says or as makes sense; null while nobody here has one. */
  choice() {
    const people = this.post.people();
    return people.find(({ address }) => address === routeOf("mailbox")) ?? people[0] ?? null;
  }

  unread() {
    return this.post.people().reduce((sum, { address }) => sum + this.post.unread(address), 0);
  }

  open(mail) {
    go({ mail }, { back: isPhone() && mail !== null });
    if (mail === NEW) this.fresh.focus();
  }

  /** `watched`: somebody looks at the pane right now, so what is open counts as read. */
  draw(watched) {
    const account = this.choice();
    const people = this.post.people();
    const threads = this.post.threads(account.address);
    const writing = routeOf("mail") === NEW;
    const thread = threads.find(({ mails }) => mails.some(({ id }) => id === routeOf("mail"))) ?? null;
    this.who.draw(
      people.map((one, id) => ({ id, label: this.#label(one, account), person: personOf(one) })),
      people.indexOf(account),
      this.unread() - this.post.unread(account.address),
    );
    const listed = !writing && !thread;
    this.box.hidden = !listed;
    this.thread.hidden = !thread;
    this.fresh.node.hidden = !writing;
    this.back.hidden = listed;
    this.who.node.hidden = this.write.hidden = this.more.hidden = !listed;
    this.title.textContent = writing ? t("mail_new") : thread ? subjectOf(thread.mails[0]) : t("mail");
    this.status.textContent = thread ? t("mails", thread.mails.length) : account.address;
    this.fresh.show({ account, key: `new ${account.address}` });
    this.#drawList(account, threads);
    if (thread) this.#drawThread(account, thread, watched);
    else this.#opened = null;
  }

  #label({ name, address }, { address: chosen }) {
    const unread = address === chosen ? 0 : this.post.unread(address);
    return unread ? `${name} (${unread})` : name;
  }

  #drawList(account, threads) {
    this.nothing.hidden = threads.length > 0;
    reconcile(
      this.list,
      threads.map((thread) => ({
        key: thread.id,
        thread,
        version: [account.address, thread.last.id, thread.unread, thread.mails.length],
      })),
      ({ thread }) => this.#row(account, thread),
    );
  }

  #row(account, { id, mails, last, unread }) {
    const other = mails.flatMap(({ from, to }) => [from, ...to]).find(({ address }) => address !== account.address);
    const name = this.post.nameOf(other ?? account);
    const files = mails.some(({ attachments }) => attachments.length);
    return h(
      "button",
      {
        type: "button",
        class: unread ? "topic mail-row unread" : "topic mail-row",
        data: { testid: "mail-row", thread: id },
        on: { click: () => this.open(id) },
      },
      avatar(personOf({ ...(other ?? account), name })),
      h(
        "span",
        { class: "topic-lines" },
        h(
          "span",
          { class: "topic-top" },
          h("b", {}, name),
          mails.length > 1 && h("small", { class: "mail-count" }, String(mails.length)),
          h("time", {}, whenOf(last.at)),
        ),
        h("span", { class: "topic-bottom" }, h("span", { class: "mail-subject" }, subjectOf(mails[0]))),
        h(
          "span",
          { class: "topic-bottom" },
          h(
            "span",
            { class: "topic-last" },
            last.from.address === account.address && h("span", { class: "who" }, `${t("you")}: `),
            last.snippet,
          ),
          files && icon("attach"),
          unread > 0 && h("span", { class: "badge", "aria-label": t("unread", unread) }, String(unread)),
        ),
      ),
    );
  }

  #drawThread(account, { id, mails, last }, watched) {
    reconcile(
      this.letters,
      mails.map((mail) => ({ key: mail.id, mail, version: [account.address] })),
      ({ mail }) =>
        letterNode(mail, { account, nameOf: (one) => this.post.nameOf(one), settled: () => this.#showLast() }),
    );
    const answered = mails.findLast(({ folder }) => folder === "INBOX") ?? last;
    this.reply.show({ account, key: id, answers: answered });
    const news = `${id} ${mails.length}`;
    if (this.#opened !== news) {
      this.#opened = news;
      this.#following = true;
      this.#showLast();
    }
    if (watched) this.post.read(account.address, mails);
  }

  /** The newest letter from its beginning, again whenever one in HTML has got its height, until somebody reads. */
  #showLast() {
    if (this.#following) this.letters.scrollTop = this.letters.lastElementChild.offsetTop - 8;
  }
}

const subjectOf = ({ subject }) => subject || t("mail_no_subject");

function round(sign, label, run, testid = null) {
  return h(
    "button",
    { type: "button", class: "round", "aria-label": label, title: label, "data-testid": testid, on: { click: run } },
    icon(sign),
  );
}
