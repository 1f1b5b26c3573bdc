// The address keeps who is played and what is open, so a reload or a copied link shows the same.

const listeners = new Set();
const read = () => new URLSearchParams(location.hash.slice(1));

export const routeOf = (name) => read().get(name);

export function go(choice, { back = false } = {}) {
  const params = read();
  for (const [name, value] of Object.entries(choice)) {
    if (value === null || value === undefined) params.delete(name);
    else params.set(name, String(value));
  }
  const hash = `#${params}`;
  if (hash === location.hash) return;
  history[back ? "pushState" : "replaceState"](null, "", hash);
  listeners.forEach((listener) => listener());
}

export const onRoute = (listener) => listeners.add(listener);

for (const type of ["popstate", "hashchange"])
  addEventListener(type, () => listeners.forEach((listener) => listener()));
