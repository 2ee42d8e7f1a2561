// A button that copies the text of its model, and says so for a moment.

const SAID = 1600; // milliseconds

async function copy(text, root) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No clipboard on plain http, or not allowed in this frame: the old way still works there.
    const area = document.createElement("textarea");
    area.value = text;
    area.setAttribute("aria-hidden", "true");
    area.style.position = "fixed";
    area.style.opacity = "0";
    root.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

function render({ model, el }) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "refvideo-copy";
  const name = () => {
    button.textContent = model.get("label");
    button.disabled = !model.get("text");
  };
  let back;
  button.addEventListener("click", async () => {
    const done = await copy(model.get("text"), el);
    button.focus();
    button.textContent = done ? "Copied" : "Select the text and copy it";
    clearTimeout(back);
    back = setTimeout(name, SAID);
  });
  model.on("change:label change:text", name);
  name();
  el.append(button);
  return () => clearTimeout(back);
}

export default { render };
