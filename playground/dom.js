// What both modules of the page need of the document.

/** The element with an id. */
export const get = (id) => document.getElementById(id);

/** An element with properties and children. Text is never taken for markup. */
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}
