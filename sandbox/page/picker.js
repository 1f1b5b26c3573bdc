import { h } from "./dom.js";
import { avatar } from "./format.js";

/** A native select dressed as a chip with an avatar; it is only filled anew when its choices differ. */
export class Picker {
  #signature = "";

  constructor(testid, label, onPick) {
    this.face = h("span", { class: "picker-face" });
    this.select = h("select", {
      "aria-label": label,
      title: label,
      data: { testid },
      on: { change: () => onPick(Number(this.select.value)) },
    });
    this.elsewhere = h("span", { class: "badge" });
    this.node = h("label", { class: "picker" }, this.face, this.select, this.elsewhere);
  }

  /** `choices` are {id, label, person?}; `elsewhere` counts what waits unread behind the other choices. */
  draw(choices, chosen, elsewhere = 0) {
    this.elsewhere.hidden = !elsewhere;
    this.elsewhere.textContent = String(elsewhere);
    const signature = JSON.stringify([choices.map(({ id, label }) => [id, label]), chosen]);
    if (signature === this.#signature) return;
    this.#signature = signature;
    this.select.replaceChildren(...choices.map(({ id, label }) => h("option", { value: String(id) }, label)));
    this.select.value = String(chosen);
    const person = choices.find(({ id }) => id === chosen)?.person;
    this.face.replaceChildren(...(person ? [avatar(person, "small")] : []));
  }
}
