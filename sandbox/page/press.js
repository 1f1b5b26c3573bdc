import { post } from "./api.js";
import { alertDialog } from "./dialog.js";
import { toast, toastError } from "./toast.js";
import { t } from "./texts.js";

const PATIENCE_MS = 15000;
const KEPT = 50;

/** Presses inline buttons and shows what the bot answers; the pressed button spins until then. */
export class Presses {
  // An answer may arrive by the event line before the press itself is confirmed.
  #answers = new Map();
  #waiting = new Map();

  constructor(world) {
    world.onEvent((event) => event.type === "callback_answer" && this.#answered(event));
  }

  async press({ from, chat, message, button }, key) {
    if (key.classList.contains("busy")) return;
    key.classList.add("busy");
    key.setAttribute("aria-busy", "true");
    try {
      const { callback_query_id: id } = await post("/press", {
        from,
        chat,
        message_id: message.message_id,
        button: button.callback_data,
      });
      show(await this.#answer(id));
    } catch (error) {
      toastError(error);
    } finally {
      key.classList.remove("busy");
      key.removeAttribute("aria-busy");
    }
  }

  #answer(id) {
    if (this.#answers.has(id)) return this.#answers.get(id);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, resolve);
      setTimeout(() => reject(new Error(t("no_answer"))), PATIENCE_MS);
    });
  }

  #answered(event) {
    this.#waiting.get(event.callback_query_id)?.(event);
    this.#waiting.delete(event.callback_query_id);
    this.#answers.set(event.callback_query_id, event);
    if (this.#answers.size > KEPT) this.#answers.delete(this.#answers.keys().next().value);
  }
}

function show({ text, show_alert: alert, url }) {
  if (url) open(url, "_blank", "noopener");
  if (!text) return;
  if (alert) alertDialog(text);
  else toast(text);
}
