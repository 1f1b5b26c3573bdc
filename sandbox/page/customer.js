import { post } from "./api.js";
import { Conversation } from "./conversation.js";
import { h } from "./dom.js";
import { avatar, personName } from "./format.js";
import { icon } from "./icons.js";
import { openMenu } from "./menu.js";
import { Picker } from "./picker.js";
import { go, routeOf } from "./route.js";
import { languageEntries, t } from "./texts.js";
import { toastError } from "./toast.js";

/** The customer's phone: one person's private chat with the bot. */
export class CustomerPane {
  constructor(world, presses) {
    this.world = world;
    this.conversation = new Conversation("customer", world, presses);
    this.who = new Picker("who-customer", t("who_customer"), (customer) => go({ customer }));
    this.bots = new Picker("which-bot", t("which_bot"), (bot) => go({ bot }));
    this.face = h("span", { class: "head-face" });
    this.title = h("b", {});
    this.status = h("span", { class: "status" });
    this.more = h(
      "button",
      {
        type: "button",
        class: "round",
        "aria-label": t("menu"),
        "aria-haspopup": "menu",
        on: { click: () => this.#menu() },
      },
      icon("more"),
    );
    this.node = h(
      "section",
      { class: "pane customer", "data-testid": "pane-customer", "aria-label": t("customer") },
      h(
        "header",
        { class: "head" },
        this.face,
        h("div", { class: "head-text" }, this.title, this.status),
        this.bots.node,
        this.who.node,
        this.more,
      ),
      this.conversation.node,
    );
  }

  /** Who is played and with which bot, as the address says or as makes sense. */
  choice() {
    const customers = this.world.customers();
    const customer = customers.find(({ id }) => String(id) === routeOf("customer")) ?? customers[0];
    const bots = [...this.world.bots.values()];
    const inGroup = ({ id }) => [...this.world.groups.values()].some((group) => group.members.has(id));
    const bot = bots.find(({ id }) => String(id) === routeOf("bot")) ?? bots.find(inGroup) ?? bots[0];
    return customer && bot ? { customers, customer, bots, bot } : null;
  }

  unread() {
    const chosen = this.choice();
    return chosen ? chosen.customers.reduce((sum, { id }) => sum + this.#unreadOf(id, chosen.bot), 0) : 0;
  }

  #unreadOf(user, bot) {
    return this.world.chats.get(`${user}:${bot.id}`)?.unreadAll() ?? 0;
  }

  draw() {
    const { customers, customer, bots, bot } = this.choice();
    const chat = this.world.privateChat(customer.id, bot.id);
    this.chat = chat;
    this.bots.node.hidden = bots.length < 2;
    this.bots.draw(
      bots.map((one) => ({ id: one.id, label: personName(one) })),
      bot.id,
    );
    this.who.draw(
      customers.map((user) => ({ id: user.id, label: this.#label(user, customer, bot), person: user })),
      customer.id,
      this.unread() - this.#unreadOf(customer.id, bot),
    );
    if (this.face.shown !== bot) this.face.replaceChildren(avatar(bot));
    this.face.shown = bot;
    this.title.textContent = personName(bot);
    this.status.textContent = chat.typingIn(0) ? t("typing") : t("bot");
    this.status.classList.toggle("lively", chat.typingIn(0));
    this.conversation.draw({
      chat,
      thread: 0,
      me: customer.id,
      person: customer,
      mayDelete: true,
      notice: this.#notice(chat),
    });
  }

  #label(user, chosen, bot) {
    const unread = user.id === chosen.id ? 0 : this.#unreadOf(user.id, bot);
    return [personName(user), user.language_code && `· ${user.language_code}`, unread && `(${unread})`]
      .filter(Boolean)
      .join(" ");
  }

  /** Before the first message there is only the start button, as in Telegram; a blocked bot can only be let in again. */
  #notice(chat) {
    if (chat.blocked)
      return {
        key: "blocked",
        instead: true,
        nodes: () => [h("span", {}, t("blocked")), wide(t("unblock"), () => this.#block(false))],
      };
    if (!chat.loaded || chat.messages.size) return null;
    return {
      key: "start",
      instead: true,
      nodes: () => [wide(t("start"), () => this.conversation.composer.submit("/start"), "start-customer")],
    };
  }

  async #block(blocked) {
    const { user, bot } = this.chat;
    try {
      await post("/block", { user, bot, blocked });
      this.chat.blocked = blocked;
      this.world.changed();
    } catch (error) {
      toastError(error);
    }
  }

  #menu() {
    const { blocked } = this.chat;
    openMenu(
      this.more,
      [
        { label: t(blocked ? "unblock" : "block"), icon: "block", danger: !blocked, run: () => this.#block(!blocked) },
        "line",
        ...languageEntries(),
      ],
      { label: t("menu") },
    );
  }
}

const wide = (label, run, testid = null) =>
  h("button", { type: "button", class: "button primary wide", "data-testid": testid, on: { click: run } }, label);
