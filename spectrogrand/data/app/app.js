// One player at a time; the language of the page, for screen readers.
document.documentElement.lang = "en";
document.addEventListener("play", event => {
  for (const other of document.querySelectorAll("audio, video")) if (other !== event.target) other.pause();
}, true);
