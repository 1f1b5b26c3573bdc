import { post } from "./api.js";
import { sheet } from "./dialog.js";
import { h, reconcile } from "./dom.js";
import { icon } from "./icons.js";
import { personOf } from "./letter.js";
import { inTrouble, machineNode, versionOf } from "./machine.js";
import { openMenu } from "./menu.js";
import { Picker } from "./picker.js";
import { go, routeOf } from "./route.js";
import { languageEntries, t } from "./texts.js";
import { toastError } from "./toast.js";

const RESOURCES = ["instances", "vcpus", "ram", "networks", "routers", "floating_ips"];

/** One customer's cabinet in the cloud: servers that live and can be made to fail, and what the quota leaves. */
export class CloudPane {
  constructor(cabinets) {
    this.cabinets = cabinets;
    this.which = new Picker("which-cabinet", t("which_cabinet"), (at) => go({ cabinet: cabinets.all()[at].id }));
    this.title = h("b", {}, t("cloud"));
    this.status = h("span", { class: "status" });
    this.add = round("plus", t("cloud_launch"), () => this.#launch(), "cloud-launch");
    this.more = round("more", t("menu"), () => openMenu(this.more, languageEntries(), { label: t("menu") }));
    this.more.classList.add("cloud-more");
    this.quotas = h("dl", { class: "quotas", "data-testid": "quotas" });
    this.list = h("div", { class: "vms", "data-testid": "vms" });
    this.nothing = h("p", { class: "quiet centred" }, t("cloud_empty"));
    this.node = h(
      "section",
      { class: "pane cloud", "data-testid": "pane-cloud", "aria-label": t("cloud") },
      h(
        "header",
        { class: "head" },
        h("div", { class: "head-text" }, this.title, this.status),
        this.which.node,
        this.add,
        this.more,
      ),
      h("div", { class: "cloud-body" }, this.quotas, this.list, this.nothing),
    );
  }

  /** Whose cabinet is open, as the address says or as makes sense; null while there is none. */
  choice() {
    const all = this.cabinets.all();
    return all.find(({ id }) => id === routeOf("cabinet")) ?? all[0] ?? null;
  }

  /** Servers that somebody should look after. */
  unread() {
    return this.cabinets.all().reduce((sum, project) => sum + troubled(project), 0);
  }

  draw() {
    const project = this.choice();
    const all = this.cabinets.all();
    this.which.draw(
      all.map((one, id) => ({ id, label: one.name, person: personOf({ name: one.name, address: one.id }) })),
      all.indexOf(project),
      this.unread() - troubled(project),
    );
    this.status.textContent = t("servers", project.servers.length);
    this.nothing.hidden = project.servers.length > 0;
    reconcile(
      this.quotas,
      RESOURCES.map((name) => ({ key: name, name, version: Object.values(project.quotas[name]) })),
      ({ name }) => quotaNode(name, project.quotas[name]),
    );
    reconcile(
      this.list,
      project.servers.map((one) => ({ key: one.id, one, version: versionOf(one) })),
      ({ one }) => machineNode(one),
    );
  }

  #launch() {
    const { id, servers } = this.choice();
    const name = h("input", {
      class: "field",
      required: true,
      maxlength: "60",
      "aria-label": t("cloud_name"),
      placeholder: t("cloud_name"),
      value: `vm-${servers.length + 1}`,
      data: { testid: "launch-name" },
    });
    const zone = h(
      "select",
      { class: "field", "aria-label": t("cloud_zone"), data: { testid: "launch-zone" } },
      this.cabinets.zones.map((one) => h("option", { value: one }, one)),
    );
    const form = h(
      "form",
      { on: { submit: (event) => submit(event) } },
      name,
      zone,
      h(
        "footer",
        {},
        h("span", { class: "quiet" }, t("cloud_size", 2, 4)),
        h("button", { type: "submit", class: "button primary", data: { testid: "launch-go" } }, t("cloud_launch")),
      ),
    );
    const dialog = sheet(t("cloud_launch"), form);
    name.select();
    async function submit(event) {
      event.preventDefault();
      try {
        await post("/cloud/launch", { project: id, name: name.value.trim(), zone: zone.value });
        dialog.close();
      } catch (error) {
        toastError(error);
      }
    }
  }
}

const troubled = ({ servers }) => servers.filter(inTrouble).length;

function quotaNode(name, { limit, used }) {
  const share = limit > 0 ? Math.min(used / limit, 1) : 0;
  const size = name === "ram" ? (mib) => t("gib", mib / 1024) : String;
  const bar = h("span", { class: share >= 1 ? "quota-fill full" : "quota-fill" });
  // The page's policy allows no style attribute; a property set by a script is none.
  bar.style.width = `${share * 100}%`;
  return h(
    "div",
    { class: "quota", data: { testid: `quota-${name}` } },
    h("dt", {}, t("quota_names")[name]),
    h("dd", {}, `${size(used)} / ${limit < 0 ? "∞" : size(limit)}`),
    h("span", { class: "quota-bar", "aria-hidden": "true" }, bar),
  );
}

function round(sign, label, run, testid = null) {
  return h(
    "button",
    { type: "button", class: "round", "aria-label": label, title: label, "data-testid": testid, on: { click: run } },
    icon(sign),
  );
}
