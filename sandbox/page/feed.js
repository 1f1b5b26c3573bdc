import { h, reconcile, reducedMotion } from "./dom.js";
import { dayKey, dayOf, personName, senderOf, serviceText } from "./format.js";
import { icon } from "./icons.js";
import { onLongPress } from "./touch.js";
import { messageNode, serviceNode } from "./message.js";
import { t } from "./texts.js";

const WINDOW = 150;
const NEAR_BOTTOM_PX = 60;
const RUN_SECONDS = 300;

/** The messages of one topic or private chat, the newest in sight unless the reader scrolled away. */
export class Feed {
  #shown = WINDOW;
  #following = true;
  #place = "";
  #newest = 0;
  #missed = 0;
  #top = 0;

  constructor(actions) {
    this.actions = actions;
    this.list = h("div", { class: "feed-list" });
    this.earlier = h(
      "button",
      { type: "button", class: "earlier", on: { click: () => this.#showEarlier() } },
      t("earlier"),
    );
    this.scroller = h(
      "div",
      { class: "feed", role: "log", "aria-live": "polite", "aria-relevant": "additions", tabindex: "0" },
      this.earlier,
      this.list,
    );
    this.pillText = h("span", {});
    this.pill = h(
      "button",
      { type: "button", class: "pill", "aria-label": t("to_bottom"), on: { click: () => this.toBottom(true) } },
      icon("down"),
      this.pillText,
    );
    this.pill.hidden = true;
    this.node = h("div", { class: "feed-frame" }, this.scroller, this.pill);
    this.scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.#following && this.toBottom(false)).observe(this.scroller);
    new ResizeObserver(() => this.#following && this.toBottom(false)).observe(this.list);
    onLongPress(this.list, (row, point) => row.bubbleOf && this.actions.menu(row.bubbleOf, point));
  }

  draw({ chat, thread, me }) {
    const place = `${chat.key}/${thread}/${me}`;
    const moved = place !== this.#place;
    if (moved) this.#enter(place);
    const all = chat.thread(thread);
    const visible = all.slice(-this.#shown);
    this.earlier.hidden = visible.length === all.length;
    this.scroller.setAttribute("aria-label", chat.info?.title ?? personName(chat.info));
    this.scroller.setAttribute("aria-live", moved ? "off" : "polite");
    reconcile(this.list, items(visible, me, Boolean(!chat.bot)), (item, before) => this.#node(item, before), leave);
    this.#count(all, me, moved);
    if (this.#following) this.toBottom(false);
    this.#showPill();
  }

  #enter(place) {
    this.#place = place;
    this.#shown = WINDOW;
    this.#following = true;
    this.#newest = 0;
    this.#missed = 0;
  }

  #node(item, before) {
    if (item.day) return h("div", { class: "service day" }, h("span", {}, item.day));
    if (item.service) return serviceNode(item.service);
    const node = messageNode(item.part, this.actions, before);
    node.bubbleOf = item.part;
    if (!before && this.#newest && item.part.messages[0].message_id > this.#newest && !reducedMotion())
      node.classList.add("arriving");
    return node;
  }

  #count(all, me, moved) {
    const fresh = all.filter((message) => message.message_id > this.#newest);
    if (!moved && fresh.some((message) => message.from?.id === me)) this.#following = true;
    if (!moved && !this.#following) this.#missed += fresh.length;
    this.#newest = all.at(-1)?.message_id ?? this.#newest;
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    // Growing content also takes one away from the bottom; only moving up means to stay where one is.
    const up = scrollTop < this.#top;
    this.#top = scrollTop;
    this.#following = scrollHeight - scrollTop - clientHeight < NEAR_BOTTOM_PX || (this.#following && !up);
    if (this.#following) this.#missed = 0;
    this.#showPill();
  }

  #showPill() {
    this.pill.hidden = this.#following;
    this.pillText.textContent = this.#missed ? t("new_messages", this.#missed) : "";
  }

  #showEarlier() {
    const below = this.scroller.scrollHeight - this.scroller.scrollTop;
    this.#shown += WINDOW;
    this.actions.redraw();
    this.scroller.scrollTop = this.scroller.scrollHeight - below;
  }

  toBottom(smooth) {
    this.scroller.scrollTo({
      top: this.scroller.scrollHeight,
      behavior: smooth && !reducedMotion() ? "smooth" : "instant",
    });
  }

  jump(id) {
    const find = () => this.list.querySelector(`[data-message-id="${id}"], [data-part="${id}"]`);
    if (!find()) {
      this.#shown = Number.MAX_SAFE_INTEGER;
      this.actions.redraw();
    }
    const node = find();
    if (!node) return;
    this.#following = false;
    node.scrollIntoView({ block: "center", behavior: reducedMotion() ? "instant" : "smooth" });
    node.classList.remove("found");
    // Read to make the browser notice the class was gone, so that the mark shows a second time too.
    void node.offsetWidth;
    node.classList.add("found");
  }
}

function leave(node) {
  if (!node.bubbleOf || reducedMotion() || !node.isConnected) return node.remove();
  node.style.height = `${node.offsetHeight}px`;
  node.classList.add("leaving");
  delete node.dataset.testid;
  node.addEventListener("animationend", (event) => event.target === node && node.remove());
  return undefined;
}

/** What stands one below the other: days, service lines, messages and albums, in runs of one sender. */
function items(messages, me, group) {
  const list = [];
  let day = null;
  let part = null;
  for (const message of messages) {
    if (dayKey(message.date) !== day) {
      day = dayKey(message.date);
      part = null;
      list.push({ key: `day ${day}`, version: [day], day: dayOf(message.date) });
    }
    if (serviceText(message) !== null) {
      part = null;
      list.push({ key: message.message_id, version: [message], service: message });
    } else if (part && message.media_group_id && part.messages[0].media_group_id === message.media_group_id) {
      part.messages.push(message);
    } else {
      part = nextPart(message, part, me, group);
      list.push({ key: message.message_id, part });
    }
  }
  for (const item of list) if (item.part) item.version = [...item.part.messages, item.part.named, item.part.ends];
  return list;
}

function nextPart(message, before, me, group) {
  const own = message.from?.id === me && !message.sender_chat;
  const run =
    before &&
    senderOf(before.messages[0])?.id === senderOf(message)?.id &&
    message.date - before.messages.at(-1).date < RUN_SECONDS;
  if (run) before.ends = false;
  return { messages: [message], me, own, group, named: group && !own && !run, ends: true };
}
