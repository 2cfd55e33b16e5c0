/** Wait for a configured delay; none at all when it is zero. */
export function pause(ms) {
  return ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : Promise.resolve();
}

/** Call `run` at once and then at most every `ms`, the last call never lost. */
export function throttled(run, ms) {
  let timer = null;
  let isAsked = false;
  const rest = () => {
    timer = null;
    if (!isAsked) return;
    isAsked = false;
    call();
  };
  const call = () => {
    timer = setTimeout(rest, ms);
    run();
  };
  return () => {
    if (timer === null) call();
    else isAsked = true;
  };
}
