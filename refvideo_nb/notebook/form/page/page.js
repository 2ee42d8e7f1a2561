// Nothing to see: the style comes with it, and the page tells its mark.

function render({ model, el }) {
  el.style.display = "none";
  globalThis.refvideoPage ??= Math.random().toString(36).slice(2);
  if (model.get("mark") !== globalThis.refvideoPage) {
    model.set("mark", globalThis.refvideoPage);
    model.save_changes();
  }
}

export default { render };
