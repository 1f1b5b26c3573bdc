import { get, post, remove } from "./api.js";
import { sheet } from "./dialog.js";
import { h } from "./dom.js";
import { t } from "./texts.js";
import { toast, toastError } from "./toast.js";

const METHODS = [
  "",
  "sendMessage",
  "copyMessage",
  "copyMessages",
  "editMessageText",
  "createForumTopic",
  "setMessageReaction",
  "answerCallbackQuery",
];

const FAULTS = [
  ["fault_429", { kind: "429", retry_after: 5 }],
  ["fault_500", { kind: "500" }],
  ["fault_500_done", { kind: "500", done: true }],
  ["fault_drop", { kind: "drop", done: false }],
  ["fault_drop_done", { kind: "drop", done: true }],
  ["fault_hang", { kind: "hang", seconds: 10 }],
];

/** One press makes the desk's next call go wrong. */
export function openFaults(bot) {
  const method = h(
    "select",
    { class: "field", "aria-label": t("fault_call") },
    METHODS.map((name) => h("option", { value: name }, name || t("fault_any"))),
  );
  const state = h("span", { class: "quiet" });
  const show = guarded(async () => {
    const answer = await get("/faults");
    const waiting = (answer.faults ?? answer).length;
    state.textContent = waiting ? t("fault_waiting", waiting) : t("fault_none");
  });
  const order = (fault) =>
    guarded(async () => {
      await post("/faults", { bot, times: 1, ...(method.value ? { method: method.value } : {}), ...fault });
      toast(t("fault_set"));
      await show();
    });
  const clear = guarded(async () => {
    await remove("/faults");
    await show();
  });
  sheet(
    t("faults"),
    h("p", { class: "quiet" }, t("faults_more")),
    method,
    h(
      "div",
      { class: "fault-grid" },
      FAULTS.map(([label, fault]) =>
        h("button", { type: "button", class: "button plain", on: { click: order(fault) } }, t(label)),
      ),
    ),
    h(
      "footer",
      {},
      state,
      h("button", { type: "button", class: "button plain", on: { click: clear } }, t("fault_clear")),
    ),
  );
  show();
}

const guarded = (action) => () => action().catch(toastError);
