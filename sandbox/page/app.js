import { Cabinets } from "./cabinets.js";
import { CloudPane } from "./cloud.js";
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
const cloud = new CloudPane(new Cabinets(world));

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
const cloudSide = side("cloud", "cloud");
const sides = h("span", { class: "sides", role: "group" }, chatSide.node, mailSide.node, cloudSide.node);
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
const panes = h("main", { class: "panes" }, customer.node, mail.node, cloud.node, engineers.node);
const lost = h("div", { class: "lost", role: "status" }, t("reconnecting"));
const tabs = { customer: tab("customer"), engineers: tab("engineers"), mail: tab("mail"), cloud: tab("cloud") };
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

/** Between phone and wide screen the customer's chat, mailbox and cabinet share one place. */
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

/** Mailbox and cabinet, those of them that there are. */
const besides = () => Object.entries({ mail, cloud }).flatMap(([name, pane]) => (pane.choice() ? name : []));

function openTab() {
  const tab = routeOf("tab");
  return tab === "engineers" || besides().includes(tab) ? tab : "customer";
}

/** Which of them lies beside the chat on a wide screen; null when there is none. */
const beside = () => (besides().includes(openTab()) ? openTab() : (besides()[0] ?? null));

function sees(name) {
  if (isPhone()) return openTab() === name;
  if (name === "customer") return isWide() || !besides().includes(openTab());
  return name === "engineers" || name === (isWide() ? beside() : openTab());
}

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
  const there = peopled ? besides() : [];
  for (const [name, { node }, { node: button }] of [
    ["mail", mail, mailSide],
    ["cloud", cloud, cloudSide],
  ])
    node.hidden = button.hidden = tabs[name].node.hidden = !there.includes(name);
  sides.hidden = !there.length;
  sides.classList.toggle("both", there.length > 1);
  panes.classList.toggle("with-beside", there.length > 0);
  if (!peopled) return;
  document.body.dataset.beside = beside() ?? "";
  customer.draw();
  engineers.draw();
  if (there.includes("mail")) mail.draw(document.visibilityState === "visible" && sees("mail"));
  if (there.includes("cloud")) cloud.draw();
  markRead();
  const open = openTab();
  for (const [name, pane] of Object.entries({ customer, engineers, mail, cloud })) {
    count(tabs[name].badge, pane.unread());
    tabs[name].node.setAttribute("aria-current", String(name === open));
  }
  for (const [name, { node, badge }, pane] of [
    ["customer", chatSide, customer],
    ["mail", mailSide, mail],
    ["cloud", cloudSide, cloud],
  ]) {
    count(badge, pane.unread());
    node.setAttribute("aria-pressed", String(sees(name)));
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
