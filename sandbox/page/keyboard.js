import { h } from "./dom.js";
import { icon } from "./icons.js";

const STYLES = ["danger", "success", "primary"];

const styleOf = (button) => (STYLES.includes(button.style) ? button.style : "");

/** Of its own, so that it can be narrower than its longest word. */
const words = (text) => h("span", { class: "words" }, text);

export function inlineKeyboard(message, actions) {
  const rows = message.reply_markup?.inline_keyboard;
  if (!rows?.length) return null;
  return h(
    "div",
    { class: "inline-keyboard" },
    rows.map((row) =>
      h(
        "div",
        { class: "keys" },
        row.map((button) => inlineButton(message, button, actions)),
      ),
    ),
  );
}

function inlineButton(message, button, actions) {
  const look = { class: `key ${styleOf(button)}`, "data-testid": "inline-button" };
  const url = button.url ?? button.web_app?.url ?? button.login_url?.url;
  if (url && /^(https?|tg|mailto|tel):/i.test(url)) {
    return h("a", { ...look, href: url, target: "_blank", rel: "noopener noreferrer" }, words(button.text), icon("link"));
  }
  if (button.copy_text) {
    return h(
      "button",
      { ...look, type: "button", on: { click: () => actions.copy(button.copy_text.text) } },
      words(button.text),
      icon("copy"),
    );
  }
  const press = ({ currentTarget }) => actions.press(message, button, currentTarget);
  const dead = !button.callback_data || button.disabled;
  return h("button", { ...look, type: "button", disabled: dead, on: { click: press } }, words(button.text));
}

/** The keyboard below the customer's input field: each key writes its own text, or shares what it asks for. */
export function replyKeyboard(markup, onKey) {
  return h(
    "div",
    { class: "reply-keyboard", role: "group", "data-testid": "reply-keyboard" },
    markup.keyboard.map((row) =>
      h(
        "div",
        { class: "keys" },
        row.map((button) => {
          const key = typeof button === "string" ? { text: button } : button;
          return h(
            "button",
            { type: "button", class: `key ${styleOf(key)}`, on: { click: () => onKey(key) } },
            words(key.text),
          );
        }),
      ),
    ),
  );
}
