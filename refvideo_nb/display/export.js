// The page of a report: it hands the videos that stand in it to the player, and then hides what the player shows.
//
// Where this does not run, or fails, the page stays as it is: plain videos with the browser's own controls.

async function clipOf(video) {
  const [, text] = video.getAttribute("src").split(",", 2);
  const bytes = new Uint8Array((text.length / 4) * 3 - (text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0));
  const step = 1 << 20; // characters, a multiple of four; between two of them the page can be used
  for (let at = 0, to = 0; at < text.length; at += step) {
    const piece = atob(text.slice(at, at + step));
    for (let n = 0; n < piece.length; n++) bytes[to++] = piece.charCodeAt(n);
    await new Promise((go) => setTimeout(go));
  }
  video.removeAttribute("src");
  video.load();
  return new Blob([bytes], { type: "video/mp4" });
}

for (const { place, ...data } of JSON.parse(document.getElementById("players").textContent)) {
  const element = document.getElementById(place);
  const picture = (id) => document.getElementById(id)?.getAttribute("src");
  mount(element, {
    ...data,
    references: data.references.map((one) => ({ ...one, url: picture(one.element) })),
    videos: data.videos.map((one) => ({ ...one, bytes: () => clipOf(document.getElementById(one.element)) })),
  });
  for (const still of document.querySelectorAll(`[data-instead="${place}"]`)) still.hidden = true;
  element.hidden = false;
}
