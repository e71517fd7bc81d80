// The server's commands: JSON over POST, and one question as a stream of events.

import { byId } from "./dom.js";

const TOKEN = "hoptrace.token";

export class Refused extends Error {
  constructor(message, kind) {
    super(message);
    this.kind = kind;
  }
}

// The result of a command of the registry, by its name and arguments; arguments that are "" or null are left out.
export async function call(command, given = {}) {
  const response = await send(`/${command}`, given);
  return response.json();
}

// The commands there are, each with the JSON Schema of its arguments.
export async function commands() {
  return (await send("/commands")).json();
}

// Ask; `step` is called with each step as it happens. The answer, with its number, comes back.
export async function ask(given, step, signal) {
  const response = await send("/ask/stream", given, signal);
  for await (const { event, data } of events(response.body)) {
    if (event === "step") step(data);
    else if (event === "answer") return data;
    else if (event === "error") throw new Refused(data.error, data.kind);
  }
  throw new Refused("the server ended without an answer", "cut");
}

// Server-sent events of a body, each with its data read as JSON.
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).replace(/\r\n/gu, "\n").split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const lines = block.split("\n");
      const field = (name) => lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).trimStart());
      const data = field("data").join("\n");
      if (data) yield { event: field("event")[0] ?? "message", data: JSON.parse(data) };
    }
  }
}

async function send(path, given, signal) {
  for (;;) {
    const token = sessionStorage.getItem(TOKEN);
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    const body = given && JSON.stringify(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== "" && value != null)));
    const options = given ? { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body, signal } : { headers };
    const response = await fetch(path, options).catch((error) => {
      throw error.name === "AbortError" ? error : new Refused("the server does not answer", "offline");
    });
    if (response.ok) return response;
    const said = await response.json().catch(() => ({}));
    if (response.status !== 401) throw new Refused(said.error ?? `the server said ${response.status}`, said.kind);
    if (!(await askToken(token ? "This token is not known to the server." : "The server asks for a token."))) {
      throw new Refused(said.error ?? "no token", said.kind);
    }
  }
}

let asking = null; // one dialog, however many requests wait for it

// Let the reader give a token; false where the dialog was left.
export function askToken(why) {
  asking ??= new Promise((resolve) => {
    const [dialog, field] = [byId("token-dialog"), byId("token-value")];
    byId("token-why").textContent = `${why} It is kept until the tab is closed.`;
    field.value = "";
    dialog.returnValue = "cancel";
    dialog.addEventListener(
      "close",
      () => {
        const used = dialog.returnValue === "use" && field.value.trim() !== "";
        if (used) sessionStorage.setItem(TOKEN, field.value.trim());
        field.value = "";
        asking = null;
        resolve(used);
      },
      { once: true },
    );
    dialog.showModal();
    field.focus();
  });
  return asking;
}
