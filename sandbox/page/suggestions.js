import { h } from "./dom.js";

/** A press on the node leaves the focus in the input field, so that the list is still there when the press counts. */
export const keepFocus = (node) => node.addEventListener("mousedown", (event) => event.preventDefault());

/** The bot's commands above the input field: all of them by the menu button, the matching ones while typing "/". */
export class Suggestions {
  #commands = [];
  #picked = 0;
  #all = false;

  constructor(input, choose) {
    this.input = input;
    this.choose = choose;
    this.node = h("div", { class: "suggestions", role: "listbox" });
    this.node.hidden = true;
    input.addEventListener("blur", ({ relatedTarget }) => this.node.contains(relatedTarget) || this.#close());
    keepFocus(this.node);
  }

  offer(commands) {
    if (commands === this.#commands) return;
    this.#commands = commands;
    this.#draw();
  }

  toggle() {
    this.#all = !this.#all;
    this.#picked = 0;
    this.#draw();
    if (this.#all) this.input.focus();
  }

  typed() {
    this.#all = false;
    this.#picked = 0;
    this.#draw();
  }

  #matching() {
    if (this.#all) return this.#commands;
    const typed = /^\/(\w*)$/u.exec(this.input.value);
    return typed ? this.#commands.filter(({ command }) => command.startsWith(typed[1])) : [];
  }

  #draw() {
    const found = this.#matching();
    this.node.hidden = !found.length;
    this.node.replaceChildren(
      ...found.map(({ command, description }, at) =>
        h(
          "button",
          {
            type: "button",
            class: "suggestion",
            role: "option",
            "aria-selected": String(at === this.#picked),
            on: { click: () => this.#take(command) },
          },
          h("b", {}, `/${command}`),
          h("span", {}, description),
        ),
      ),
    );
  }

  #take(command) {
    this.input.value = "";
    this.#close();
    this.choose(`/${command}`);
  }

  #close() {
    this.#all = false;
    this.node.hidden = true;
  }

  /** True when the key was meant for the list. */
  key(event) {
    if (this.node.hidden) return false;
    const found = this.#matching();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      this.#picked = (this.#picked + step + found.length) % found.length;
      this.#draw();
      this.node.children[this.#picked].scrollIntoView({ block: "nearest" });
    } else if (event.key === "Tab" || event.key === "Enter") {
      // A complete command is simply sent by Enter; Tab and a beginning take the picked one.
      this.#take(found[this.#picked].command);
    } else if (event.key === "Escape") {
      this.#close();
    } else {
      return false;
    }
    event.preventDefault();
    return true;
  }
}
