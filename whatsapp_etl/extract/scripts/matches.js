// Says which of the CSS selectors in args.css match anything, as a JSON list of true and false in
// the same order. Returns once they differ from args.last, at the latest after args.wait_ms.
async (args) => {
  const STEP_MS = 50;
  const look = () => JSON.stringify(args.css.map((css) => document.querySelector(css) !== null));
  const last = JSON.stringify(args.last);
  const deadline = performance.now() + args.wait_ms;
  let now = look();
  while (now === last && performance.now() < deadline) {
    await new Promise((resolve) => { setTimeout(resolve, STEP_MS); });
    now = look();
  }
  return now;
}
