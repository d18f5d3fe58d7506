"use strict";
// One screen at a time: the start, every task, the end. The answers are what the tasks' forms hold.

const { kit, kind } = document.body.dataset;
const pictures = JSON.parse(document.getElementById("pictures").textContent);
const screens = [...document.querySelectorAll(".screen")];
const tasks = [...document.querySelectorAll("form.task")]; // a form's fields hide properties of their names
const annotator = document.getElementById("annotator");
const storageKey = `debugset-study-${kit}`;
const byId = (id) => document.getElementById(id);
let position = 0;

const isAnswered = (form) => form.checkValidity(); // a hidden question is disabled, so it is not asked for
const values = (form) => Object.fromEntries(new FormData(form));

function fillIn(form, saved) {
  for (const field of form.elements) {
    if (!(field.name in saved)) continue;
    if (field.type === "radio") field.checked = field.value === saved[field.name];
    else field.value = saved[field.name];
  }
  openQuestions(form);
}

function openQuestions(form) {
  for (const group of form.querySelectorAll("fieldset[data-when]")) {
    const [name, value] = group.dataset.when.split("=");
    group.hidden = group.disabled = values(form)[name] !== value;
  }
}

// What is kept between visits. Browsers may refuse it, so it is never relied on.

function keep() {
  try {
    const state = { position, annotator: annotator.value, forms: tasks.map(values) };
    localStorage.setItem(storageKey, JSON.stringify(state));
    return true;
  } catch {
    return false;
  }
}

function resume() {
  try {
    const state = JSON.parse(localStorage.getItem(storageKey));
    if (!state) return;
    annotator.value = state.annotator;
    tasks.forEach((form, number) => fillIn(form, state.forms[number] ?? {}));
    position = Math.min(state.position, screens.length - 1);
  } catch {
    position = 0;
  }
}

// Screens.

function show(next) {
  position = Math.max(0, Math.min(next, screens.length - 1));
  screens.forEach((screen, number) => (screen.hidden = number !== position));
  const screen = screens[position];
  for (const image of screen.querySelectorAll("img[data-picture]:not([src])")) {
    const picture = pictures[image.dataset.picture];
    image.className = picture.crisp ? "crisp" : "";
    image.src = picture.uri;
  }
  const isTask = tasks.includes(screen);
  byId("place").textContent = isTask ? `Task ${position} of ${tasks.length}` : "";
  byId("back").hidden = position === 0;
  byId("next").hidden = position === screens.length - 1;
  byId("keep").hidden = !isTask;
  byId("hint").textContent = "";
  count();
  keep();
  window.scrollTo(0, 0);
  if (position === screens.length - 1) byId("save").focus();
  else if (screen.contains(annotator)) annotator.focus();
  else focusHeading();
}

function focusHeading() {
  screens[position].querySelector("[tabindex]").focus();
}

function count() {
  byId("progress").value = tasks.filter(isAnswered).length;
}

function goOn() {
  const screen = screens[position];
  if (position === screens.length - 1) return;
  if (isAnswered(screen)) {
    show(position + 1);
    return;
  }
  const open = screen.querySelector("input:invalid");
  open.focus();
  byId("hint").textContent = open.type === "text" ? "Fill in the text first." : "Choose an answer first.";
}

function goBack() {
  show(position - 1);
}

// Keys: those beside the answers choose; in a text they are letters.

function choose(key) {
  for (const input of screens[position].querySelectorAll("input[data-key]:enabled")) {
    if (!input.dataset.key.split(" ").includes(key)) continue;
    input.click();
    input.focus();
    const text = screens[position].querySelector("fieldset[data-when]:enabled input[type=text]");
    if (text && !text.value) text.focus();
    return true;
  }
  return false;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const isText = event.target.matches("input[type=text]");
  const isButton = event.target.matches("button");
  let isUsed = false;
  if (event.key === "Enter" && !isButton) {
    goOn();
    isUsed = true;
  } else if (event.key === "Backspace" && !isText) {
    goBack();
    isUsed = true;
  } else if (event.key === "Escape" && isText) {
    focusHeading();
  } else if (!isText) {
    isUsed = choose(event.key.toLowerCase());
  }
  if (isUsed) event.preventDefault(); // else the letter would be typed into what has the focus now
});

document.addEventListener("input", (event) => {
  if (event.target.form) openQuestions(event.target.form);
  byId("hint").textContent = "";
  count();
  keep();
});

document.addEventListener("submit", (event) => event.preventDefault());

// The file.

function save() {
  const answers = tasks
    .filter(isAnswered)
    .map((form) => ({ task: Number(form.dataset.task), ...values(form) }));
  const content = { kit, kind, annotator: annotator.value.trim(), answers };
  const link = document.createElement("a");
  const words = content.annotator.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  link.download = `${["answers", kind, ...words].join("-")}.json`;
  link.href = URL.createObjectURL(new Blob([JSON.stringify(content, null, 2) + "\n"], { type: "application/json" }));
  link.click();
  URL.revokeObjectURL(link.href);
  return `Saved ${answers.length} of ${tasks.length} answers as ${link.download}, where your browser keeps downloads.`;
}

byId("save").addEventListener("click", () => (byId("saved").textContent = save()));
byId("keep").addEventListener("click", () => (byId("hint").textContent = save()));
byId("next").addEventListener("click", goOn);
byId("back").addEventListener("click", goBack);
byId("anew").addEventListener("click", () => {
  if (!window.confirm("Clear all answers on this page? Save them first.")) return;
  for (const screen of screens) if (screen instanceof HTMLFormElement) screen.reset();
  tasks.forEach(openQuestions);
  byId("saved").textContent = "";
  show(0); // which keeps the empty forms
});

resume();
show(position);
if (!keep()) byId("storage").textContent = "This browser keeps nothing between visits, so answer in one go, or save before you close the page.";
