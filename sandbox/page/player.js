import { h } from "./dom.js";
import { durationOf } from "./format.js";
import { icon } from "./icons.js";
import { t } from "./texts.js";

const BARS = 32;
let playing = null;

/** A voice player: one button, bars that fill as it plays and can be pressed to seek, the time. */
export function player(url, duration, { bars = "" }) {
  const sound = new Audio();
  sound.preload = "none";
  sound.src = url;
  const toggle = h(
    "button",
    {
      type: "button",
      class: "play",
      "aria-label": t("play"),
      on: { click: () => (sound.paused ? start(sound) : sound.pause()) },
    },
    icon("play"),
  );
  const lines = Array.from({ length: BARS }, (_, at) => bar(bars, at));
  const seek = h("input", {
    type: "range",
    min: "0",
    max: "1000",
    value: "0",
    class: "seek",
    "aria-label": t("voice"),
  });
  const time = h("span", { class: "play-time" }, durationOf(duration));
  const length = () => (Number.isFinite(sound.duration) && sound.duration) || duration || 1;

  const show = () => {
    const share = Math.min(sound.currentTime / length(), 1);
    lines.forEach((line, at) => line.classList.toggle("played", at < share * BARS));
    seek.value = String(Math.round(share * 1000));
    time.textContent = durationOf(sound.paused && !sound.currentTime ? duration : sound.currentTime);
  };
  const turned = () => {
    toggle.replaceChildren(icon(sound.paused ? "play" : "pause"));
    toggle.setAttribute("aria-label", t(sound.paused ? "play" : "pause"));
    show();
  };
  seek.addEventListener("input", () => {
    sound.currentTime = (Number(seek.value) / 1000) * length();
    show();
  });
  for (const type of ["play", "pause", "ended"]) sound.addEventListener(type, turned);
  sound.addEventListener("timeupdate", show);
  return h("div", { class: "player" }, toggle, h("span", { class: "bars" }, lines, seek), time);
}

function start(sound) {
  playing?.pause();
  playing = sound;
  sound.play().catch(() => sound.pause());
}

// A real waveform is not sent with a voice message; a fixed pattern per file tells two of them apart.
function bar(seed, at) {
  const node = h("i", {});
  const code = seed.charCodeAt(at % Math.max(seed.length, 1)) || 7;
  node.style.height = `${25 + ((code * (at + 3) * 37) % 75)}%`;
  return node;
}
