// A record of what scripts touch of the page's modules: for tests that compare it with what may be touched.
//
// It is off unless the configuration asks for it, since what a watched page hands out are stand-ins for its objects.

const NOT_TOLD = ["then", "toJSON", Symbol.toPrimitive, Symbol.toStringTag, Symbol.iterator];

/** Watches objects; tells each new path once, as `WAWebSchemaMessage.getMessageTable().greaterThan`. */
export class Touches {
  #tell;
  #told = new Set();
  #waiting = [];
  #rawOf = new WeakMap();
  #watched = new WeakMap();

  /** @param {(paths: string[]) => void} tell called with paths that were not told before */
  constructor(tell) {
    this.#tell = tell;
  }

  /** What stands for `value` towards scripts; plain data stay what they are. */
  watch(value, path) {
    this.#touch(path);
    return this.#standIn(value, path);
  }

  #standIn(value, path) {
    if (Array.isArray(value)) return value.map((each) => this.#standIn(each, `${path}[]`));
    if (!isPart(value)) return value;
    const raw = this.#raw(value);
    const known = this.#watched.get(raw)?.[path];
    if (known) return known;
    const proxy = new Proxy(raw, this.#handler(path));
    this.#rawOf.set(proxy, raw);
    this.#watched.set(raw, { ...this.#watched.get(raw), [path]: proxy });
    return proxy;
  }

  #handler(path) {
    const touch = (name, prefix = "") => this.#touch(`${prefix}${path}.${String(name)}`);
    return {
      get: (target, name) => {
        const value = Reflect.get(target, name, target);
        if (NOT_TOLD.includes(name)) return value;
        touch(name);
        const own = Reflect.getOwnPropertyDescriptor(target, name);
        // What can never change has to be given as it is, such as the prototype of a class.
        if (own && !own.configurable && own.writable === false) return value;
        return this.#standIn(value, `${path}.${String(name)}`);
      },
      has: (target, name) => {
        touch(name, "in ");
        return Reflect.has(target, name);
      },
      ownKeys: (target) => {
        this.#touch(`keys of ${path}`);
        return Reflect.ownKeys(target);
      },
      set: (target, name, value) => {
        touch(name, "set ");
        return Reflect.set(target, name, value, target);
      },
      defineProperty: (target, name, descriptor) => {
        touch(name, "set ");
        return Reflect.defineProperty(target, name, descriptor);
      },
      deleteProperty: (target, name) => {
        touch(name, "delete ");
        return Reflect.deleteProperty(target, name);
      },
      setPrototypeOf: (target, prototype) => {
        touch("__proto__", "set ");
        return Reflect.setPrototypeOf(target, prototype);
      },
      apply: (target, self, given) =>
        this.#standIn(Reflect.apply(target, this.#raw(self), given.map((each) => this.#bare(each))), `${path}()`),
      construct: (target, given) => Reflect.construct(target, given.map((each) => this.#bare(each))),
    };
  }

  #raw(value) {
    return this.#rawOf.get(value) ?? value;
  }

  /** An argument without stand-ins, so that what the page itself does with it is not taken for a script's. */
  #bare(value) {
    if (Object.getPrototypeOf(Object(value)) !== Object.prototype || this.#rawOf.has(value)) return this.#raw(value);
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, this.#raw(each)]));
  }

  #touch(path) {
    if (this.#told.has(path)) return;
    this.#told.add(path);
    this.#waiting.push(path);
    if (this.#waiting.length === 1) queueMicrotask(() => this.#tell(this.#waiting.splice(0)));
  }
}

// Promises and bytes are handed on as they are: the browser's own functions want the real ones.
function isPart(value) {
  if (typeof value === "function") return true;
  if (typeof value !== "object" || value === null) return false;
  return !(value instanceof Promise) && !ArrayBuffer.isView(value) && !(value instanceof ArrayBuffer);
}
