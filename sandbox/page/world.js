import { get } from "./api.js";
import { Chat, TYPING_MS } from "./chat.js";
import { follow } from "./events.js";
import { serviceText } from "./format.js";

/**
 * What the page knows of the stand-in's world, kept true by its events. Values are replaced, never changed in
 * place, so that what is drawn can tell by identity what is new.
 */
export class World {
  bots = new Map();
  users = new Map();
  groups = new Map();
  chats = new Map();
  live = false;
  ready = false;
  #listeners = new Set();
  #eventListeners = new Set();
  #loading = null;

  /** Tells whether somebody looks at that part of a chat right now; what is looked at is not unread. */
  watched = () => false;

  start() {
    follow({
      onEvent: (event) => this.#apply(event),
      onLine: (up, again) => {
        this.live = up;
        if (up) this.#reload(again);
        this.changed();
      },
    });
  }

  onChange(listener) {
    this.#listeners.add(listener);
  }

  onEvent(listener) {
    this.#eventListeners.add(listener);
  }

  changed() {
    this.#listeners.forEach((listener) => listener());
  }

  /** The people who play customers: those outside every group, or everybody while there is no group. */
  customers() {
    const inside = new Set([...this.groups.values()].flatMap((group) => [...group.members.keys()]));
    const outside = [...this.users.values()].filter((user) => !inside.has(user.id));
    return outside.length ? outside : [...this.users.values()];
  }

  engineers(group) {
    return [...(group?.members.keys() ?? [])].map((id) => this.users.get(id)).filter(Boolean);
  }

  person(id) {
    return this.users.get(id) ?? this.bots.get(id);
  }

  privateChat(user, bot) {
    return this.#loaded(this.#known(`${user}:${bot}`, () => privateChat(user, bot)));
  }

  groupChat(id, viewer) {
    const chat = this.#known(String(id), () => new Chat({ id, viewer }));
    if (chat.viewer !== viewer) {
      chat.viewer = viewer;
      this.#loadCommands(chat);
    }
    return this.#loaded(chat);
  }

  #known(key, make) {
    if (!this.chats.has(key)) this.chats.set(key, make());
    return this.chats.get(key);
  }

  #loaded(chat) {
    if (!chat.asked) this.#loadChat(chat);
    return chat;
  }

  async #loadChat(chat) {
    chat.asked = true;
    chat.expect();
    try {
      chat.load(await get(`/chats/${chat.id}?viewer=${chat.viewer}`));
    } catch {
      // Asked once more when the line or the world has changed; to ask at once would be to ask without end.
    }
    this.changed();
  }

  /** Which commands there are depends on who looks, and no event tells them. */
  async #loadCommands(chat) {
    try {
      const { commands } = await get(`/chats/${chat.id}?viewer=${chat.viewer}`);
      chat.commands = commands;
    } catch {
      chat.commands = [];
    }
    this.changed();
  }

  /** One answer at a time: a world that changes while it is read is read once more afterwards. */
  async #reload(everything) {
    if (this.#loading) {
      this.#loading = { everything: this.#loading.everything || everything, again: true };
      return;
    }
    this.#loading = { everything, again: false };
    try {
      this.#take(await get("/state"), everything);
    } catch {
      // The line is down again; its return asks once more.
    }
    const { again, everything: all } = this.#loading;
    this.#loading = null;
    this.changed();
    if (again) this.#reload(all);
  }

  #take({ bots, users, groups }, everything) {
    this.bots = new Map(bots.map((bot) => [bot.id, bot]));
    this.users = new Map(users.map((user) => [user.id, user]));
    this.groups = new Map(groups.filter((group) => !group.migrated_to).map((group) => [group.id, seenGroup(group)]));
    this.ready = true;
    for (const [key, chat] of this.chats) {
      const known = chat.bot ? this.bots.has(chat.bot) && this.users.has(chat.user) : this.groups.has(chat.id);
      if (!known) this.chats.delete(key);
      else if (chat.asked && (everything || !chat.loaded)) this.#loadChat(chat);
    }
  }

  #apply(event) {
    if (event.type === "reset") {
      for (const part of [this.bots, this.users, this.groups, this.chats]) part.clear();
      this.#reload(false);
    } else if (["chat", "member"].includes(event.type) || this.#strange(event)) {
      this.#reload(false);
    } else if (event.type === "commands") {
      for (const chat of this.chats.values()) if (chat.asked) this.#loadCommands(chat);
    }
    if (event.type === "call") return;
    const chat = this.#chatOf(event);
    if (chat) {
      chat.apply(event);
      if (event.type === "message") this.#countUnread(chat, event.message);
    }
    this.#eventListeners.forEach((listener) => listener(event, chat));
    this.changed();
    // Nothing says that typing has stopped; it just lasts for a while.
    if (event.type === "action") setTimeout(() => this.changed(), TYPING_MS);
  }

  /** People may come into the world without an event of their own; then their first deed shows them. */
  #strange({ message }) {
    const who = message?.from;
    return !this.users.size || !this.bots.size || (who && !who.is_bot && !this.users.has(who.id));
  }

  /** In a private chat an event names the bot as the chat, and whose chat with it that is as the viewer. */
  #chatOf(event) {
    if (event.chat === undefined) return null;
    if (event.viewer === undefined) return this.chats.get(String(event.chat)) ?? null;
    return this.#known(`${event.viewer}:${event.chat}`, () => privateChat(event.viewer, event.chat));
  }

  #countUnread(chat, message) {
    const thread = chat.threadOf(message);
    if (message.from?.id === chat.viewer || serviceText(message) || this.watched(chat, thread)) return;
    chat.unread.set(thread, (chat.unread.get(thread) ?? 0) + 1);
  }
}

const privateChat = (user, bot) => new Chat({ id: bot, user, bot, viewer: user });

const seenGroup = (group) => ({
  ...group,
  members: new Map((group.members ?? []).map((member) => [member.user.id, member.status])),
});
