import { remove } from "./api.js";
import { h } from "./dom.js";
import { emojiOf, textOf } from "./format.js";
import { openMenu } from "./menu.js";
import { t } from "./texts.js";
import { toastError } from "./toast.js";

const QUICK = ["👍", "❤", "🔥", "🎉", "👏", "🤔", "👀", "👎"];

/** What a person can do with a message, at the place they pressed. */
export function openMessageMenu(at, part, { place, composer, react, copy }) {
  const [first] = part.messages;
  const told = part.messages.find((message) => textOf(message)) ?? first;
  const mine = (first.reactions ?? []).find(({ by }) => by === place.me)?.emoji;
  const chosen = (emoji) => {
    menu.hidePopover();
    react(emoji === mine ? null : emoji);
  };
  const palette = h(
    "div",
    { class: "palette" },
    QUICK.map((emoji) =>
      h(
        "button",
        {
          type: "button",
          role: "menuitemradio",
          "aria-checked": String(emoji === mine),
          "aria-label": t("react", emoji),
          on: { click: () => chosen(emoji) },
        },
        emojiOf(emoji),
      ),
    ),
  );
  const menu = openMenu(
    at,
    [
      palette,
      { label: t("reply"), icon: "reply", run: () => composer.about({ message: first }) },
      textOf(told) && { label: t("copy_text"), icon: "copy", run: () => copy(textOf(told)) },
      part.own &&
        textOf(told) && { label: t("edit"), icon: "edit", run: () => composer.about({ message: told, edit: true }) },
      (part.own || place.mayDelete) && {
        label: t("delete"),
        icon: "trash",
        danger: true,
        run: () => deleteAll(part, place),
      },
    ],
    { label: t("actions") },
  );
}

async function deleteAll(part, { me, chat }) {
  try {
    await Promise.all(
      part.messages.map((message) => remove("/messages", { from: me, chat: chat.id, message_id: message.message_id })),
    );
  } catch (error) {
    toastError(error);
  }
}
