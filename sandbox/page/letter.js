import { h } from "./dom.js";
import { avatar, dayOf, isoOf, sizeOf, timeOf } from "./format.js";
import { icon } from "./icons.js";
import { t } from "./texts.js";

/** A mail's person as the page's avatars know people; the same address always has the same colour. */
export function personOf({ name, address }) {
  let id = 0;
  for (const letter of address) id = (id * 17 + letter.codePointAt(0)) % 1_000_003;
  return { id, first_name: name || address };
}

/** One mail, opened. `settled` is called once its height is what it will be. */
export function letterNode(mail, { account, nameOf, settled }) {
  const own = mail.from.address === account.address;
  const place = `/sandbox/mail/${encodeURIComponent(account.address)}/${mail.id}`;
  return h(
    "article",
    { class: own ? "letter own" : "letter", data: { testid: "letter", mail: mail.id } },
    h(
      "header",
      { class: "letter-head" },
      avatar(personOf(mail.from)),
      h(
        "div",
        { class: "letter-who" },
        h("b", { title: mail.from.address }, own ? t("you") : nameOf(mail.from)),
        h("span", { class: "quiet" }, t("mail_to", [...mail.to, ...mail.cc].map(nameOf).join(", "))),
      ),
      h("time", { datetime: isoOf(mail.at) }, `${dayOf(mail.at)}, ${timeOf(mail.at)}`),
    ),
    // One's own words need no dress; a mail from outside is shown as its sender made it.
    mail.html && !own ? frame(place, mail, settled) : plain(mail),
    mail.attachments.length > 0 &&
      h(
        "div",
        { class: "letter-files" },
        mail.attachments.map((file) => chip(place, file)),
      ),
  );
}

function plain({ said, quoted }) {
  return h(
    "div",
    { class: "letter-text", dir: "auto" },
    said,
    quoted &&
      h(
        "details",
        {},
        h("summary", { "aria-label": t("mail_quoted"), title: t("mail_quoted") }, "•••"),
        h("p", {}, quoted),
      ),
  );
}

/** The server cleans the mail's HTML and guards it with a policy of its own; no script ever runs in the frame. */
function frame(place, mail, settled) {
  const node = h("iframe", {
    class: "letter-frame",
    src: `${place}/html`,
    title: mail.subject,
    sandbox: "allow-same-origin allow-popups allow-popups-to-escape-sandbox",
    referrerpolicy: "no-referrer",
  });
  const fit = () => {
    const body = node.contentDocument?.body;
    if (body) node.style.height = `${Math.ceil(body.getBoundingClientRect().height)}px`;
  };
  node.addEventListener("load", fit);
  // The height just set is true for those around it only once the frame has been laid out.
  new ResizeObserver(() => {
    fit();
    settled();
  }).observe(node);
  return node;
}

function chip(place, { n, name, size }) {
  return h(
    "a",
    { class: "staged-file", href: `${place}/attachments/${n}`, download: name },
    icon("document"),
    h("span", {}, name),
    h("small", {}, sizeOf(size)),
  );
}
