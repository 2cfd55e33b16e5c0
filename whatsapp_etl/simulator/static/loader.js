// The page's module loader: every script of the client is a module with a name, made when it is first required.
//
// Modules register progressively while the page starts. Asking for one that is not there, or that cannot be made
// because something that it depends on is missing, is an error of the client, which it reports to its server.

const PORTIONS = 5; // in which the others come, where that takes time

export class ModuleLoader {
  #map = {};
  #report;
  #seen = (value) => value;

  /** @param {(error: {module: string, message: string}) => void} report tells the server of a client's error */
  constructor(report) {
    this.#report = report;
    this.#define("__debug", () => ({ modulesMap: this.#map }));
    this.#define("ifRequireable", () => ({ default: (id, found, missing) => this.#ifRequireable(id, found, missing) }));
  }

  /** Put the loader's functions on the window. */
  install() {
    window.require = (id) => this.#seen(this.#required(id, "default"), String(id));
    window.importNamespace = (id) => this.#seen(this.#required(id, "namespace"), String(id));
  }

  /** Let everything that is handed out pass through `seen(value, name of the module)`. */
  watch(seen) {
    this.#seen = seen;
  }

  /**
   * Register modules, at once or in portions.
   *
   * @param {Record<string, () => object>} modules what each exports; `default` is what `require` gives
   * @param {{missing: string[], unresolved: string[], renamed: Record<string, string>, milliseconds: number}} fate
   */
  register(modules, { missing = [], unresolved = [], renamed = {}, milliseconds = 0 }) {
    const names = Object.keys(modules).filter((name) => !missing.includes(name));
    const come = (some) => {
      for (const name of some) {
        this.#define(name, () => withRenamed(name, modules[name](), renamed), unresolved.includes(name));
      }
    };
    if (milliseconds <= 0) {
      come(names);
      return;
    }
    const size = Math.ceil(names.length / PORTIONS);
    for (let portion = 0; portion < PORTIONS; portion += 1) {
      const some = names.slice(portion * size, (portion + 1) * size);
      setTimeout(come, (milliseconds * (portion + 1)) / PORTIONS, some);
    }
  }

  #define(id, make, isUnresolved = false) {
    this.#map[id] = {
      id,
      exports: {},
      defaultExport: {},
      factory: make,
      dependencies: isUnresolved ? [`${id}Impl`] : [],
      factoryFinished: false,
    };
  }

  #isRequireable(id) {
    return Object.hasOwn(this.#map, id) && this.#map[id].dependencies.length === 0;
  }

  #ifRequireable(id, found, missing) {
    return this.#isRequireable(id) ? found?.(this.#seen(this.#required(id, "default"), id)) : missing?.();
  }

  #required(id, wanted) {
    const record = Object.hasOwn(this.#map, id) ? this.#map[id] : null;
    if (!record) throw this.#failure(id, `Requiring unknown module "${id}"`);
    if (!this.#isRequireable(id)) {
      const [dependency] = record.dependencies;
      throw this.#failure(id, `Requiring module "${id}" with unresolved dependencies: ${dependency}`);
    }
    if (!record.factoryFinished) {
      record.exports = record.factory();
      if (record.exports.default) record.defaultExport = record.exports.default;
      record.factoryFinished = true;
    }
    return wanted === "default" ? (record.exports.default ?? record.exports) : record.exports;
  }

  #failure(id, message) {
    this.#report({ module: String(id), message });
    return new Error(message);
  }
}

// A member is named by its path from the module, `getMessageTable().greaterThan` for one of what a call gives.
function withRenamed(module, exports, renamed) {
  for (const [path, name] of Object.entries(renamed)) {
    if (!path.startsWith(`${module}.`)) continue;
    const steps = path.slice(module.length + 1).split(".");
    const last = steps.pop();
    const holder = steps.reduce((at, step) => (step.endsWith("()") ? at[step.slice(0, -2)]() : at[step]), exports);
    let owner = holder;
    while (owner && !Object.hasOwn(owner, last)) owner = Object.getPrototypeOf(owner);
    if (!owner) throw new Error(`No such member to rename: ${path}`);
    Object.defineProperty(owner, name, Object.getOwnPropertyDescriptor(owner, last));
    delete owner[last];
  }
  return exports;
}
