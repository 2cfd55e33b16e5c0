// The page's clock: the world's fixed instant where it has one, else the machine's.

const HOUR_MS = 3_600_000;

/** @param {() => object} config the configuration in force */
export function createClock(config) {
  return {
    /** @returns {Date} */
    now() {
      const { now: fixed, clock_ahead_hours: ahead = 0 } = config();
      const instant = fixed ? new Date(fixed) : new Date();
      return new Date(instant.getTime() + ahead * HOUR_MS);
    },
  };
}
