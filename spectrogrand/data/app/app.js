// One player at a time; the language of the page, for screen readers.
document.documentElement.lang = "en";
document.addEventListener("play", event => {
  for (const other of document.querySelectorAll("audio, video")) if (other !== event.target) other.pause();
}, true);
// Buttons on past runs: once more with a change, or away with it. The page's own server does both.
const sgPost = (path, body) => fetch(path, {method: "POST", body}).then(answer => answer.json());
const sgNote = html => {
  let note = document.getElementById("sg-note");
  if (!note) {
    note = document.createElement("div");
    note.id = "sg-note";
    note.setAttribute("role", "status");
    document.querySelector(".gradio-container").append(note);
  }
  note.innerHTML = html;
  return note;
};
const sgSay = text => { sgNote("").append(text); };
const sgWatch = async token => {
  let before = "";
  for (;;) {
    const state = await fetch("/jobs/" + token).then(answer => answer.json());
    if (state.error) return sgSay(state.error);
    if (state.html !== before) {
      const note = sgNote(state.html);
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sg-act";
      button.textContent = state.over ? "Close" : "Cancel";
      button.addEventListener("click", () => state.over ? note.remove() : sgPost("/cancel/" + token));
      note.append(button);
      before = state.html;
    }
    if (state.over) { document.querySelector("#sg-refresh")?.click(); return; }
    await new Promise(wait => setTimeout(wait, 700));
  }
};
document.addEventListener("click", async event => {
  const button = event.target.closest("[data-again], [data-delete]");
  const run = button?.closest("[data-run]")?.dataset.run;
  if (!run) return;
  const name = encodeURIComponent(run);
  if (button.dataset.again) {
    const words = button.dataset.again.trim().split(" ");
    const answer = await sgPost("/again/" + name, JSON.stringify(words));
    answer.error ? sgSay(answer.error) : sgWatch(answer.token);
  } else if (button.dataset.sure) {
    const answer = await sgPost("/delete/" + name);
    answer.error ? sgSay(answer.error) : (button.closest(".sg-run")?.remove(), document.querySelector("#sg-refresh")?.click());
  } else {
    button.dataset.sure = "yes";
    button.textContent = "Really delete?";
    setTimeout(() => { delete button.dataset.sure; button.textContent = "Delete"; }, 4000);
  }
});
