import { CustomerPane } from "./customer.js";
import { h, isPhone } from "./dom.js";
import { EngineersPane } from "./engineers.js";
import { icon } from "./icons.js";
import { Presses } from "./press.js";
import { go, onRoute, routeOf } from "./route.js";
import { language, languageNames, setLanguage, t } from "./texts.js";
import { World } from "./world.js";

const world = new World();
const presses = new Presses(world);
const customer = new CustomerPane(world, presses);
const engineers = new EngineersPane(world, presses);

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
const bar = h(
  "header",
  { class: "bar" },
  h("img", { src: "/page/icon.svg", alt: "", width: "24", height: "24" }),
  h("b", {}, "Kezekshi"),
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
const panes = h("main", { class: "panes" }, customer.node, engineers.node);
const lost = h("div", { class: "lost", role: "status" }, t("reconnecting"));
const tabs = { customer: tab("customer"), engineers: tab("engineers") };
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

const openTab = () => (routeOf("tab") === "engineers" ? "engineers" : "customer");

function isWatched(chat, thread) {
  if (document.visibilityState !== "visible") return false;
  if (chat.bot) return chat === customer.chat && (!isPhone() || openTab() === "customer");
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
  if (!peopled) return;
  customer.draw();
  engineers.draw();
  markRead();
  const open = openTab();
  for (const [name, pane] of [
    ["customer", customer],
    ["engineers", engineers],
  ]) {
    const unread = pane.unread();
    tabs[name].badge.textContent = unread ? String(unread) : "";
    tabs[name].badge.hidden = !unread;
    tabs[name].node.setAttribute("aria-current", String(name === open));
  }
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
matchMedia("(max-width: 640px)").addEventListener("change", drawSoon);
draw();
world.start();
