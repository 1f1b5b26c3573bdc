import { h, reconcile } from "./dom.js";
import { personName, senderOf, serviceText, snippet, whenOf } from "./format.js";
import { icon } from "./icons.js";
import { t } from "./texts.js";

const SEARCH_FROM = 9;
// Telegram's six topic colours come as numbers; the page has its own six.
const COLOURS = [7322096, 16766590, 13338331, 9367192, 16749490, 16478047];

/** General first, then the topic somebody wrote in last. */
function sortedTopics(chat) {
  const topics = [...chat.topics.values()].map((topic) => seen(chat, topic));
  topics.sort((a, b) => order(b) - order(a) || b.thread - a.thread);
  return [seen(chat, { thread: 0, name: t("general") }), ...topics];
}

const seen = (chat, topic) => ({ ...topic, last: chat.last(topic.thread), said: chat.lastSaid(topic.thread) });

const order = ({ last, thread }) => last?.message_id ?? thread;

export class TopicList {
  #filter = "";

  constructor(onOpen) {
    this.onOpen = onOpen;
    this.search = h("input", {
      type: "search",
      placeholder: t("search"),
      "aria-label": t("search"),
      on: { input: () => this.#search() },
    });
    this.field = h("label", { class: "search" }, icon("search"), this.search);
    this.list = h("div", { class: "topic-list", "data-testid": "topic-list", "aria-label": t("topics") });
    this.nothing = h("p", { class: "quiet centred" }, t("no_topics"));
    this.node = h("nav", { class: "topics", "aria-label": t("topics") }, this.field, this.list, this.nothing);
    this.list.addEventListener("keydown", (event) => walk(event, this.list));
  }

  draw(chat, open) {
    this.#drawn = [chat, open];
    const all = sortedTopics(chat);
    this.field.hidden = all.length < SEARCH_FROM && !this.#filter;
    const found = all.filter(({ name }) => name.toLocaleLowerCase().includes(this.#filter));
    this.nothing.hidden = found.length > 0;
    reconcile(
      this.list,
      found.map((topic) => {
        const unread = chat.unread.get(topic.thread) ?? 0;
        return {
          key: topic.thread,
          topic,
          unread,
          open: topic.thread === open,
          version: [topic.name, topic.closed, topic.last, topic.said, unread, topic.thread === open, chat.viewer],
        };
      }),
      (item) => this.#row(item, chat),
    );
  }

  #drawn = null;

  #search() {
    this.#filter = this.search.value.trim().toLocaleLowerCase();
    if (this.#drawn) this.draw(...this.#drawn);
  }

  #row({ topic, unread, open }, chat) {
    return h(
      "button",
      {
        type: "button",
        title: topic.name,
        class: open ? "topic open" : "topic",
        "aria-current": open ? "true" : null,
        data: { testid: "topic-item", thread: topic.thread },
        on: { click: () => this.onOpen(topic.thread) },
      },
      h(
        "span",
        { class: topic.thread ? `topic-sign hue-${hue(topic)}` : "topic-sign general" },
        topic.thread ? sign(topic.name) : icon("general"),
      ),
      h(
        "span",
        { class: "topic-lines" },
        h(
          "span",
          { class: "topic-top" },
          h("b", {}, topic.name),
          topic.closed &&
            h("span", { class: "closed", role: "img", "aria-label": t("closed"), title: t("closed") }, icon("lock")),
        ),
        h(
          "span",
          { class: "topic-bottom" },
          h("span", { class: "topic-last" }, ...lastWords(topic.said ?? topic.last, chat)),
          topic.last && h("time", {}, whenOf(topic.last.date)),
          unread > 0 && h("span", { class: "badge", "aria-label": t("unread", unread) }, String(unread)),
        ),
      ),
    );
  }
}

function lastWords(message, chat) {
  if (!message) return [];
  // Nearly all the bot says here is its cards; its name would only take their room.
  if (serviceText(message) !== null || message.from?.is_bot) return [snippet(message)];
  const who = message.from?.id === chat.viewer ? t("you") : personName(senderOf(message));
  return [h("span", { class: "who" }, `${who}: `), snippet(message)];
}

const hue = ({ icon_color: colour, thread }) => (COLOURS.includes(colour) ? COLOURS.indexOf(colour) : thread % 6);

/** A ticket's number says more than its letter, as all tickets of a queue begin with the same ones. */
function sign(name) {
  const number = /^\p{L}+-\d*?(\d{1,4})\b/u.exec(name);
  return number ? h("small", {}, number[1]) : ([...name.replace(/^[^\p{L}\p{N}]+/u, "")][0]?.toUpperCase() ?? "#");
}

function walk(event, list) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const rows = [...list.children];
  const next = rows[rows.indexOf(document.activeElement) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
