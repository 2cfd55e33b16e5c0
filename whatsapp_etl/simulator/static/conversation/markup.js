// WhatsApp's raw markup as a tree: paragraphs, lists and quotes, with formatted text, links and mentions inside.

const EMOJI = new RegExp("\\p{RGI_Emoji}|(?![©®™])\\p{Extended_Pictographic}\\uFE0F?", "gv");
const URL_PATTERN = String.raw`(?<url>\b(?:https?:\/\/|www\.)[^\s<>]*[^\s<>.,;:!?'")\]}*_~\x60])`;
const MAIL_PATTERN = String.raw`(?<mail>[\w.+\-]+@[\w\-]+\.[\w.\-]*\w)`;
const PHONE_PATTERN = String.raw`(?<phone>\+\d[\d \(\)\-]{6,}\d)`;
const LINK = new RegExp([URL_PATTERN, MAIL_PATTERN, PHONE_PATTERN].join("|"), "gu");
const MENTION = /@(\d{5,})/gu;
const FENCE = "```";
const ITEM = /^(?<mark>[-*]) (?<text>\S.*)$/u;
const NUMBERED = /^(?<number>\d{1,3})\. (?<text>\S.*)$/u;
const QUOTED = /^> (?<text>\S.*)$/u;
const CODE = [
  { pattern: /```(?<inner>[\s\S]*?\S[\s\S]*?)```/u, template: "```${appText}```" },
  { pattern: /(?<![\p{L}\p{N}`])`(?<inner>[^`\n]+)`(?![\p{L}\p{N}`])/u, template: "`${appText}`" },
];
const MARKS = [
  { mark: "*", sign: "\\*", tag: "strong" },
  { mark: "_", sign: "_", tag: "em" },
  { mark: "~", sign: "~", tag: "del" },
].map(({ mark, sign, tag }) => ({
  tag,
  template: `${mark}\${appText}${mark}`,
  pattern: new RegExp(pairOf(sign), "u"),
}));

// A pair of marks: at the edges of words, with no space on its inner side.
function pairOf(sign) {
  const inner = `(?<inner>[^\\s${sign}](?:[^${sign}\\n]*[^\\s${sign}])?)`;
  return `(?<![\\p{L}\\p{N}${sign}])${sign}${inner}${sign}(?![\\p{L}\\p{N}${sign}])`;
}

/**
 * Parse a raw message text.
 *
 * @param {string} raw
 * @param {Object<string, string>} [mentions] names by the id that is mentioned
 * @returns {object[]} blocks: `{kind: "line", inlines}`, `{kind: "list", ordered, items}`, `{kind: "quote", lines}`;
 *   `newline` says whether another block follows
 */
export function parseMarkup(raw, mentions = {}) {
  const names = new Map(Object.entries(mentions).map(([jid, name]) => [jid.split("@")[0], { jid, name }]));
  const inlines = (text) => parseInlines(text, names);
  const blocks = [];
  for (const line of linesOf(raw)) {
    const last = blocks.at(-1);
    const item = ITEM.exec(line)?.groups;
    const numbered = NUMBERED.exec(line)?.groups;
    const quoted = QUOTED.exec(line)?.groups;
    if (item) addItem(blocks, `${item.mark} `, { mark: `${item.mark} `, inlines: inlines(item.text) }, false);
    else if (numbered) {
      const entry = { mark: `${numbered.number}. `, value: numbered.number, inlines: inlines(numbered.text) };
      addItem(blocks, "1. ", entry, true);
    } else if (quoted) {
      if (last?.kind === "quote") last.lines.push(inlines(quoted.text));
      else blocks.push({ kind: "quote", lines: [inlines(quoted.text)] });
    } else blocks.push({ kind: "line", inlines: inlines(line) });
  }
  blocks.forEach((block, position) => {
    block.newline = position < blocks.length - 1;
  });
  return blocks;
}

/** The emoji of a text that holds nothing else (at most three of them), or null. */
export function onlyEmoji(raw) {
  const found = [...raw.matchAll(EMOJI)].map((match) => match[0]);
  const rest = raw.replace(EMOJI, "");
  return rest === "" && found.length > 0 && found.length <= 3 ? found : null;
}

/** Cut a parsed text after `limit` visible characters. */
export function cutMarkup(blocks, limit) {
  const budget = { left: limit, isCut: false };
  const kept = [];
  for (const block of blocks) {
    if (budget.isCut) break;
    kept.push(cutBlock(block, budget));
  }
  return { blocks: budget.isCut ? kept : blocks, isCut: budget.isCut };
}

// A run of monospaced text may go over several lines: those stay together.
function linesOf(raw) {
  const lines = [];
  const all = raw.split("\n");
  all.forEach((line, position) => {
    const isInside = lines.length > 0 && lines.at(-1).split(FENCE).length % 2 === 0;
    const isClosed = isInside && all.slice(position).some((later) => later.includes(FENCE));
    if (isClosed) lines[lines.length - 1] += `\n${line}`;
    else lines.push(line);
  });
  return lines;
}

function addItem(blocks, style, item, ordered) {
  const last = blocks.at(-1);
  if (last?.kind === "list" && last.style === style) last.items.push(item);
  else blocks.push({ kind: "list", style, ordered, items: [item] });
}

function parseInlines(text, names) {
  for (const { pattern, template } of CODE) {
    const match = pattern.exec(text);
    if (match) return around(text, match, names, { kind: "code", template, text: match.groups.inner });
  }
  const matches = MARKS.map((mark) => ({ ...mark, match: mark.pattern.exec(text) })).filter(({ match }) => match);
  if (matches.length > 0) {
    const { match, tag, template } = matches.reduce((a, b) => (b.match.index < a.match.index ? b : a));
    const children = parseInlines(match.groups.inner, names);
    return around(text, match, names, { kind: "format", tag, template, children });
  }
  return parsePlain(text, names);
}

function around(text, match, names, node) {
  const before = text.slice(0, match.index);
  const after = text.slice(match.index + match[0].length);
  return [...parseInlines(before, names), node, ...parseInlines(after, names)];
}

function parsePlain(text, names) {
  return split(text, LINK, (match) => {
    const { url, mail } = match.groups;
    const href = url ? (url.startsWith("www.") ? `http://${url}` : url) : mail ? `mailto:${mail}` : null;
    return { kind: "link", href, text: match[0] };
  }).flatMap((part) => (part.kind ? [part] : parseMentions(part, names)));
}

function parseMentions(text, names) {
  return split(text, MENTION, (match) => {
    const known = names.get(match[1]);
    return known ? { kind: "mention", ...known } : match[0];
  }).flatMap((part) => (part.kind ? [part] : parseEmoji(part)));
}

function parseEmoji(text) {
  return split(text, EMOJI, (match) => ({ kind: "emoji", text: match[0] })).map((part) =>
    part.kind ? part : { kind: "text", text: part },
  );
}

function split(text, pattern, made) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > from) parts.push(text.slice(from, match.index));
    parts.push(made(match));
    from = match.index + match[0].length;
  }
  if (from < text.length) parts.push(text.slice(from));
  return parts;
}

function cutBlock(block, budget) {
  let cut;
  if (block.kind === "line") cut = { ...block, inlines: cutInlines(block.inlines, budget) };
  else if (block.kind === "quote")
    cut = {
      ...block,
      lines: cutEach(
        block.lines,
        budget,
        (line) => line,
        (_, kept) => kept,
      ),
    };
  else
    cut = {
      ...block,
      items: cutEach(
        block.items,
        budget,
        (item) => item.inlines,
        (item, inlines) => ({ ...item, inlines }),
      ),
    };
  if (block.newline && !budget.isCut) spend(budget, 1);
  return budget.isCut ? { ...cut, newline: false } : cut;
}

function cutEach(parts, budget, inlinesOf, withInlines) {
  const kept = [];
  for (const part of parts) {
    if (budget.isCut) break;
    kept.push(withInlines(part, cutInlines(inlinesOf(part), budget)));
    if (kept.length < parts.length && !budget.isCut) spend(budget, 1);
  }
  return kept;
}

function cutInlines(inlines, budget) {
  const kept = [];
  for (const inline of inlines) {
    if (budget.isCut) break;
    kept.push(cutInline(inline, budget));
  }
  if (budget.isCut && !endsWithFormat(kept)) kept.push({ kind: "text", text: "…" });
  return kept;
}

function cutInline(inline, budget) {
  if (inline.kind === "format") return { ...inline, children: cutInlines(inline.children, budget) };
  const text = inline.kind === "mention" ? `@${inline.name}` : inline.text;
  const characters = [...text];
  if (characters.length <= budget.left) {
    budget.left -= characters.length;
    return inline;
  }
  const short = characters.slice(0, budget.left).join("");
  budget.left = 0;
  budget.isCut = true;
  return inline.kind === "code"
    ? { ...inline, text: short }
    : { kind: "text", text: inline.kind === "emoji" ? "" : short };
}

// The dots stand inside the innermost run that was cut.
function endsWithFormat(inlines) {
  return inlines.at(-1)?.kind === "format";
}

function spend(budget, count) {
  if (budget.left < count) budget.isCut = true;
  else budget.left -= count;
}
