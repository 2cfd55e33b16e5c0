// First lines of every script that looks at the page: names of the selector pack to elements.
const hits = {};
const candidatesOf = (name) => args.parts.select[name] || [];
const all = (root, name) => {
  const candidates = candidatesOf(name);
  for (let i = 0; i < candidates.length; i += 1) {
    const found = root.querySelectorAll(candidates[i]);
    if (found.length > 0) {
      hits[name] = i;
      return Array.from(found);
    }
  }
  return [];
};
const one = (root, name) => all(root, name)[0] || null;
// The places of a row's pictures, and the blob: addresses of those that the page holds.
const placesOf = (row) => {
  const pictures = all(row, 'image_thumb');
  return pictures.length > 0 ? pictures : all(row, 'sticker_frame');
};
const blobsOf = (row) => {
  const images = all(row, 'image_bytes');
  const shown = images.length > 0 ? images : all(row, 'sticker_bytes');
  return shown.map((image) => image.src).filter((src) => src.startsWith('blob:'));
};
const shows = (element, name) => candidatesOf(name).some((css) => element.matches(css));
const isVisible = (element) => element.getClientRects().length > 0;

// Directional marks and unusual spaces stand in titles and never belong to them.
const clean = (text) =>
  (text || '')
    .replace(/[\u200b\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g, '')
    .replace(/[\s\u00a0\u202f]+/g, ' ')
    .trim();

const says = (text, label) => (args.parts.label[label] || []).some((words) => text.includes(words));

// One drawn frame; a page that draws nothing must not hold the script.
const frame = () =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, 100);
    requestAnimationFrame(() => {
      clearTimeout(timer);
      resolve();
    });
  });

// Wait frame by frame until `condition` holds; whether it came to hold.
const until = async (condition, milliseconds) => {
  const end = performance.now() + milliseconds;
  for (;;) {
    if (condition()) return true;
    if (performance.now() >= end) return false;
    await frame();
  }
};

const titleText = (element) => {
  if (!element) return null;
  const titled = clean(element.getAttribute('title'));
  if (titled) return titled;
  const copy = element.cloneNode(true);
  for (const image of copy.querySelectorAll('img[alt]')) image.replaceWith(image.alt);
  for (const icon of copy.querySelectorAll('svg')) icon.remove();
  return clean(copy.textContent);
};

const digitsOf = (text) => (text || '').replace(/\D/g, '');
// An unsaved number is grouped by the page in its own way: the digits decide.
const sameTitle = (shown, wanted) => {
  if (shown === null || wanted === null) return false;
  if (clean(shown) === clean(wanted)) return true;
  const isNumber = (text) => /^\+?[\d\s().\-\u2010-\u2015]+$/.test(clean(text)) && digitsOf(text).length >= 5;
  return isNumber(shown) && isNumber(wanted) && digitsOf(shown) === digitsOf(wanted);
};

// What React keeps beside a node, where it shows: the nearest `memoizedProps` that `pick` accepts.
const fiberOf = (element, pick) => {
  try {
    const name = Object.keys(element).find((own) => own.startsWith('__reactFiber$'));
    let node = name ? element[name] : null;
    for (let hops = 0; node && hops < 30; hops += 1) {
      const picked = node.memoizedProps ? pick(node.memoizedProps) : null;
      if (picked) return picked;
      node = node.return;
    }
  } catch {
    // An enrichment, never required: getters of the client may throw.
  }
  return null;
};
const idText = (id) => {
  if (!id) return null;
  if (typeof id === 'string') return id;
  if (typeof id._serialized === 'string') return id._serialized;
  const text = String(id);
  return text.startsWith('[object') ? null : text;
};
