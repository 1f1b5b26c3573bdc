const HOLD_MS = 420;
const SLIP_PX = 10;

/** Calls back when a finger has rested on a row and is lifted; a moving finger scrolls. */
export function onLongPress(list, held) {
  let timer = null;
  let row = null;
  let from = null;

  const stop = () => {
    clearTimeout(timer);
    row?.classList.remove("held");
    row = null;
  };
  list.addEventListener("pointerdown", (event) => {
    stop();
    if (event.pointerType !== "touch" || event.target.closest("button, a, input, video")) return;
    row = event.target.closest("article");
    from = { x: event.clientX, y: event.clientY };
    timer = setTimeout(() => row?.classList.add("held"), HOLD_MS);
  });
  list.addEventListener("pointermove", (event) => {
    if (row && Math.hypot(event.clientX - from.x, event.clientY - from.y) > SLIP_PX) stop();
  });
  list.addEventListener("pointerup", () => {
    const lifted = row?.classList.contains("held") ? row : null;
    stop();
    // What opens while the finger is still being lifted is closed by the very same touch.
    if (lifted) setTimeout(() => held(lifted, from));
  });
  for (const type of ["pointercancel", "scroll"]) list.addEventListener(type, stop, { passive: true });
}
