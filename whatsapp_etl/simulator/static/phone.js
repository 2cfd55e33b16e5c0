// How a number without a saved name is written: "+1 (555) 100-1036", "+65 8123 4567".

// Group lengths after the country code; the last one takes what is left.
const GROUPS = {
  7: [3, 3, 2, 2],
  20: [3, 3, 4],
  27: [2, 3, 4],
  30: [3, 3, 4],
  31: [1, 4, 4],
  32: [3, 2, 2, 2],
  33: [1, 2, 2, 2, 2],
  34: [3, 2, 2, 2],
  39: [3, 3, 4],
  40: [3, 3, 3],
  41: [2, 3, 2, 2],
  43: [3, 7],
  44: [4, 6],
  45: [2, 2, 2, 2],
  46: [2, 3, 2, 2],
  47: [3, 2, 3],
  48: [3, 3, 3],
  49: [4, 7],
  51: [3, 3, 3],
  52: [3, 3, 4],
  54: [1, 2, 4, 4],
  55: [2, 5, 4],
  56: [1, 4, 4],
  57: [3, 7],
  60: [2, 3, 4],
  61: [3, 3, 3],
  62: [3, 4, 4],
  63: [3, 3, 4],
  64: [2, 3, 4],
  65: [4, 4],
  66: [2, 3, 4],
  81: [2, 4, 4],
  82: [2, 4, 4],
  84: [3, 3, 3],
  86: [3, 4, 4],
  90: [3, 3, 2, 2],
  91: [5, 5],
  92: [3, 7],
  98: [3, 3, 4],
  212: [3, 6],
  213: [3, 2, 2, 2],
  234: [3, 3, 4],
  254: [3, 6],
  351: [3, 3, 3],
  353: [2, 3, 4],
  358: [2, 3, 4],
  380: [2, 3, 4],
  420: [3, 3, 3],
  852: [4, 4],
  880: [4, 6],
  961: [2, 3, 3],
  962: [1, 4, 4],
  965: [4, 4],
  966: [2, 3, 4],
  971: [2, 3, 4],
  972: [2, 3, 4],
};
const HYPHENATED = new Set(["55", "62", "972"]);

/** @param {string} digits country code and number, without a plus */
export function formatPhone(digits) {
  if (digits.startsWith("1") && digits.length === 11) {
    return `+1 (${digits.slice(1, 4)}) ${digits.slice(4, 7)}-${digits.slice(7)}`;
  }
  const code = [3, 2, 1].map((length) => digits.slice(0, length)).find((prefix) => prefix in GROUPS);
  if (!code) return `+${digits}`;
  return `+${code} ${joined(code, groupsOf(digits.slice(code.length), GROUPS[code]))}`;
}

function groupsOf(number, lengths) {
  const groups = [];
  let from = 0;
  lengths.forEach((length, position) => {
    const isLast = position === lengths.length - 1;
    groups.push(number.slice(from, isLast ? undefined : from + length));
    from += length;
  });
  return groups.filter(Boolean);
}

function joined(code, groups) {
  if (!HYPHENATED.has(code)) return groups.join(" ");
  const [first, ...rest] = groups;
  return [first, rest.join("-")].filter(Boolean).join(" ");
}
