import { h } from "./dom.js";
import { snippet } from "./format.js";
import { icon } from "./icons.js";
import { t } from "./texts.js";

/** The pinned message above the feed; each press goes to the pin before it, as there may be several. */
export class PinnedBar {
  #pins = [];
  #at = 0;

  constructor(jump) {
    this.text = h("span", { class: "pinned-text" });
    this.count = h("b", {});
    this.node = h(
      "button",
      { type: "button", class: "pinned-bar", "data-testid": "pinned", on: { click: () => this.#press(jump) } },
      icon("pin"),
      h("span", { class: "pinned-lines" }, this.count, this.text),
    );
    this.node.hidden = true;
  }

  draw(pins) {
    if (pins.length === this.#pins.length && pins.every((pin, at) => pin === this.#pins[at])) return;
    this.#pins = pins;
    this.#at = pins.length - 1;
    this.#show();
  }

  #press(jump) {
    jump(this.#pins[this.#at].message_id);
    this.#at = (this.#at - 1 + this.#pins.length) % this.#pins.length;
    this.#show();
  }

  #show() {
    const pin = this.#pins[this.#at];
    this.node.hidden = !pin;
    if (!pin) return;
    this.count.textContent =
      this.#pins.length > 1 ? `${t("pinned")} ${this.#at + 1}/${this.#pins.length}` : t("pinned");
    this.text.textContent = snippet(pin);
  }
}
