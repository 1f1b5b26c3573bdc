const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5000;

/**
 * Keeps the line to the server open. Each event is handed on once and in order; after a cut the line is taken up
 * where it broke off. `onLine(up, again)` tells when it comes and goes.
 */
export function follow({ onEvent, onLine }) {
  let last = 0;
  let wait = FIRST_WAIT_MS;
  let opened = 0;

  function open() {
    const query = last ? `?after=${last}` : "";
    const socket = new WebSocket(
      `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/sandbox/events${query}`,
    );
    socket.addEventListener("open", () => {
      wait = FIRST_WAIT_MS;
      onLine(true, opened++ > 0);
    });
    socket.addEventListener("message", ({ data }) => {
      const event = JSON.parse(data);
      if (event.n) last = event.n;
      onEvent(event);
    });
    socket.addEventListener("close", () => {
      onLine(false, false);
      setTimeout(open, wait);
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    });
  }

  open();
}
