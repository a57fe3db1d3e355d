"use strict";
/* The test phone's page: polls what is heard, speaks it, and sends what the person does. No library. */
(() => {
  const POLL_MS = 300;
  const mark = document.body.dataset.mark;
  const by = (id) => document.getElementById(id);
  const seen = { call: "", after: 0, texts: -1, cut: new Set(), crowd: false, queues: "", over: true };
  const speech = window.speechSynthesis || null;
  let muted = false;
  let music = null;
  let asking = false;

  const minutes = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;

  function problem(text) {
    by("problem").textContent = text;
    by("problem").hidden = !text;
  }

  async function order(name, body) {
    try {
      const answer = await fetch(`/desk/${name}`, {
        method: "POST",
        headers: { "Content-Type": "application/json", [mark]: "1" },
        body: JSON.stringify(body || {}),
      });
      const got = await answer.json();
      problem(answer.ok ? "" : got.problem || "That did not work.");
      await poll();
      return answer.ok ? got : null;
    } catch {
      problem("The test phone does not answer. Is it still running?");
      return null;
    }
  }

  /* ---- sound */

  function silence() {
    if (speech) speech.cancel();
    if (music) { music.pause(); music = null; }
  }

  function aloud(line) {
    if (line.kind === "say" || line.kind === "play") {
      if (music) { music.pause(); music = null; }
    }
    if (muted) return;
    if (line.kind === "say" && speech) {
      const words = new SpeechSynthesisUtterance(line.text);
      words.lang = line.language || "en-US";
      speech.speak(words);
    } else if (line.kind === "play" && /^https?:/.test(line.text)) {
      music = new Audio(line.text);
      music.volume = 0.5;
      music.play().catch(() => {});
    }
  }

  /* ---- what is heard */

  function words(line) {
    return line.kind === "play" ? "♪ hold music" : line.text;
  }

  function write(line) {
    if (line.kind === "pause") return;
    const item = document.createElement("li");
    item.className = line.kind;
    item.dataset.i = line.i;
    const time = document.createElement("time");
    time.textContent = minutes(line.t);
    const text = document.createElement("span");
    text.className = "words";
    text.textContent = words(line);
    if (line.kind === "dtmf") text.setAttribute("aria-label", `You pressed ${line.text}`);
    if (line.kind === "speech") text.setAttribute("aria-label", `You said: ${line.text}`);
    if (line.language) text.lang = line.language;
    item.append(time, text);
    const log = by("log");
    for (const old of log.querySelectorAll(".now")) old.classList.remove("now");
    if (line.kind === "say") item.classList.add("now");
    if (line.kind === "say" || line.kind === "play") by("now").textContent = words(line);
    log.append(item);
    log.scrollTop = log.scrollHeight;
  }

  function hear(state, fresh) {
    for (const at of state.cut) {
      if (seen.cut.has(at)) continue;
      seen.cut.add(at);
      if (fresh) silence();
    }
    for (const line of state.heard) {
      if (line.i < seen.after) continue;
      write(line);
      if (fresh) aloud(line);
      seen.after = line.i + 1;
    }
    for (const at of state.cut) {
      const item = by("log").querySelector(`[data-i="${at}"]`);
      if (item) item.classList.add("cut");
    }
  }

  function showCall(call) {
    const live = Boolean(call) && !call.over;
    by("oncall").hidden = !live;
    by("dial").hidden = live;
    by("skip").disabled = !live;
    by("empty").hidden = by("log").children.length > 0;
    if (!live && !seen.over) {
      silence();
      by("call").textContent = "Call again";
      by("call").focus();
    }
    if (live && seen.over) by("hangup").scrollIntoView({ block: "nearest" });
    seen.over = !live;
    by("agent").hidden = !(live && call.other);
    if (!live) return;
    const held = call.queue !== null;
    by("status").textContent = call.other ? "Talking" : held ? "On hold" : call.status === "ringing" ? "Ringing" : "Connected";
    by("clock").textContent = minutes(call.seconds);
    by("arm").textContent = call.arm === "draw" ? "arm drawn as for callers" : "always offered";
    by("hold").hidden = !held;
    if (held) {
      by("waited").textContent = minutes(call.waited_s);
      by("position").textContent = call.position;
    }
    by("agentpage").hidden = !call.agent_url;
    if (call.agent_url) by("agentpage").href = call.agent_url;
    if (call.other && music) silence();
  }

  /* ---- the handset */

  function linked(text, into) {
    for (const part of text.split(/(https?:\/\/[^\s]+)/)) {
      if (/^https?:\/\//.test(part)) {
        const link = document.createElement("a");
        link.href = part.replace(/[.,]$/, "");
        link.target = "_blank";
        link.rel = "noopener";
        link.textContent = part;
        into.append(link);
      } else {
        into.append(part);
      }
    }
  }

  function showTexts(texts) {
    by("notexts").hidden = texts.length > 0;
    if (texts.length === seen.texts) return;
    const list = by("texts");
    if (texts.length < seen.texts || seen.texts < 0) list.replaceChildren();
    for (const text of texts.slice(Math.max(list.children.length, 0))) {
      const item = document.createElement("li");
      if (text.mine) item.className = "mine";
      linked(text.body, item);
      const when = document.createElement("small");
      when.textContent = `${text.mine ? "sent" : "received"} ${text.at} UTC`;
      item.append(when);
      list.append(item);
    }
    by("arrived").hidden = !(seen.texts >= 0 && texts.length && !texts[texts.length - 1].mine);
    seen.texts = texts.length;
    list.scrollTop = list.scrollHeight;
  }

  /* ---- the queues */

  function showQueues(state) {
    const waiting = state.queues.filter((queue) => queue.places.length);
    by("noqueue").hidden = waiting.length > 0;
    const shape = JSON.stringify(waiting.map((queue) => [queue.name, queue.places.map((p) => [p.you, p.real])]));
    if (shape !== seen.queues) {
      seen.queues = shape;
      const held = document.activeElement && document.activeElement.dataset.queue;
      by("queues").replaceChildren(...waiting.map(drawQueue));
      if (held) {
        for (const button of by("queues").querySelectorAll("button")) if (button.dataset.queue === held) button.focus();
      }
    }
    if (!seen.crowd) {
      seen.crowd = true;
      by("ahead").value = state.crowd.ahead;
      by("every").value = state.crowd.every_s;
    }
  }

  function drawQueue(queue) {
    const item = document.createElement("li");
    const name = document.createElement("strong");
    const you = queue.places.findIndex((place) => place.you);
    name.textContent = `${queue.name}: ${queue.places.length} waiting` + (you >= 0 ? `, you are number ${you + 1}` : "");
    const line = document.createElement("div");
    line.className = "line";
    line.setAttribute("aria-hidden", "true");
    for (const place of queue.places) {
      const dot = document.createElement("i");
      dot.className = place.you ? "you" : place.real ? "real" : "";
      line.append(dot);
    }
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.queue = queue.name;
    button.textContent = "An agent answers";
    button.disabled = !queue.places.some((place) => place.real);
    button.addEventListener("click", () => order("agent-answers", { queue: queue.name }));
    item.append(name, line, button);
    return item;
  }

  /* ---- polling */

  async function poll() {
    if (asking) return;
    asking = true;
    const call = seen.call;
    try {
      const query = new URLSearchParams({ call, handset: by("from").value, after: seen.after });
      const answer = await fetch(`/desk/state?${query}`);
      const state = await answer.json();
      if (call !== seen.call) return;
      hear(state, true);
      showCall(state.call);
      showTexts(state.texts);
      showQueues(state);
      by("speed").setAttribute("aria-pressed", String(state.speed !== 1));
      if (by("problem").dataset.lost) { problem(""); delete by("problem").dataset.lost; }
    } catch {
      problem("The test phone does not answer. Is it still running?");
      by("problem").dataset.lost = "1";
    } finally {
      asking = false;
    }
  }

  /* ---- what the person does */

  by("dial").addEventListener("submit", async (event) => {
    event.preventDefault();
    silence();
    if (speech) speech.speak(new SpeechSynthesisUtterance(""));
    const arm = document.querySelector("input[name=arm]:checked").value;
    const got = await order("call", { from: by("from").value, to: by("to").value, arm, plan: by("dial").dataset.plan });
    if (!got) return;
    Object.assign(seen, { call: got.call, after: 0, cut: new Set() });
    by("log").replaceChildren();
    await poll();
    const first = document.querySelector(".keys button");
    if (first) first.focus();
  });

  function press(key) {
    const button = document.querySelector(`.keys button[data-key="${CSS.escape(key)}"]`);
    if (button) {
      button.classList.add("down");
      setTimeout(() => button.classList.remove("down"), 150);
    }
    order("press", { call: seen.call, key });
  }

  for (const button of document.querySelectorAll(".keys button")) {
    button.addEventListener("click", () => press(button.dataset.key));
  }
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (typing || event.ctrlKey || event.metaKey || event.altKey || by("oncall").hidden) return;
    if (/^[0-9*#]$/.test(event.key)) { event.preventDefault(); press(event.key); }
  });

  by("speak").addEventListener("submit", (event) => {
    event.preventDefault();
    const said = by("words").value.trim();
    if (!said) return;
    by("words").value = "";
    order("say", { call: seen.call, words: said });
  });
  by("hangup").addEventListener("click", () => { silence(); order("hang-up", { call: seen.call }); });
  window.addEventListener("pagehide", () => {
    // A call nobody can see any more would stand at the front of the queue for the rest of its hour.
    if (by("oncall").hidden) return;
    const headers = { "Content-Type": "application/json", [mark]: "1" };
    fetch("/desk/hang-up", { method: "POST", keepalive: true, headers, body: JSON.stringify({ call: seen.call }) });
  });
  by("agenthangup").addEventListener("click", () => order("agent-hangs-up", { call: seen.call }));
  by("skip").addEventListener("click", () => { silence(); order("skip", { call: seen.call }); });
  by("speed").addEventListener("click", () => {
    const fast = by("speed").getAttribute("aria-pressed") !== "true";
    order("speed", { speed: fast ? 5 : 1 });
  });
  by("mute").addEventListener("click", () => {
    muted = !muted;
    by("mute").setAttribute("aria-pressed", String(muted));
    by("mute").textContent = muted ? "Sound off" : "Sound on";
    if (muted) silence();
  });
  by("reply").addEventListener("submit", (event) => {
    event.preventDefault();
    const body = by("body").value;
    if (!body.trim()) return;
    by("body").value = "";
    by("arrived").hidden = true;
    order("text", { from: by("from").value, body });
  });
  by("crowd").addEventListener("submit", (event) => {
    event.preventDefault();
    order("crowd", { ahead: Number(by("ahead").value), every_s: Number(by("every").value) });
  });
  function owner() {
    const chosen = by("from").selectedOptions[0];
    by("owner").textContent = chosen ? chosen.textContent : "";
    seen.texts = -1;
    poll();
  }
  by("from").addEventListener("change", owner);

  /* ---- the microphone, where the browser can recognise speech */

  const Recognition = window.SpeechRecognition || window.webkitSpeechRecognition;
  if (Recognition) {
    const mic = by("mic");
    const ear = new Recognition();
    ear.lang = "en-US";
    ear.interimResults = false;
    mic.hidden = false;
    ear.addEventListener("result", (event) => {
      order("say", { call: seen.call, words: event.results[0][0].transcript });
    });
    ear.addEventListener("end", () => mic.setAttribute("aria-pressed", "false"));
    ear.addEventListener("error", (event) => {
      if (event.error !== "aborted" && event.error !== "no-speech") problem("The microphone cannot be used here. Type the sentence instead.");
    });
    mic.addEventListener("click", () => {
      if (mic.getAttribute("aria-pressed") === "true") { ear.stop(); return; }
      if (speech) speech.cancel();
      mic.setAttribute("aria-pressed", "true");
      ear.start();
    });
  }

  owner();
  setInterval(poll, POLL_MS);
})();
