import { serviceText } from "./format.js";

export const TYPING_MS = 5000;

/** One chat as its viewer sees it: messages by topic, topics, pins, keyboard. General and private chats are topic 0. */
export class Chat {
  asked = false;
  loaded = false;
  topics = new Map();
  threads = new Map();
  messages = new Map();
  pinned = [];
  keyboard = null;
  commands = [];
  blocked = false;
  unread = new Map();
  typing = null;
  #sinceAsked = null;

  constructor({ id, user = null, bot = null, viewer }) {
    Object.assign(this, { id, user, bot, viewer });
  }

  get key() {
    return this.bot ? `${this.user}:${this.bot}` : String(this.id);
  }

  /** What happens between the question and its answer is done once more on top of the answer. */
  expect() {
    this.#sinceAsked = [];
  }

  load(seen) {
    this.info = seen.chat;
    this.topics = new Map((seen.topics ?? []).filter((topic) => !topic.deleted).map((topic) => [topic.thread, topic]));
    this.messages.clear();
    this.threads.clear();
    for (const message of seen.messages ?? []) this.put(message);
    this.pinned = seen.pinned ?? [];
    this.keyboard = seen.reply_keyboard ?? null;
    this.commands = seen.commands ?? [];
    this.blocked = Boolean(seen.blocked);
    this.loaded = true;
    const missed = this.#sinceAsked ?? [];
    this.#sinceAsked = null;
    missed.forEach((event) => this.apply(event));
  }

  apply(event) {
    this.#sinceAsked?.push(event);
    APPLY[event.type]?.(this, event);
  }

  replace(id, change) {
    const message = this.messages.get(id);
    if (message) this.put({ ...message, ...change(message) });
  }

  threadOf(message) {
    return (message.is_topic_message && message.message_thread_id) || 0;
  }

  /** A topic goes with all that is in it, and no event names its messages. */
  drop(thread) {
    for (const id of this.threads.get(thread)?.keys() ?? []) this.messages.delete(id);
    for (const part of [this.threads, this.topics, this.unread]) part.delete(thread);
  }

  /** Messages of one topic in the order of their ids. */
  thread(id) {
    const messages = this.threads.get(id);
    return messages ? [...messages.values()].sort((a, b) => a.message_id - b.message_id) : [];
  }

  last(thread) {
    return this.thread(thread).at(-1) ?? null;
  }

  /** The last message somebody wrote, pins and the like left out. */
  lastSaid(thread) {
    return this.thread(thread).findLast((message) => serviceText(message) === null) ?? null;
  }

  pinnedIn(thread) {
    return this.pinned
      .map((id) => this.messages.get(id))
      .filter((message) => message && this.threadOf(message) === thread);
  }

  typingIn(thread) {
    return Boolean(this.typing && this.typing.thread === thread && this.typing.until > Date.now());
  }

  unreadAll() {
    let all = 0;
    for (const count of this.unread.values()) all += count;
    return all;
  }

  put(message) {
    const before = this.messages.get(message.message_id);
    if (before) this.threads.get(this.threadOf(before))?.delete(message.message_id);
    this.messages.delete(message.message_id);
    if (message.deleted) return;
    const thread = this.threadOf(message);
    if (!this.threads.has(thread)) this.threads.set(thread, new Map());
    this.threads.get(thread).set(message.message_id, message);
    this.messages.set(message.message_id, message);
  }
}

const APPLY = {
  message: (chat, { message }) => {
    chat.typing = null;
    chat.put(message);
  },
  edited: (chat, { message }) => chat.put(message),
  deleted: (chat, { message_id: id }) => chat.put({ ...chat.messages.get(id), message_id: id, deleted: true }),
  reaction: (chat, { message_id: id, reactions }) => chat.replace(id, () => ({ reactions })),
  pinned: (chat, { pinned }) => {
    const before = chat.pinned;
    chat.pinned = pinned;
    for (const id of new Set([...before, ...pinned])) chat.replace(id, () => ({ pinned: pinned.includes(id) }));
  },
  topic: (chat, { topic }) => {
    if (topic.deleted) chat.drop(topic.thread);
    else chat.topics.set(topic.thread, topic);
  },
  member: (chat, { status }) => {
    if (chat.bot) chat.blocked = status === "kicked";
  },
  keyboard: (chat, event) => (chat.keyboard = event.reply_keyboard),
  action: (chat, { thread = 0, action }) => (chat.typing = { thread, action, until: Date.now() + TYPING_MS }),
};
