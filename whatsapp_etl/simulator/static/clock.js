// The page's clock: the world's fixed instant where it has one, else the machine's.

/** @param {() => object} config the configuration in force */
export function createClock(config) {
  return {
    /** @returns {Date} */
    now() {
      const fixed = config().now;
      return fixed ? new Date(fixed) : new Date();
    },
  };
}
