const ROOT = "/sandbox/api";

async function call(method, path, body) {
  const form = body instanceof FormData;
  const answer = await fetch(ROOT + path, {
    method,
    headers: body && !form ? { "Content-Type": "application/json" } : {},
    body: form || !body ? body : JSON.stringify(body),
  });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.error ?? `${answer.status} ${answer.statusText}`);
  return said;
}

export const get = (path) => call("GET", path);
export const post = (path, body) => call("POST", path, body);
export const patch = (path, body) => call("PATCH", path, body);
export const remove = (path, body) => call("DELETE", path, body);

export function upload(file) {
  const form = new FormData();
  form.append("file", file, file.name);
  return call("POST", "/files", form);
}
