// The page: three views behind one address, and what they share.

import { askToken, call, commands } from "./api.js";
import * as ask from "./ask.js";
import * as browse from "./browse.js";
import * as compare from "./compare.js";
import { completeQuestion } from "./complete.js";
import { byId, say } from "./dom.js";
import * as panel from "./panel.js";

const views = { ask, compare, browse };

// `#view/argument/…`: a link that can be kept, and the way back.
async function route() {
  const [name, ...given] = location.hash.slice(1).split("/").map(decoded);
  if (name === "main") return byId("main").focus();
  const view = name in views ? name : "ask";
  const changed = byId(`view-${view}`).hidden;
  for (const other of Object.keys(views)) byId(`view-${other}`).hidden = other !== view;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${view}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  byId("sitting-room").hidden = view !== "ask";
  if (changed) panel.close();
  document.title = `hoptrace: ${view}`;
  return views[view].show(...given);
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // an address typed by hand
  }
}

async function start() {
  panel.start();
  ask.start();
  compare.start();
  browse.start();
  completeQuestion();
  window.addEventListener("hashchange", route);
  byId("token").addEventListener("click", async () => {
    if (await askToken("The token is sent with every request.")) location.reload();
  });
  byId("token-cancel").addEventListener("click", () => byId("token-dialog").close("cancel"));
  try {
    const listed = await commands();
    const own = listed.find((command) => command.name === "ask");
    ask.offer(own?.schema.properties.gate?.enum ?? []);
    const counts = await call("stats");
    byId("stats").textContent = `${counts.entities} entities, ${counts.triples} facts, ${counts.sources} sources`;
  } catch (error) {
    byId("problem").textContent = error.message;
    byId("problem").hidden = false;
    say(error.message);
  }
  await route();
}

start();
