// A QR encoder: byte mode, error correction level L, mask 0. Enough for the login code of the page.

const ECC_PER_BLOCK = [
  7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28, 28, 28, 30, 30, 26, 28, 30, 30, 30, 30,
  30, 30, 30, 30, 30, 30, 30, 30, 30, 30,
];
const BLOCKS = [
  1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19,
  20, 21, 22, 24, 25,
];
const FORMAT_BITS = 0b111011111000100; // level L, mask 0, as the standard's table gives it

/** Return the code of a text as rows of booleans, true for dark, without the quiet zone. */
export function qrMatrix(text) {
  const data = new TextEncoder().encode(text);
  const version = smallestVersion(data.length);
  const size = version * 4 + 17;
  const dark = Array.from({ length: size }, () => new Array(size).fill(false));
  const reserved = Array.from({ length: size }, () => new Array(size).fill(false));
  drawPatterns(dark, reserved, version);
  drawData(dark, reserved, withCorrection(codewords(data, version), version));
  return dark;
}

/** Draw the code on a canvas, filling it. */
export function drawQr(canvas, text) {
  const matrix = qrMatrix(text);
  const context = canvas.getContext("2d");
  const quiet = 2;
  const scale = canvas.width / (matrix.length + 2 * quiet);
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = "#122e31";
  matrix.forEach((row, y) =>
    row.forEach((isDark, x) => {
      if (!isDark) return;
      const left = Math.round((x + quiet) * scale);
      const top = Math.round((y + quiet) * scale);
      context.fillRect(
        left,
        top,
        Math.round((x + quiet + 1) * scale) - left,
        Math.round((y + quiet + 1) * scale) - top,
      );
    }),
  );
}

function rawCodewords(version) {
  let modules = (16 * version + 128) * version + 64;
  if (version >= 2) {
    const aligned = Math.floor(version / 7) + 2;
    modules -= (25 * aligned - 10) * aligned - 55;
    if (version >= 7) modules -= 36;
  }
  return Math.floor(modules / 8);
}

const dataCodewords = (version) => rawCodewords(version) - ECC_PER_BLOCK[version - 1] * BLOCKS[version - 1];
const lengthBits = (version) => (version < 10 ? 8 : 16);

function smallestVersion(bytes) {
  for (let version = 1; version <= 40; version += 1) {
    if (4 + lengthBits(version) + bytes * 8 <= dataCodewords(version) * 8) return version;
  }
  throw new RangeError("text too long for a QR code");
}

function codewords(data, version) {
  const bits = [];
  const push = (value, length) => {
    for (let bit = length - 1; bit >= 0; bit -= 1) bits.push((value >>> bit) & 1);
  };
  const capacity = dataCodewords(version) * 8;
  push(0b0100, 4);
  push(data.length, lengthBits(version));
  for (const byte of data) push(byte, 8);
  push(0, Math.min(4, capacity - bits.length));
  push(0, (8 - (bits.length % 8)) % 8);
  for (let pad = 0xec; bits.length < capacity; pad ^= 0xec ^ 0x11) push(pad, 8);
  return Array.from({ length: bits.length / 8 }, (_, at) =>
    bits.slice(at * 8, at * 8 + 8).reduce((value, bit) => (value << 1) | bit, 0),
  );
}

function withCorrection(data, version) {
  const blocks = BLOCKS[version - 1];
  const correction = ECC_PER_BLOCK[version - 1];
  const raw = rawCodewords(version);
  const shortBlocks = blocks - (raw % blocks);
  const shortLength = Math.floor(raw / blocks) - correction;
  const divisor = generator(correction);
  const parts = [];
  let from = 0;
  for (let block = 0; block < blocks; block += 1) {
    const length = shortLength + (block < shortBlocks ? 0 : 1);
    const part = data.slice(from, from + length);
    parts.push({ part, check: remainder(part, divisor) });
    from += length;
  }
  const mixed = [];
  for (let at = 0; at <= shortLength; at += 1) for (const { part } of parts) if (at < part.length) mixed.push(part[at]);
  for (let at = 0; at < correction; at += 1) for (const { check } of parts) mixed.push(check[at]);
  return mixed;
}

function multiply(left, right) {
  let product = 0;
  for (let bit = 7; bit >= 0; bit -= 1) {
    product = (product << 1) ^ ((product >>> 7) * 0x11d);
    product ^= ((right >>> bit) & 1) * left;
  }
  return product;
}

function generator(degree) {
  const polynomial = new Array(degree).fill(0);
  polynomial[degree - 1] = 1;
  let root = 1;
  for (let step = 0; step < degree; step += 1) {
    for (let at = 0; at < degree; at += 1) {
      polynomial[at] = multiply(polynomial[at], root) ^ (at + 1 < degree ? polynomial[at + 1] : 0);
    }
    root = multiply(root, 2);
  }
  return polynomial;
}

function remainder(data, divisor) {
  const rest = new Array(divisor.length).fill(0);
  for (const byte of data) {
    const factor = byte ^ rest.shift();
    rest.push(0);
    divisor.forEach((coefficient, at) => {
      rest[at] ^= multiply(coefficient, factor);
    });
  }
  return rest;
}

function drawPatterns(dark, reserved, version) {
  const size = dark.length;
  const set = (x, y, isDark) => {
    if (x < 0 || y < 0 || x >= size || y >= size) return;
    dark[y][x] = isDark;
    reserved[y][x] = true;
  };
  for (let at = 0; at < size; at += 1) {
    set(6, at, at % 2 === 0);
    set(at, 6, at % 2 === 0);
  }
  for (const [x, y] of [
    [3, 3],
    [size - 4, 3],
    [3, size - 4],
  ]) {
    for (let dy = -4; dy <= 4; dy += 1) {
      for (let dx = -4; dx <= 4; dx += 1) {
        const ring = Math.max(Math.abs(dx), Math.abs(dy));
        set(x + dx, y + dy, ring !== 2 && ring !== 4);
      }
    }
  }
  const centres = alignment(version);
  const last = centres.length - 1;
  centres.forEach((x, i) =>
    centres.forEach((y, j) => {
      if ((i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0)) return;
      for (let dy = -2; dy <= 2; dy += 1) {
        for (let dx = -2; dx <= 2; dx += 1) set(x + dx, y + dy, Math.max(Math.abs(dx), Math.abs(dy)) !== 1);
      }
    }),
  );
  drawFormat(set, size);
  if (version >= 7) drawVersion(set, size, version);
}

function alignment(version) {
  if (version === 1) return [];
  const count = Math.floor(version / 7) + 2;
  const step = Math.floor((version * 8 + count * 3 + 5) / (count * 4 - 4)) * 2;
  const centres = [6];
  for (let at = version * 4 + 10; centres.length < count; at -= step) centres.splice(1, 0, at);
  return centres;
}

function drawFormat(set, size) {
  const bit = (at) => ((FORMAT_BITS >>> at) & 1) === 1;
  for (let at = 0; at <= 5; at += 1) set(8, at, bit(at));
  set(8, 7, bit(6));
  set(8, 8, bit(7));
  set(7, 8, bit(8));
  for (let at = 9; at < 15; at += 1) set(14 - at, 8, bit(at));
  for (let at = 0; at < 8; at += 1) set(size - 1 - at, 8, bit(at));
  for (let at = 8; at < 15; at += 1) set(8, size - 15 + at, bit(at));
  set(8, size - 8, true);
}

function drawVersion(set, size, version) {
  let rest = version;
  for (let step = 0; step < 12; step += 1) rest = (rest << 1) ^ ((rest >>> 11) * 0x1f25);
  const bits = (version << 12) | rest;
  for (let at = 0; at < 18; at += 1) {
    const isDark = ((bits >>> at) & 1) === 1;
    const far = size - 11 + (at % 3);
    const near = Math.floor(at / 3);
    set(far, near, isDark);
    set(near, far, isDark);
  }
}

function drawData(dark, reserved, data) {
  const size = dark.length;
  let bit = 0;
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5;
    for (let step = 0; step < size; step += 1) {
      for (const x of [right, right - 1]) {
        const upward = ((right + 1) & 2) === 0;
        const y = upward ? size - 1 - step : step;
        if (reserved[y][x]) continue;
        const isDark = bit < data.length * 8 && ((data[bit >>> 3] >>> (7 - (bit & 7))) & 1) === 1;
        bit += 1;
        dark[y][x] = isDark !== ((x + y) % 2 === 0);
      }
    }
  }
}
