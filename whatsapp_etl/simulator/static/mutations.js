// The next release, as configured: names that the page's parts no longer have. Each mutation is applied to every element
// before a frame shows it; the page's own code never looks for its parts by these names.

let mutations = [];
let observer = null;

/**
 * Rename or take away attributes and classes from now on, in what is there and in all that will be drawn.
 *
 * @param {{select: string, rename?: Object<string, string>, values?: Object<string, string>, remove?: string[],
 *   classes?: Object<string, string>}[]} wanted
 *   `select`: which elements; `rename`: attribute to its new name; `values`: attribute to its new value; `remove`:
 *   attributes; `classes`: class to its new name.
 */
export function mutate(wanted) {
  mutations = wanted;
  if (mutations.length > 0) apply();
  if (mutations.length === 0 || observer) return;
  observer = new MutationObserver(apply);
  observer.observe(document, { attributes: true, childList: true, subtree: true });
}

function apply() {
  for (const { select, rename = {}, values = {}, remove = [], classes = {} } of mutations) {
    for (const element of document.querySelectorAll(select)) {
      for (const [old, fresh] of Object.entries(rename)) {
        if (!element.hasAttribute(old)) continue;
        element.setAttribute(fresh, element.getAttribute(old));
        element.removeAttribute(old);
      }
      // Only where it is another one: the observer hears of each that is set, and would never end.
      for (const [name, value] of Object.entries(values)) {
        if (element.getAttribute(name) !== value) element.setAttribute(name, value);
      }
      for (const name of remove) element.removeAttribute(name);
      for (const [old, fresh] of Object.entries(classes)) element.classList.replace(old, fresh);
    }
  }
}
