// Nothing to see: the style comes with it, the page tells its mark, and what stands in for the form is hidden.

function render({ model, el }) {
  el.style.display = "none";
  // What stands in for the form; it comes back when this element goes.
  const instead = model.get("instead");
  if (/^[\w-]+$/.test(instead)) {
    const style = document.createElement("style");
    style.textContent = `.${instead} { display: none }`;
    el.append(style);
  }
  globalThis.refvideoPage ??= Math.random().toString(36).slice(2);
  if (model.get("mark") !== globalThis.refvideoPage) {
    model.set("mark", globalThis.refvideoPage);
    model.save_changes();
  }
}

export default { render };
