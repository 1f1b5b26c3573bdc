import { get, post } from "./api.js";

/** Everybody's mail as the page knows it: whose mailboxes there are and what lies in them, kept true by the events. */
export class Post {
  accounts = [];
  #mails = new Map();
  #asking = new Map();
  #read = new Set();
  #live = false;

  constructor(world) {
    this.world = world;
    world.onEvent((event) => this.#apply(event));
    world.onChange(() => this.#line());
  }

  /** The people who write; the desk's own mailbox is nobody's to play. */
  people() {
    return this.accounts.filter(({ desk }) => !desk);
  }

  desk() {
    return this.accounts.find(({ desk }) => desk) ?? null;
  }

  /** As the mail says it, or as the address book does. */
  nameOf({ name, address }) {
    return name || this.accounts.find((one) => one.address === address)?.name || address;
  }

  mails(address) {
    return this.#mails.get(address) ?? [];
  }

  /** Conversations of a mailbox, the one with the newest mail first. */
  threads(address) {
    const threads = Map.groupBy(this.mails(address), ({ thread }) => thread);
    return [...threads]
      .map(([id, mails]) => ({ id, mails, last: mails.at(-1), unread: mails.filter(isUnread).length }))
      .sort((a, b) => b.last.at - a.last.at);
  }

  unread(address) {
    return this.mails(address).filter(isUnread).length;
  }

  /** Asked again after it, the server knows; until then the page does, so that nothing is told twice. */
  async read(address, mails) {
    const ids = mails.filter(isUnread).map(({ id }) => id);
    const news = ids.filter((id) => !this.#read.has(id));
    if (!news.length) return;
    news.forEach((id) => this.#read.add(id));
    await post("/mail/seen", { account: address, ids: news }).catch(() => news.forEach((id) => this.#read.delete(id)));
  }

  #line() {
    if (this.world.live && !this.#live) this.#load();
    this.#live = this.world.live;
  }

  async #load() {
    try {
      this.accounts = (await get("/mail")).accounts;
    } catch {
      // The line is down again; its return asks once more.
      return;
    }
    this.people().forEach(({ address }) => this.#ask(address));
    this.world.changed();
  }

  /** One answer at a time: a mailbox that changes while it is read is read once more afterwards. */
  async #ask(address) {
    if (this.#asking.has(address)) {
      this.#asking.set(address, true);
      return;
    }
    this.#asking.set(address, false);
    try {
      const { mails } = await get(`/mail/mails?account=${encodeURIComponent(address)}`);
      this.#mails.set(address, mails);
    } catch {
      this.#mails.delete(address);
    }
    const again = this.#asking.get(address);
    this.#asking.delete(address);
    this.world.changed();
    if (again) this.#ask(address);
  }

  #apply({ type, account }) {
    if (type === "reset") {
      this.accounts = [];
      this.#mails.clear();
    } else if (type === "mail_account") {
      this.#load();
    } else if (["mail", "mail_seen"].includes(type) && this.people().some(({ address }) => address === account)) {
      this.#ask(account);
    }
  }
}

const isUnread = ({ folder, seen }) => folder === "INBOX" && !seen;
