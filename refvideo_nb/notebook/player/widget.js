// The player in a notebook: its data comes from a widget's model, and what the server does not offer from the kernel.

import { make } from "./elements.js";
import { mount } from "./player.js";

export default () => {
  const asked = new Map(); // what came from the kernel, once for all views of a widget
  const answers = new Map();
  let sent = 0; // the time that was told last

  function ask(model, kind, index) {
    const id = `${kind} ${index}`;
    if (!asked.has(id)) {
      asked.set(
        id,
        new Promise((done, fail) => {
          answers.set(id, { parts: [], done, fail });
          model.send({ ask: kind, index });
        }),
      );
    }
    return asked.get(id);
  }

  function answered({ kind, index, part, parts, type, problem }, buffers) {
    const answer = answers.get(`${kind} ${index}`);
    if (!answer) return;
    if (problem) {
      answer.fail(new Error(problem));
      answers.delete(`${kind} ${index}`);
      return;
    }
    answer.parts[part] = buffers[0];
    if (Object.keys(answer.parts).length < parts) return;
    answer.done(new Blob(answer.parts, { type }));
    answers.delete(`${kind} ${index}`);
  }

  return {
    initialize({ model }) {
      model.on("msg:custom", answered);
      return () => model.off("msg:custom", answered);
    },
    render({ model, el }) {
      const from = (kind, items) => items.map((item, n) => ({ ...item, bytes: () => ask(model, kind, n) }));
      const data = {
        ...model.get("words"),
        references: from("reference", model.get("references")),
        videos: from("video", model.get("videos")),
        time: model.get("time"),
      };
      sent = data.time;
      const told = (time) => {
        sent = time;
        model.set("time", time);
        model.save_changes();
      };
      const player = mount(el, data, { told });
      // The still picture that stands in for the player; it comes back when this element goes.
      const instead = model.get("instead");
      if (/^[\w-]+$/.test(instead)) {
        player.element.append(make("style", { textContent: `.${instead} { display: none }` }));
      }
      const follow = () => {
        if (model.get("time") !== sent) player.seek(model.get("time"));
      };
      model.on("change:time", follow);
      return () => {
        model.off("change:time", follow);
        player.destroy();
      };
    },
  };
};
