// Keeps the page up to date: the server says which blocks have changed, and only what is different in them is replaced, so that
// the focus, what is open and where a reader is stay as they are.

const list = document.getElementById("list");
const live = document.getElementById("live");
const words = document.getElementById("words");
const filter = document.getElementById("filter");
const query = document.getElementById("q");

const pause = 200; // between the last key and the filter, in milliseconds
const patience = 15_000; // before asking again a server that has refused, in milliseconds

let seen = document.body.dataset.revision;
let source; // the EventSource, while there is one
let later; // the timer of the next attempt
let calm; // whether the next message is no news, and nothing is marked as new

// Times

// span gives a time roughly. The server does the same.
function span(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

function refreshTimes(within) {
  const now = Date.now();
  for (const time of within.querySelectorAll("time[data-span]")) {
    const text = span(now - Date.parse(time.dateTime));
    if (time.textContent !== text) time.textContent = text;
  }
}

// Blocks

function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  refreshTimes(template.content);
  return template.content.firstElementChild;
}

function mark(row) {
  if (!calm) row.classList.add("new");
}

// mergeRows makes the rows of a list those of another. Rows that have not changed stay where they are.
function mergeRows(old, fresh) {
  const coming = new Set([...fresh.children].map((row) => row.id));
  const known = new Map();
  for (const row of [...old.children]) {
    if (coming.has(row.id)) known.set(row.id, row);
    else row.remove();
  }
  let at = old.firstElementChild;
  for (const row of [...fresh.children]) {
    const former = known.get(row.id);
    if (!former) {
      mark(row);
      old.insertBefore(row, at);
      continue;
    }
    if (former !== at) old.insertBefore(former, at);
    at = former.nextElementSibling;
    if (former.dataset.revision !== row.dataset.revision) {
      const open = former.querySelector("details[open]");
      if (open) row.querySelector("details")?.setAttribute("open", "");
      mark(row);
      former.replaceWith(row);
    }
  }
}

// mergeBlock makes a block of the page another.
function mergeBlock(old, fresh) {
  for (const part of fresh.querySelectorAll("[data-part]")) {
    const former = [...old.querySelectorAll("[data-part]")].find((p) => p.dataset.part === part.dataset.part);
    if (former && former.outerHTML !== part.outerHTML) former.replaceWith(part);
  }
  const rows = old.querySelector("[data-rows]");
  if (rows) mergeRows(rows, fresh.querySelector("[data-rows]"));
}

// mergeList makes the blocks of the list those with these ids. It fails if one is missing.
function mergeList(ids, fresh) {
  for (const block of [...list.children]) if (!ids.includes(block.id)) block.remove();
  let at = list.firstElementChild;
  for (const id of ids) {
    const block = document.getElementById(id) ?? fresh.get(id);
    if (!block) return false;
    if (block === at) at = at.nextElementSibling;
    else list.insertBefore(block, at);
  }
  return true;
}

// keepFocus gives the focus back to what it was on, or to the title of what held it.
function keepFocus(change) {
  const focused = document.activeElement;
  const title = focused?.closest("section")?.querySelector("h2")?.id;
  change();
  if (focused?.isConnected || focused === document.body) return;
  const next = [focused?.id, title, "main"].map((id) => id && document.getElementById(id)).find(Boolean);
  next?.focus({ preventScroll: true });
}

function show({ blocks, list: ids, words: told }) {
  let complete = true;
  keepFocus(() => {
    const fresh = new Map();
    for (const [id, html] of Object.entries(blocks)) {
      const block = parse(html);
      const former = document.getElementById(id);
      if (former) mergeBlock(former, block);
      else fresh.set(id, block);
    }
    complete = mergeList(ids ?? [], fresh);
  });
  if (told) words.textContent = told;
  return complete;
}

// The stream

function say(text, state) {
  live.dataset.state = state;
  if (live.textContent !== text) live.textContent = text;
}

function disconnect() {
  clearTimeout(later);
  source?.close();
  source = undefined;
}

// connect follows what the address of the page shows. From zero, everything is told once more.
function connect(since) {
  disconnect();
  seen = since;
  calm = since === "0";
  const parameters = new URLSearchParams(location.search);
  parameters.set("since", since);
  source = new EventSource(`/changes?${parameters}`);
  source.onopen = () => say("Live", "on");
  source.onmessage = (event) => {
    seen = event.lastEventId;
    const complete = show(JSON.parse(event.data));
    calm = false;
    if (!complete) connect("0");
  };
  source.onerror = () => {
    if (source.readyState !== EventSource.CLOSED) {
      say("Connecting again …", "waiting");
      return;
    }
    say("Not live: the registry refuses to tell changes at the moment. Reload to see them.", "off");
    later = setTimeout(() => connect(seen), patience);
  };
}

// A page that nobody sees gives its connection to others: browsers open only six to one server.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) disconnect();
  else connect(seen);
});
addEventListener("pagehide", disconnect);
addEventListener("pageshow", (event) => event.persisted && connect(seen));

// The filter

function narrow() {
  const parameters = new URLSearchParams(location.search);
  const text = query.value.trim();
  if (text === (parameters.get("q") ?? "")) return;
  parameters.delete("page");
  if (text) parameters.set("q", text);
  else parameters.delete("q");
  history.replaceState(null, "", parameters.size ? `/?${parameters}` : "/");
  connect("0");
}

let typing;
query.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(narrow, pause);
});
filter.addEventListener("submit", (event) => {
  if (live.dataset.state !== "on") return; // the server filters
  event.preventDefault();
  clearTimeout(typing);
  narrow();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || document.activeElement === query) return;
  event.preventDefault();
  query.focus();
});

refreshTimes(document);
setInterval(() => refreshTimes(document), 5_000);
if (!document.hidden) connect(seen);
