"use strict";
// The shop's own code: what any site would write around the SDK's calls.

const $ = (id) => document.getElementById(id);

function note(text) {
  const line = document.createElement("li");
  line.textContent = new Date().toLocaleTimeString() + "  " + text;
  $("log").prepend(line);
}

function call(...words) {
  const answer = smartpush(...words);
  if (answer && answer.catch) answer.catch((error) => note(words[0] + " refused: " + error.code));
  return answer;
}

function showStatus(status) {
  $("status").textContent = status.status;
  $("reason").textContent = status.reason || "—";
}

function showUser() {
  const name = localStorage.getItem("shop-user");
  $("login").hidden = Boolean(name);
  $("session").hidden = !name;
  $("name").textContent = name || "";
  $("user").textContent = name || "anonymous visitor";
}

function identify(name) {
  const first = name.charAt(0).toUpperCase() + name.slice(1);
  call("identify", name, {language: navigator.language, properties: {first_name: first}});
}

smartpush("on", "status", (status) => { showStatus(status); note("status " + status.status); });
smartpush("on", "popup", (popup) => note("popup " + (popup.outcome || popup.state || "")));
smartpush("on", "push", () => note("push shown"));
smartpush("on", "click", () => note("notification clicked"));
smartpush("on", "error", (error) => note("error " + error.code));

const name = localStorage.getItem("shop-user");
if (name) identify(name);
showUser();

$("login").addEventListener("submit", (event) => {
  event.preventDefault();
  const who = $("who").value.trim();
  localStorage.setItem("shop-user", who);
  identify(who);
  showUser();
  note("logged in as " + who);
});
$("logout").addEventListener("click", () => {
  localStorage.removeItem("shop-user");
  $("who").value = "";
  call("logout");
  showUser();
  note("logged out");
});
$("lobby").addEventListener("click", () => { call("action", "opened-reading-room"); note("action opened-reading-room"); });
$("deposit").addEventListener("click", () => { call("event", "deposit", {amount: 20}); note("event deposit 20"); });
$("preferences").addEventListener("click", () => { call("openPreferences"); });
$("ask").addEventListener("click", () => { call("requestPushPermission"); });
window.addEventListener("load", () => {
  const wait = setInterval(() => {
    const answer = smartpush("getStatus");
    if (answer && answer.then) {
      clearInterval(wait);
      answer.then(showStatus, (error) => note("status: " + error.code));
    }
  }, 200);
});
