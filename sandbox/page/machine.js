import { post } from "./api.js";
import { confirmDialog } from "./dialog.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { openMenu } from "./menu.js";
import { t } from "./texts.js";
import { toast, toastError } from "./toast.js";

const FAULTS = [
  ["cloud_refuse", { kind: "refuse", code: 409 }],
  ["cloud_busy", { kind: "503", retry_after: 5 }],
  ["cloud_broken", { kind: "500" }],
  ["cloud_cut", { kind: "drop" }],
  ["cloud_cut_done", { kind: "drop", done: true }],
  ["cloud_silent", { kind: "hang", seconds: 60, done: true }],
  ["cloud_fail", { kind: "fail" }],
  ["cloud_stuck", { kind: "stuck" }],
];

const LOOKS = { ACTIVE: "good", ERROR: "bad" };

export const inTrouble = ({ status, stuck }) => stuck || status === "ERROR";

/** All of a server that is seen: if one part changes, it is drawn anew. */
export const versionOf = (one) => [one.name, one.status, one.task, one.locked, one.stuck, one.faulty, one.host_alive];

export function machineNode(machine) {
  const { id, name, zone, locked, faulty, vcpus, ram } = machine;
  const trouble = small("faults", t("cloud_next", name), () => openMenu(trouble, faultEntries(machine)), "vm-faults");
  trouble.classList.toggle("armed", faulty);
  const more = small("more", t("cloud_more", name), () => openMenu(more, entries(machine)), "vm-more");
  return h(
    "article",
    { class: inTrouble(machine) ? "vm troubled" : "vm", data: { testid: "vm", server: id } },
    h(
      "div",
      { class: "vm-lines" },
      h("div", { class: "vm-top" }, h("b", {}, name), locked && lockSign(), state(machine)),
      h("div", { class: "vm-bottom" }, `${t("cloud_size", vcpus, ram / 1024)} · ${zone}`),
      faulty && h("div", { class: "vm-fault", data: { testid: "vm-armed" } }, t("cloud_armed")),
    ),
    inTrouble(machine) && small("heal", t("cloud_heal"), () => act(id, "heal"), "vm-heal", false),
    trouble,
    more,
  );
}

function lockSign() {
  const sign = icon("lock");
  return h("span", { class: "vm-lock", role: "img", "aria-label": t("cloud_locked"), title: t("cloud_locked") }, sign);
}

/** In words and in colour; what is under way turns. */
function state({ status, task, stuck }) {
  const look = stuck ? "bad" : task ? "busy" : (LOOKS[status] ?? "");
  const words = task ? t("vm_tasks")[task] : t("vm_states")[status];
  return h(
    "span",
    { class: `vm-state ${look}`, data: { testid: "vm-state" } },
    task && h("span", { class: stuck ? "ring still" : "ring", "aria-hidden": "true" }),
    words ?? task ?? status,
    stuck && ` · ${t("cloud_is_stuck")}`,
  );
}

function faultEntries({ id, name, faulty }) {
  return [
    h("p", { class: "menu-head" }, t("cloud_next", name)),
    ...FAULTS.map(([label, fault]) => ({
      label: t(label),
      icon: "faults",
      run: guarded(async () => {
        await post("/cloud/faults", { server: id, ...fault });
        toast(t("fault_set"));
      }),
    })),
    faulty && "line",
    faulty && { label: t("cloud_disarm"), icon: "close", run: () => act(id, "disarm") },
  ];
}

function entries({ id, name, status, task, locked, host, host_alive: alive }) {
  const still = !task;
  return [
    still && status === "SHUTOFF" && { label: t("cloud_start"), icon: "play", run: () => act(id, "start") },
    still && status === "ACTIVE" && { label: t("cloud_stop"), icon: "pause", run: () => act(id, "stop") },
    still && status !== "ERROR" && { label: t("cloud_break"), icon: "faults", run: () => act(id, "ERROR") },
    locked
      ? { label: t("cloud_unlock"), icon: "unlock", run: () => act(id, "unlock") }
      : { label: t("cloud_lock"), icon: "lock", run: () => act(id, "lock") },
    host && {
      label: t(alive ? "cloud_kill_host" : "cloud_revive_host", host),
      icon: alive ? "block" : "heal",
      run: guarded(() => post("/cloud/hosts", { name: host, alive: !alive })),
    },
    "line",
    { label: t("cloud_delete"), icon: "trash", danger: true, run: () => remove(id, name) },
  ];
}

async function remove(id, name) {
  if (await confirmDialog(t("cloud_delete_sure", name), { agree: t("cloud_delete"), danger: true })) act(id, "delete");
}

const act = (server, what) => guarded(() => post("/cloud/act", { server, act: what }))();

const guarded = (action) => () => action().catch(toastError);

function small(sign, label, run, testid, menu = true) {
  return h(
    "button",
    {
      type: "button",
      class: "round",
      "aria-label": label,
      title: label,
      "aria-haspopup": menu && "menu",
      data: { testid },
      on: { click: run },
    },
    icon(sign),
  );
}
