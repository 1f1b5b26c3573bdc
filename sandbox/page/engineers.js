import { post } from "./api.js";
import { Conversation } from "./conversation.js";
import { confirmDialog } from "./dialog.js";
import { h, isPhone } from "./dom.js";
import { openFaults } from "./faults.js";
import { personName } from "./format.js";
import { icon } from "./icons.js";
import { openMenu } from "./menu.js";
import { Picker } from "./picker.js";
import { go, routeOf } from "./route.js";
import { languageEntries, t } from "./texts.js";
import { toastError } from "./toast.js";
import { TopicList } from "./topics.js";

const ADMINS = ["creator", "administrator"];

/** The engineers' group: its topics and the one that is open. */
export class EngineersPane {
  #anonymous = false;

  constructor(world, presses) {
    this.world = world;
    this.conversation = new Conversation("engineers", world, presses);
    this.topics = new TopicList((thread) => this.open(thread));
    this.who = new Picker("who-engineer", t("who_engineer"), (engineer) => go({ engineer }));
    this.groups = new Picker("which-group", t("which_group"), (group) => go({ group, thread: null }));
    this.groupTitle = h("b", {});
    this.groupStatus = h("span", { class: "status" });
    this.title = h("b", {});
    this.status = h("span", { class: "status" });
    this.back = h(
      "button",
      { type: "button", class: "round back", "aria-label": t("back"), on: { click: () => this.open(null) } },
      icon("back"),
    );
    this.backCount = h("span", { class: "badge" });
    this.back.append(this.backCount);
    this.more = h(
      "button",
      {
        type: "button",
        class: "round",
        "aria-label": t("menu"),
        "aria-haspopup": "menu",
        on: { click: () => this.#menu(this.more) },
      },
      icon("more"),
    );
    this.groupMore = h(
      "button",
      {
        type: "button",
        class: "round group-more",
        "aria-label": t("menu"),
        "aria-haspopup": "menu",
        on: { click: () => this.#menu(this.groupMore) },
      },
      icon("more"),
    );
    this.waiting = h(
      "div",
      { class: "waiting small" },
      h("b", {}, t("waiting_group")),
      h("p", { class: "quiet" }, t("waiting_group_more")),
    );
    this.aside = h(
      "div",
      { class: "aside" },
      h(
        "header",
        { class: "head" },
        h("div", { class: "head-text" }, this.groupTitle, this.groupStatus),
        this.groups.node,
        this.groupMore,
      ),
      this.topics.node,
    );
    this.main = h(
      "div",
      { class: "main" },
      h(
        "header",
        { class: "head" },
        this.back,
        h("div", { class: "head-text" }, this.title, this.status),
        this.who.node,
        this.more,
      ),
      this.conversation.node,
    );
    this.node = h(
      "section",
      { class: "pane engineers", "data-testid": "pane-engineers", "aria-label": t("engineers") },
      this.aside,
      this.main,
      this.waiting,
    );
  }

  choice() {
    const groups = [...this.world.groups.values()];
    const group = groups.find(({ id }) => String(id) === routeOf("group")) ?? groups[0];
    const engineers = this.world.engineers(group);
    const engineer = engineers.find(({ id }) => String(id) === routeOf("engineer")) ?? engineers[0];
    return group && engineer ? { groups, group, engineers, engineer } : null;
  }

  unread() {
    const chosen = this.choice();
    return chosen ? (this.world.chats.get(String(chosen.group.id))?.unreadAll() ?? 0) : 0;
  }

  /** null is the list of topics, which only a narrow screen shows by itself. */
  open(thread) {
    const listed = routeOf("thread") === null;
    go({ thread }, { back: isPhone() && listed });
    if (thread !== null) this.conversation.composer.focus();
  }

  openThread(chat) {
    const thread = routeOf("thread");
    if (thread === null) return null;
    return thread === "0" || chat.topics.has(Number(thread)) || !chat.loaded ? Number(thread) : null;
  }

  draw() {
    const chosen = this.choice();
    for (const part of [this.aside, this.main]) part.hidden = !chosen;
    this.waiting.hidden = Boolean(chosen);
    if (!chosen) return;
    const { groups, group, engineers, engineer } = chosen;
    const chat = this.world.groupChat(group.id, engineer.id);
    const picked = this.openThread(chat);
    const thread = picked ?? 0;
    this.chat = chat;
    this.thread = thread;
    this.node.classList.toggle("in-topic", picked !== null);
    this.groups.node.hidden = groups.length < 2;
    this.groups.draw(
      groups.map(({ id, title }) => ({ id, label: title })),
      group.id,
    );
    this.who.draw(
      engineers.map((user) => ({ id: user.id, label: label(user, group), person: user })),
      engineer.id,
    );
    this.groupTitle.textContent = group.title;
    this.groupStatus.textContent = t("members", group.members.size);
    this.#head(chat, thread, group);
    this.topics.draw(chat, isPhone() ? picked : thread);
    const admin = ADMINS.includes(group.members.get(engineer.id));
    const extra = this.#anonymous && admin ? { anonymous: true } : {};
    this.conversation.draw({
      chat,
      thread,
      me: engineer.id,
      person: engineer,
      extra,
      mayDelete: admin,
      notice: this.#notice(chat, thread),
    });
  }

  #head(chat, thread, group) {
    const typing = chat.typingIn(thread);
    const elsewhere = chat.unreadAll() - (chat.unread.get(thread) ?? 0);
    this.title.textContent = thread ? (chat.topics.get(thread)?.name ?? "…") : t("general");
    this.status.textContent = typing ? t("typing") : group.title;
    this.status.classList.toggle("lively", typing);
    this.backCount.hidden = !elsewhere;
    this.backCount.textContent = String(elsewhere);
  }

  #notice(chat, thread) {
    if (!chat.topics.get(thread)?.closed) return null;
    const reopen = h(
      "button",
      { type: "button", class: "button plain", on: { click: () => this.#topic("reopen") } },
      t("reopen_topic"),
    );
    return { key: `closed ${thread}`, nodes: () => [icon("lock"), h("span", {}, t("topic_closed")), reopen] };
  }

  async #topic(action) {
    try {
      await post("/topics", { from: this.chat.viewer, chat: this.chat.id, thread: this.thread, do: action });
    } catch (error) {
      toastError(error);
    }
  }

  async #deleteTopic() {
    const { name } = this.chat.topics.get(this.thread);
    if (await confirmDialog(t("delete_topic_sure", name), { agree: t("delete"), danger: true }))
      await this.#topic("delete");
  }

  #menu(anchor) {
    const topic = anchor === this.more ? this.chat.topics.get(this.thread) : null;
    const { group, engineer } = this.choice();
    const bot = [...group.members.keys()].find((id) => this.world.bots.has(id)) ?? [...this.world.bots.keys()][0];
    const speak = (anonymous) => ({
      label: t(anonymous ? "as_anonymous" : "as_person"),
      checked: this.#anonymous === anonymous,
      run: () => {
        this.#anonymous = anonymous;
        this.world.changed();
      },
    });
    openMenu(
      anchor,
      [
        topic && {
          label: t(topic.closed ? "reopen_topic" : "close_topic"),
          icon: topic.closed ? "unlock" : "lock",
          run: () => this.#topic(topic.closed ? "reopen" : "close"),
        },
        topic && { label: t("delete_topic"), icon: "trash", danger: true, run: () => this.#deleteTopic() },
        ...(ADMINS.includes(group.members.get(engineer.id)) ? [speak(false), speak(true)] : []),
        { label: t("faults"), icon: "faults", run: () => openFaults(bot) },
        "line",
        ...languageEntries(),
      ],
      { label: t("menu") },
    );
  }
}

const SIGN = { creator: " ★", administrator: " ☆" };

const label = (user, group) => personName(user) + (SIGN[group.members.get(user.id)] ?? "");
