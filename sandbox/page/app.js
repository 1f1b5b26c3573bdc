import { CustomerPane } from "./customer.js";
import { h, isPhone, isWide } from "./dom.js";
import { EngineersPane } from "./engineers.js";
import { icon } from "./icons.js";
import { MailPane } from "./mail.js";
import { Post } from "./post.js";
import { Presses } from "./press.js";
import { go, onRoute, routeOf } from "./route.js";
import { language, languageNames, setLanguage, t } from "./texts.js";
import { World } from "./world.js";

const world = new World();
const presses = new Presses(world);
const customer = new CustomerPane(world, presses);
const engineers = new EngineersPane(world, presses);
const mail = new MailPane(new Post(world));

const line = h("span", { class: "line", role: "status", "data-testid": "line" });
const languages = h(
  "span",
  { class: "languages", role: "group", "aria-label": t("language") },
  Object.entries(languageNames).map(([tag, name]) =>
    h(
      "button",
      { type: "button", lang: tag, "aria-pressed": String(tag === language), on: { click: () => setLanguage(tag) } },
      name,
    ),
  ),
);
const chatSide = side("customer", "chat");
const mailSide = side("mail", "mail");
const sides = h("span", { class: "sides", role: "group" }, chatSide.node, mailSide.node);
const bar = h(
  "header",
  { class: "bar" },
  h("img", { src: "/page/icon.svg", alt: "", width: "24", height: "24" }),
  h("b", {}, "Kezekshi"),
  sides,
  h("span", { class: "tagline" }, t("tagline")),
  line,
  languages,
);
const waiting = h(
  "div",
  { class: "waiting", "data-testid": "waiting" },
  h("span", { class: "pulse", "aria-hidden": "true" }),
  h("b", {}, t("waiting")),
  h("p", { class: "quiet" }, t("waiting_more")),
);
const panes = h("main", { class: "panes" }, customer.node, mail.node, engineers.node);
const lost = h("div", { class: "lost", role: "status" }, t("reconnecting"));
const tabs = { customer: tab("customer"), engineers: tab("engineers"), mail: tab("mail") };
const tabBar = h(
  "nav",
  { class: "tabs", "aria-label": t("menu") },
  Object.values(tabs).map(({ node }) => node),
);

function tab(name) {
  const badge = h("span", { class: "badge" });
  const node = h(
    "button",
    { type: "button", class: "tab", data: { testid: `tab-${name}` }, on: { click: () => go({ tab: name }) } },
    h("span", { class: "tab-sign" }, icon(name), badge),
    t(name),
  );
  return { node, badge };
}

/** Between phone and wide screen the customer's chat and mailbox share one place. */
function side(name, label) {
  const badge = h("span", { class: "badge" });
  const node = h(
    "button",
    { type: "button", data: { testid: `side-${name}` }, on: { click: () => go({ tab: name }) } },
    icon(name),
    t(label),
    badge,
  );
  return { node, badge };
}

function openTab() {
  const tab = routeOf("tab");
  return tab === "engineers" || (tab === "mail" && mail.choice()) ? tab : "customer";
}

const sees = (name) => (isPhone() ? openTab() === name : isWide() || (openTab() === "mail") === (name === "mail"));

function isWatched(chat, thread) {
  if (document.visibilityState !== "visible") return false;
  if (chat.bot) return chat === customer.chat && sees("customer");
  if (chat !== engineers.chat || thread !== engineers.thread) return false;
  return !isPhone() || (openTab() === "engineers" && engineers.openThread(chat) !== null);
}

function markRead() {
  const open = [
    [customer.chat, 0],
    [engineers.chat, engineers.thread],
  ];
  const read = open.filter(([chat, thread]) => chat && isWatched(chat, thread) && chat.unread.delete(thread));
  if (read.length) drawSoon();
}

function draw() {
  const peopled = Boolean(customer.choice());
  document.body.classList.toggle("offline", !world.live);
  document.body.dataset.tab = openTab();
  line.textContent = world.live ? t("connected") : t("reconnecting");
  lost.hidden = world.live || !world.ready;
  waiting.hidden = peopled;
  panes.hidden = tabBar.hidden = !peopled;
  const mailed = peopled && Boolean(mail.choice());
  mail.node.hidden = tabs.mail.node.hidden = sides.hidden = !mailed;
  panes.classList.toggle("with-mail", mailed);
  if (!peopled) return;
  customer.draw();
  engineers.draw();
  if (mailed) mail.draw(document.visibilityState === "visible" && sees("mail"));
  markRead();
  const open = openTab();
  for (const [name, pane] of Object.entries({ customer, engineers, mail })) {
    count(tabs[name].badge, pane.unread());
    tabs[name].node.setAttribute("aria-current", String(name === open));
  }
  for (const [{ node, badge }, pane] of [
    [chatSide, customer],
    [mailSide, mail],
  ]) {
    count(badge, pane.unread());
    node.setAttribute("aria-pressed", String((pane === mail) === (open === "mail")));
  }
}

function count(badge, unread) {
  badge.textContent = unread ? String(unread) : "";
  badge.hidden = !unread;
}

let asked = false;

/** Many events come at once; the page is drawn once per frame. */
function drawSoon() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    draw();
  });
}

document.documentElement.lang = language;
document.title = t("title");
document.getElementById("app").append(bar, lost, waiting, panes, tabBar);
world.watched = isWatched;
world.onChange(drawSoon);
onRoute(drawSoon);
addEventListener("visibilitychange", drawSoon);
for (const edge of ["(max-width: 640px)", "(min-width: 1600px)"]) matchMedia(edge).addEventListener("change", drawSoon);
draw();
world.start();
