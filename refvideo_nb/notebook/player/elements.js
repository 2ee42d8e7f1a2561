// Elements, made so that text stays text.

export function make(tag, properties = {}, ...children) {
  const { aria = {}, data = {}, style = {}, ...own } = properties;
  const made = Object.assign(document.createElement(tag), own);
  for (const [name, value] of Object.entries(aria)) made.setAttribute(name === "role" ? name : `aria-${name}`, value);
  Object.assign(made.dataset, data);
  for (const [name, value] of Object.entries(style)) made.style.setProperty(name, value);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function button(text, does, { name = "", keys = "", className = "" } = {}) {
  const made = make("button", { type: "button", textContent: text, className });
  if (name) made.setAttribute("aria-label", name);
  made.title = keys ? `${name || text} (${keys})` : name || text;
  if (keys) made.setAttribute("aria-keyshortcuts", keys);
  made.addEventListener("click", does);
  return made;
}

export const letter = (index) => "ABCDEFGHI"[index] ?? String(index + 1);

// 83.4167 → "1:23.42"
export function clockTime(seconds) {
  const hundredths = Math.round(Math.max(seconds, 0) * 100);
  const [minutes, rest] = [Math.floor(hundredths / 6000), hundredths % 6000];
  return `${minutes}:${String(Math.floor(rest / 100)).padStart(2, "0")}.${String(rest % 100).padStart(2, "0")}`;
}
