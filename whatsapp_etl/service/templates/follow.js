// Follows linking without loading the page again: the current code, and the seconds that are left.
(() => {
  "use strict";
  const ASK_MS = 2000;
  const session = document.body.dataset.session;
  const image = document.querySelector("#code");
  const left = document.querySelector("#left");
  const level = document.querySelector("#left-level");
  let tag = image ? image.dataset.tag : null;
  let endsAt = left && left.dataset.seconds ? performance.now() + 1000 * Number(left.dataset.seconds) : null;

  const tick = () => {
    if (!left || endsAt === null) return;
    const seconds = Math.max(0, Math.round((endsAt - performance.now()) / 1000));
    left.textContent = seconds > 0 ? `The next code comes in about ${seconds} s.` : "The next code comes at any moment.";
    level.setAttribute("width", String(Math.min(60, seconds)));
  };

  const follow = async () => {
    try {
      const answer = await fetch("/link", { cache: "no-store" });
      if (!answer.ok) return;
      const now = await answer.json();
      if (now.session !== session || (now.qr === null) !== (image === null)) {
        location.reload();
        return;
      }
      if (now.qr === null) return;
      if (now.qr.tag !== tag) {
        tag = now.qr.tag;
        image.src = `/qr?v=${tag}`;
      }
      endsAt = now.qr.seconds_left === null ? null : performance.now() + 1000 * now.qr.seconds_left;
    } catch (error) {
      // The program is being restarted: it is asked again.
      if (left) left.textContent = "The program does not answer at the moment.";
      endsAt = null;
    }
  };

  setInterval(tick, 250);
  setInterval(follow, ASK_MS);
})();
